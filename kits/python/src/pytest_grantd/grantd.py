"""What a test does with grantd: each method is a path of its control listener, which `GET /_test` describes."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, quote_plus, urlencode

from .battery import Case, cases_of
from .control import Control, Json, Process, send
from .steering import Faults, Filter, Request, Waste

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Client:
    """A client with all that it proves itself with."""

    def __init__(self, call: Control, card: Json) -> None:
        self._call = call
        self.client_id: str = card["client_id"]
        self.token_endpoint: str = card["token_endpoint"]
        self.client_secret: str | None = card.get("client_secret")
        self.private_jwk: Json | None = card.get("private_jwk")
        self.certificate_pem: str | None = card.get("certificate_pem")
        self.private_key_pem: str | None = card.get("private_key_pem")
        self.curl: str | None = card.get("curl")

    def token(self, audience: str | None = None, scope: str | None = None) -> Json:
        """The token endpoint's answer to this client, which has a secret or a key."""
        form = {"grant_type": "client_credentials", "audience": audience, "scope": scope}
        headers = {}
        if self.private_jwk:
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            form["client_assertion"] = self._call("POST", "/assertions", {"client_id": self.client_id})["client_assertion"]
        else:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        stated = {name: value for name, value in form.items() if value is not None}
        return send("POST", self.token_endpoint, urlencode(stated).encode(), headers)

    def set_status(self, status: Literal["active", "disabled"]) -> None:
        self._call("PATCH", f"/clients/{quote(self.client_id, safe='')}", {"status": status})

    def delete(self) -> None:
        self._call("DELETE", f"/clients/{quote(self.client_id, safe='')}")


class Clock:
    """The clock of every rule. It is one for the process: a test that moves it beside others starts its own grantd."""

    def __init__(self, call: Control) -> None:
        self._call = call

    def now(self) -> int:
        """Unix seconds."""
        return self._call("GET", "/clock")["unix"]

    def advance(self, duration: str) -> None:
        """By a duration such as `61m`."""
        self._call("PUT", "/clock", {"advance": duration})

    def set(self, instant: str | int) -> None:
        """To RFC 3339 or Unix seconds."""
        self._call("PUT", "/clock", {"set": instant})

    def freeze(self, frozen: bool = True) -> None:
        self._call("PUT", "/clock", {"freeze": frozen})

    def reset(self) -> None:
        """To the machine's time, and going."""
        self._call("PUT", "/clock", {"reset": True})


class Grantd:
    """A grantd: that of `GRANTD_CONTROL`, or a new one, which `own` and any `arguments` of `grantd dev` always start."""

    def __init__(self, *arguments: str, own: bool = False) -> None:
        attached = None if arguments or own else os.environ.get("GRANTD_CONTROL")
        self._process = None if attached else Process(*arguments)
        self.call = Control(attached or self._process.control)  # type: ignore[union-attr]
        page = self.call("GET", "")
        self.issuer: str = page["issuer"]
        self.endpoints: dict[str, str] = page["endpoints"]
        self.clock = Clock(self.call)
        self.faults = Faults(self.call)

    @property
    def is_own(self) -> bool:
        """Whether no other process uses it."""
        return self._process is not None

    def known_client(self, id: str) -> Client:
        """One of the catalog, with what grantd knows of it."""
        return next(Client(self.call, card) for card in self.call("GET", "")["clients"] if card["client_id"] == id)

    def token(self, client: Client | str, audience: str | None = None, scope: str | None = None) -> str:
        """An access token that the client gets from the token endpoint."""
        known = self.known_client(client) if isinstance(client, str) else client
        return known.token(audience, scope)["access_token"]

    def mint(self, **members: Any) -> Json:
        """Any token, signed by grantd's keys and asking no policy: `claims`, `header`, `key`, `lifetime`, `flaw`, …"""
        return self.call("POST", "/tokens", members)

    def battery(self, audience: str, **query: Any) -> list[Case]:
        """`client_id`, `scope`, `binding`, `method`, `url`, `introspects`."""
        return cases_of(self.call("GET", "/tokens", audience=audience, **query))

    def client(self, **members: Any) -> Client:
        """A new client, with the members of one in a catalog. Those left out are as of the first one there, with a secret."""
        return Client(self.call, self.call("POST", "/clients", members))

    def requests(self, **which: Unpack[Filter]) -> list[Request]:
        """Those of the last 1,000 that fit, oldest first."""
        return self.call("GET", "/requests", **which)

    def await_requests(self, count: int = 1, within: str = "5s", **which: Unpack[Filter]) -> list[Request]:
        """The first so many, as soon as they have come. Too late is a `GrantdError` of 408, which has what did come."""
        return self.call("POST", "/requests/await", {"count": count, "within": within, **which})

    def waste(self, client: Client | str) -> Waste:
        """Whether it caches its tokens."""
        id = client if isinstance(client, str) else client.client_id
        return self.call("GET", f"/clients/{quote(id, safe='')}/waste")

    def reset(self) -> None:
        """As at the start: clock, faults, requests, other issuers, clients, catalog, revocations. For tests one by one."""
        self.call("POST", "/reset", {})

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def __enter__(self) -> Grantd:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
