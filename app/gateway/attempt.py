"""One try at one model: what is reserved before it, and how it reads in the record after it."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from app.gateway.calls import Kind, Target, Vendor, estimate_tokens
from app.gateway.faults import Fault
from app.gateway.ledger import Closing, Outcome, Purpose
from flows.sdk.capabilities import Usage
from flows.sdk.values import Message

LONGEST_CALL = 600.0
"""Seconds, the whole answer included."""


class Take(Protocol):
    def __call__(self, call: "Call", closing: Closing, otherwise: "Callable[[Call, Closing], None]") -> bool: ...


class Watch(Struct, frozen=True):
    """Who hears about a call beside the caller: `log` lines for the reader of the run, `used` what each try used.

    `owe`: takes settlements over (app/gateway/owed.py), None = each is committed before the answer is given.
    """

    log: Callable[[str], None] = lambda _: None
    used: Callable[[Usage], None] = lambda _: None
    kind: Kind = "chat"
    limit: float = LONGEST_CALL
    owe: Take | None = None


class Changed(Exception):
    """The workspace's connections are not the ones we know."""


class Call:
    """One try that is reserved and on."""

    def __init__(
        self,
        purpose: Purpose,
        call_id: UUID,
        target: Target,
        vendor: Vendor,
        limit: float,
        braked: bool,
    ) -> None:
        self.purpose, self.call_id, self.target = purpose, call_id, target
        self.vendor, self.limit, self.braked = vendor, limit, braked
        self.began = time.perf_counter()
        self.first: float | None = None

    def closing(
        self,
        outcome: Outcome,
        prompt: int,
        completion: int,
        cost: int | None,
        used: Callable[[Usage], None],
        *,
        counted: bool = True,
        fault: Fault | None = None,
    ) -> Closing:
        price = self.target.price
        if cost is None:
            cost = price.cost_micros(max(0, prompt), max(0, completion)) if price else 0
        if prompt or completion or cost:
            used(Usage(prompt, completion, cost))
        return Closing(
            outcome,
            prompt,
            completion,
            cost,
            counted,
            price is not None or cost > 0,
            round((time.perf_counter() - self.began) * 1000),
            None if self.first is None else round((self.first - self.began) * 1000),
            fault.kind if fault else "",
            fault.message if fault else "",
        )

    def ending(self, problem: BaseException, said: str, used: Callable[[Usage], None], prompt: int = 0) -> Closing:
        """A call that did not finish: what was said so far is counted by us, together with the question."""
        completion = estimate_tokens([Message(said)]) if said else 0
        tokens = (prompt, completion) if said else (0, 0)
        if isinstance(problem, Fault):
            return self.closing("failed", *tokens, None, used, counted=not said, fault=problem)
        if isinstance(problem, asyncio.CancelledError | GeneratorExit):
            return self.closing("cancelled", *tokens, None, used, counted=False)
        unknown = Fault("bad_request", f"The call to '{self.target.name}' failed: {type(problem).__name__}.")
        return self.closing("failed", *tokens, None, used, counted=not said, fault=unknown)


def amount(target: Target, prompt: int, completion: int) -> int:
    """The most that so many tokens can cost, in millionths of a US dollar; 0 when nobody knows the price."""
    return target.price.cost_micros(prompt, completion) if target.price else 0
