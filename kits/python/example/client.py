"""A client of the API, as it should be: it asks for a token as seldom as it can, and never calls without one."""

from threading import Lock

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, Response
from requests.auth import AuthBase


class ClientCredentials(AuthBase):
    """Puts a token into each request, by `requests.get(url, auth=…)`. Authlib gets the token and knows how long it lives."""

    def __init__(self, token_endpoint: str, client_id: str, client_secret: str, scope: str) -> None:
        grant = {"token_endpoint": token_endpoint, "grant_type": "client_credentials"}
        self._authlib = OAuth2Session(client_id, client_secret, scope=scope, default_timeout=10, **grant)
        self._asks = Lock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        request.register_hook("response", self._retry)
        return request

    def _token(self, refused: str | None = None) -> str:
        # Of many threads at expiry one asks, and the others then find what it got.
        with self._asks:
            token = self._authlib.token
            if not token or token["access_token"] == refused or token.is_expired(leeway=60):
                token = self._authlib.fetch_token()
            return token["access_token"]

    def _retry(self, answer: Response, **arguments) -> Response:
        """After a 401 tries once more: the key of the cached token may have been retired."""
        if answer.status_code != 401:
            return answer
        # The connection is free again once this is read.
        answer.content  # noqa: B018
        again = answer.request.copy()
        refused = again.headers["Authorization"].removeprefix("Bearer ")
        again.headers["Authorization"] = f"Bearer {self._token(refused)}"
        return answer.connection.send(again, **arguments)
