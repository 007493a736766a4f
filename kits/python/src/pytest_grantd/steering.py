"""What a test has go wrong, and what it sees of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from .control import Control, Json

if TYPE_CHECKING:
    from typing_extensions import Unpack

Endpoint = Literal["token", "introspection", "revocation", "jwks", "metadata", "any"]


class Rule(TypedDict, total=False):
    """Where a fault strikes, and what it does: `docs/testing.md` has each member."""

    endpoint: Endpoint
    client_id: str
    after: int
    times: int
    probability: float
    status: int
    headers: dict[str, str]
    body: Any
    delay: str
    close: bool
    truncate: int
    bytes_per_second: int
    lie: str


class Fault(Rule):
    id: int
    # How often it struck.
    struck: int


class Filter(TypedDict, total=False):
    """Which requests are meant. `after` is the id of the last one that is not."""

    endpoint: Endpoint
    client_id: str
    outcome: str
    after: int


class Request(TypedDict):
    """One that came. What is secret is shown by its length alone."""

    id: int
    at: str
    endpoint: Endpoint
    http: str
    client_id: str | None
    method: str | None
    # `issued`, `active`, `inactive`, `revoked`, `served`, `fault`, `abandoned` or an error code; `judged` is what a
    # fault took the place of.
    outcome: str
    judged: str | None
    fault: int | None
    check: Json | None
    headers: Json
    form: Json | None
    assertion: Json | None
    proof: Json | None
    token: Json | None
    request_id: str | None
    took_ms: float


class Waste(TypedDict):
    tokens: int
    # Those that it got while an equal one had more than half of its life left.
    wasted: int


class Faults:
    """Answers that go wrong. A `client_id` keeps them away from other tests."""

    def __init__(self, call: Control) -> None:
        self._call = call

    def add(self, **rule: Unpack[Rule]) -> int:
        """Its id."""
        return self._call("POST", "/faults", {**rule})["id"]

    def list(self) -> Sequence[Fault]:
        return self._call("GET", "/faults")

    def remove(self, id: int) -> None:
        self._call("DELETE", f"/faults/{id}")

    def clear(self) -> None:
        self._call("DELETE", "/faults")
