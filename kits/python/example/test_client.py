"""How a client should behave when its token expires or is refused, or when it cannot have one."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pytest
import requests
import uvicorn
from api import prices_api
from client import ClientCredentials
from fastapi import FastAPI, Request, Response
from pytest_grantd import Client, Grantd


class Served:
    """An API on a free port, and how often it was called."""

    def __init__(self, api: FastAPI) -> None:
        self.calls = 0
        api.middleware("http")(self._count)
        self.api, self.socket = api, socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/prices"

    async def _count(self, request: Request, call_next) -> Response:
        self.calls += 1
        return await call_next(request)


@contextmanager
def served(api: FastAPI) -> Iterator[Served]:
    found = Served(api)
    server = uvicorn.Server(uvicorn.Config(api, log_level="warning"))
    thread = Thread(target=server.run, kwargs={"sockets": [found.socket]}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def api(grantd: Grantd) -> Iterator[Served]:
    with served(prices_api(grantd.issuer, grantd.endpoints["jwks_uri"], "pricing-api")) as found:
        yield found


@pytest.fixture
def client(grantd: Grantd) -> Iterator[Client]:
    """One for each test, so that tests beside each other don't meet."""
    client = grantd.client(policy=[{"audience": "pricing-api", "scopes": ["pricing:read"]}])
    yield client
    client.delete()


@pytest.fixture
def auth(client: Client) -> ClientCredentials:
    return ClientCredentials(client.token_endpoint, client.client_id, client.client_secret, "pricing:read")


def next_token(grantd: Grantd, client: Client, seconds: int = 300, **members: str) -> None:
    """What this client gets next is a token with these members, which is said to expire in so many seconds."""
    made = grantd.mint(client_id=client.client_id, audience="pricing-api", scope="pricing:read", **members)
    body = {"access_token": made["access_token"], "token_type": "Bearer", "expires_in": seconds}
    grantd.faults.add(endpoint="token", client_id=client.client_id, times=1, status=200, body=body)


def outcomes(grantd: Grantd, client: Client) -> list[str]:
    """What became of its requests for tokens."""
    return [it["outcome"] for it in grantd.requests(endpoint="token", client_id=client.client_id)]


def test_a_token_is_used_while_the_token_endpoint_is_down(grantd, api, client, auth):
    assert requests.get(api.url, auth=auth).status_code == 200
    grantd.faults.add(endpoint="token", client_id=client.client_id, status=503)
    assert requests.get(api.url, auth=auth).status_code == 200
    assert outcomes(grantd, client) == ["issued"]
    assert grantd.waste(client)["wasted"] == 0


def test_without_a_token_it_does_not_call(grantd, api, client, auth):
    fault = grantd.faults.add(endpoint="token", client_id=client.client_id, status=503)
    with pytest.raises(requests.HTTPError, match="503"):
        requests.get(api.url, auth=auth)
    assert api.calls == 0
    grantd.faults.remove(fault)
    assert requests.get(api.url, auth=auth).status_code == 200


def test_a_hundred_callers_at_expiry_ask_for_one_token(grantd, api, client, auth):
    next_token(grantd, client, seconds=30)
    assert requests.get(api.url, auth=auth).status_code == 200
    with ThreadPoolExecutor(100) as callers:
        answers = list(callers.map(lambda _: requests.get(api.url, auth=auth).status_code, range(100)))
    assert answers == [200] * 100
    assert outcomes(grantd, client) == ["fault", "issued"]


def test_after_a_401_it_tries_once_more_with_a_fresh_token(grantd, api, client, auth):
    next_token(grantd, client, issuer="staging")
    assert requests.get(api.url, auth=auth).status_code == 200
    assert (api.calls, outcomes(grantd, client)) == (2, ["fault", "issued"])


def test_an_api_that_always_refuses_is_asked_twice(grantd, client, auth):
    strict = FastAPI()
    strict.get("/prices")(lambda: Response(status_code=401))
    with served(strict) as api:
        assert requests.get(api.url, auth=auth).status_code == 401
    assert (api.calls, outcomes(grantd, client)) == (2, ["issued", "issued"])
