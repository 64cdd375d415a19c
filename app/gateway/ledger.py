"""Reserve before a call, settle after it: one statement each (the functions of migrations/gateway).

The statements go to the pool directly and not through tenant_tx: each is one round trip instead of four, on the way to
the first token. The functions set the workspace themselves, so row security holds as everywhere.
"""

from typing import Any, Literal, Protocol
from uuid import UUID

from msgspec import Struct

from app.db import Pool, pools
from app.errors import Unavailable
from app.gateway.calls import Kind, Target

EXPIRY_SLACK = 60
"""Seconds past the call's own time limit after which its process is believed dead and its reservation is given back."""

Outcome = Literal["ok", "failed", "cancelled"]


class Purpose(Struct, frozen=True):
    """What a call is for. `visitor`: whoever a public site counts apart; "" = nobody in particular."""

    workspace_id: UUID
    flow_id: UUID | None = None
    run_id: UUID | None = None
    node_id: str = ""
    visitor: str = ""


class Opening(Struct, frozen=True):
    """One call about to be made. `amount`: the most it can cost, in millionths of a US dollar; `seconds`: its limit."""

    call_id: UUID
    kind: Kind
    asked: str
    target: Target
    amount: int
    seconds: int


class Verdict(Struct, frozen=True):
    """held: go. refused: a budget is used up (`scope`, `limit_micros`, `used_micros` say which and how far).
    changed: connections or settings are not the ones the caller knows; `rev` is the present revision.
    `braked`: a budget counts this call, so the answer may not grow beyond what was reserved for it.
    """

    verdict: Literal["held", "refused", "changed"]
    rev: int | None = None
    braked: bool = False
    scope: str = ""
    limit_micros: int = 0
    used_micros: int = 0


class Closing(Struct, frozen=True):
    """How a call ended. `counted`: the vendor said the tokens; `priced`: somebody knows what they cost."""

    outcome: Outcome
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micros: int = 0
    counted: bool = True
    priced: bool = True
    latency_ms: int = 0
    first_token_ms: int | None = None
    fault: str = ""
    message: str = ""


class Ledger(Protocol):
    async def reserve(self, purpose: Purpose, rev: int, opening: Opening) -> Verdict: ...

    async def settle(self, purpose: Purpose, call_id: UUID, closing: Closing) -> None: ...


_RESERVE = "select * from gateway_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
_SETTLE = "select gateway_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
SETTLE_MANY = """
select gateway_settle(c.workspace, c.id, c.outcome, c.fault, c.message, c.prompt, c.completion, c.cost, c.counted,
                      c.priced, c.latency, c.first)
  from unnest({}::uuid[], {}::uuid[], {}::text[], {}::text[], {}::text[], {}::int[], {}::int[], {}::bigint[],
              {}::bool[], {}::bool[], {}::int[], {}::int[])
       as c (workspace, id, outcome, fault, message, prompt, completion, cost, counted, priced, latency, first)
"""
"""Many at once; each `{}` is a parameter: an array of one value of `settlement`."""


def settlement(purpose: Purpose, call_id: UUID, closing: Closing) -> tuple[Any, ...]:
    """The arguments of gateway_settle."""
    return (
        purpose.workspace_id,
        call_id,
        closing.outcome,
        closing.fault,
        closing.message,
        closing.prompt_tokens,
        closing.completion_tokens,
        closing.cost_micros,
        closing.counted,
        closing.priced,
        closing.latency_ms,
        closing.first_token_ms,
    )


class PostgresLedger:
    """The real one."""

    async def reserve(self, purpose: Purpose, rev: int, opening: Opening) -> Verdict:
        target = opening.target
        row = await _pool().fetchrow(
            _RESERVE,
            purpose.workspace_id,
            rev,
            opening.call_id,
            opening.kind,
            target.connection_id,
            target.provider,
            opening.asked,
            target.id,
            purpose.flow_id,
            purpose.run_id,
            purpose.node_id,
            purpose.visitor,
            opening.amount,
            opening.seconds + EXPIRY_SLACK,
        )
        return Verdict(
            row["verdict"],
            row["rev"],
            bool(row["braked"]),
            row["scope"] or "",
            row["limit_micros"] or 0,
            row["used_micros"] or 0,
        )

    async def settle(self, purpose: Purpose, call_id: UUID, closing: Closing) -> None:
        await _pool().execute(_SETTLE, *settlement(purpose, call_id, closing))


class NoLedger:
    """For `agentbase run` on a file, outside any workspace: nobody pays, nothing is kept."""

    async def reserve(self, purpose: Purpose, rev: int, opening: Opening) -> Verdict:
        return Verdict("held", rev)

    async def settle(self, purpose: Purpose, call_id: UUID, closing: Closing) -> None:
        return None


def _pool() -> Pool:
    pool = pools.get("app")
    if pool is None:
        raise Unavailable("The database does not answer at the moment.")
    return pool
