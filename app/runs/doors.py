"""Who looks at signed webhook calls. The door itself (hooks.py) lies in this domain and knows no secrets; who has them
says so at start. A signed address without a guard stays shut.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct


class Admitted(Struct, frozen=True):
    """A call that may come in. `delivery`: its id, by which a second one is known, "" = it has none.

    `answer`: what to say at once, without a run (a challenge); then nothing else happens.
    """

    delivery: str = ""
    answer: bytes | None = None


class Forged(Exception):
    """The call is not let in. `code` for the log, the sentence for the trigger's page; the caller learns neither."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Guard(Protocol):
    async def __call__(
        self, trigger_id: UUID, workspace_id: UUID, settings: Any, headers: Mapping[bytes, bytes], body: bytes
    ) -> Admitted:
        """Raises Forged."""
        ...


class Check(Protocol):
    def __call__(
        self, settings: Any, secrets: Sequence[str], headers: Mapping[bytes, bytes], body: bytes, now: float
    ) -> Admitted:
        """Raises Forged. `settings`: of a step that says how calls are signed."""
        ...


class Hook(Struct, frozen=True):
    """The webhook that was called: what is needed to start it as its trigger would."""

    trigger_id: UUID
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    node: str
    alike: int


class Paced(Struct, frozen=True):
    """What the pace of a webhook made of a call: the answer's status and what it says. `retry`: seconds, 0 = no use."""

    status: int
    told: dict[str, str]
    retry: int = 0


class Pacer(Protocol):
    async def __call__(self, hook: Hook, key: str, input: Any) -> Paced:
        """`key`: of the delivery, "" = it has none."""
        ...


_guards: list[Guard] = []
_pacers: list[Pacer] = []
_checks: list[Check] = []
UNHANDED: Sequence[bytes] = (b"signature", b"timestamp")
"""Headers whose name holds one of these are not handed to a flow: they differ with each try of the same delivery."""


def guard_hooks(guard: Guard) -> None:
    _guards[:] = [guard]


def pace_hooks(pacer: Pacer) -> None:
    _pacers[:] = [pacer]


async def paced(hook: Hook, key: str, input: Any) -> Paced:
    """Without a pacer in this process a call waits outside: whoever sent it tries again."""
    return await _pacers[0](hook, key, input) if _pacers else Paced(503, {"status": "not now"}, 5)


def check_calls(check: Check) -> None:
    """How the signature of a call to a run is looked at, where its step wants one."""
    _checks[:] = [check]


def checked(settings: Any, secrets: Sequence[str], headers: Mapping[bytes, bytes], body: bytes, now: float) -> Admitted:
    if not _checks:
        raise Forged("no_guard", "Signatures are not checked in this process.")
    return _checks[0](settings, secrets, headers, body, now)


async def admitted(
    trigger_id: UUID, workspace_id: UUID, settings: Any, headers: Mapping[bytes, bytes], body: bytes
) -> Admitted:
    if not _guards:
        raise Forged("no_guard", "Signatures are not checked in this process.")
    return await _guards[0](trigger_id, workspace_id, settings, headers, body)


def handed_on(headers: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Headers of a signed call without its proof."""
    return {name: value for name, value in headers.items() if not any(word in name for word in UNHANDED)}
