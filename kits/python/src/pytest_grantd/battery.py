"""Tokens that an API must accept, and tokens with one flaw each that it must refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "note", "hole", "fault"]


@dataclass(frozen=True)
class Case:
    """One token. `headers` are exactly what to send, once `before` was sent where there is one."""

    name: str
    must_accept: bool
    access_token: str
    headers: dict[str, str]
    why: str
    standard: str
    # The status codes that are right for a refusal.
    due: list[int]
    # What it is if an API does otherwise.
    against: Verdict
    before: Case | None
    certificate_pem: str | None
    private_key_pem: str | None

    def judge(self, status: int) -> Verdict:
        """What an answer with this status comes to."""
        if status >= 500:
            return "fault"
        if (200 <= status < 300) != self.must_accept:
            return self.against
        return "ok" if self.must_accept or status in self.due else "note"

    def check(self, status: int) -> None:
        """Fails for a hole or a fault. A note passes: no standard demands otherwise."""
        verdict = self.judge(status)
        assert verdict in ("ok", "note"), f"{verdict}: {status} for {self.name!r}. {self.why} ({self.standard})"


def cases_of(answer: dict[str, Any]) -> list[Case]:
    made: dict[str, Case] = {}
    for list_name in ("accept", "refuse"):
        for entry in answer[list_name]:
            status = entry["status"]
            made[entry["name"]] = Case(
                name=entry["name"],
                must_accept=list_name == "accept",
                access_token=entry["access_token"],
                headers=entry["headers"],
                why=entry["why"],
                standard=entry["standard"],
                due=status if isinstance(status, list) else [status],
                # An API may keep a key in its cache for a while.
                against="note" if entry.get("cached_for_seconds") else entry["verdict"],
                before=made.get(entry.get("after")),
                certificate_pem=entry.get("certificate_pem"),
                private_key_pem=entry.get("private_key_pem"),
            )
    return list(made.values())
