"""A visitor's question or form, answered by a flow: the bridge to app.runs."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from app.errors import DomainError
from app.logs import logger
from app.runs import service as runs
from app.sites.visiting.answers import Written
from app.sites.visiting.talk import Turn
from app.sites.visiting.visit import PublicSite

log = logger(__name__)

RESTING = "This part of the site is resting: its flow is not published. Its owner can wake it up."
NOTHING = "There was nothing to say to that. Try other words."
WAITS = "This needs a person. You find the answer here as soon as it is there."


def chat_input(question: str, history: list[Turn], conversation_id: UUID) -> dict[str, Any]:
    """What `start.chat` reads: the question, and the turns before it, oldest first."""
    told = [{"role": turn.role, "text": turn.text} for turn in history]
    return {"message": question, "history": told, "conversation": str(conversation_id)}


async def run(
    site: PublicSite, visitor: bytes, flow_id: UUID, given: dict[str, Any], key: str, say: Callable[[str], None]
) -> Written:
    """Run the live version of a flow and say what it streams. The same `key` never runs twice.

    Never raises: what went wrong comes back as a failed `Written` with words for a visitor; the owner finds the details
    in the run. `visitor` is told to the run so that budgets per visitor hold.
    """
    try:
        return await _run(site, visitor, flow_id, given, key, say)
    except DomainError as problem:
        return Written(str(problem), "failed")
    except Exception:  # a stream that has begun can't become an error page: it must end with words for the visitor
        log.exception("a visitor's run failed", site=str(site.id), flow=str(flow_id))
        return Written("This can't be answered at the moment. Try again in a minute.", "failed")


async def _run(
    site: PublicSite, visitor: bytes, flow_id: UUID, given: dict[str, Any], key: str, say: Callable[[str], None]
) -> Written:
    version_id = await runs.live_version(site.workspace_id, flow_id, visitor.hex())
    if version_id is None:
        return Written(RESTING, "failed")
    run_id: UUID | None = None
    streamed: list[str] = []
    async for event in runs.stream(
        site.workspace_id, version_id, given, trigger="site", idempotency_key=key, visitor=visitor.hex()
    ):
        run_id = run_id or UUID(str(event["run"]))
        match event["type"]:
            case "step.token" if event.get("answer"):
                streamed.append(event["text"])
                say(event["text"])
            case "run.succeeded" | "run.answered":
                text = text_of(event.get("output")) or "".join(streamed)
                return Written(text or NOTHING, "done" if text else "failed", run_id)
            case "run.waiting":
                return Written(WAITS, "done", run_id)
            case "run.failed" | "run.cancelled" | "run.in_doubt" | "run.dead":
                return Written("This could not be answered. Try again, or other words.", "failed", run_id)
            case _:
                pass
    return Written("The answer was interrupted. Ask again.", "failed", run_id)


def text_of(output: Any) -> str:
    """What a run's result says in words: its `text`, else its data as it would be written down."""
    if isinstance(output, str):
        return output
    if isinstance(output, dict):
        text = output.get("text")
        if isinstance(text, str) and text:
            return text
        data = output.get("data")
        if isinstance(data, dict):
            return "\n".join(f"- **{name}**: {value}" for name, value in data.items())
        if data is not None:
            return str(data)
    return ""
