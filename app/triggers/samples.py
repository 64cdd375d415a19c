"""What a flow gets when somebody fires its trigger by hand: the shape of the real thing, with made-up content."""

from typing import Any
from uuid import uuid4

from app import clock


def sample(kind: str, settings: Any) -> dict[str, Any]:
    """The input of a trial run. Raises nothing: a step that misses something says so itself."""
    now = clock.now().isoformat(timespec="seconds")
    match kind:
        case "schedule":
            return {"planned_at": now}
        case "webhook":
            return {"method": "POST", "headers": {}, "query": {}, "body": {}}
        case "event":
            return {"event": {"number": 0, "topic": "workspace", "type": "trial", "data": {}, "at": now}}
        case "after":
            return {
                "run": str(uuid4()), "flow": str(getattr(settings, "flow", "")), "status": "succeeded",
                "output": None, "error": "",
            }  # fmt: skip
        case "email":
            return {
                "from": "Mara Fern <mara@fernhill.example>", "to": "flow@localhost", "subject": "A trial",
                "text": "This mail was made up for a trial.", "date": now, "message_id": f"<{uuid4()}@localhost>",
                "files": [],
            }  # fmt: skip
        case "drop":
            return {"name": "trial.txt", "size": 5, "type": "text/plain", "text": "trial", "base64": ""}
        case "chat":
            return {"message": "This is a trial.", "history": [], "conversation": ""}
    return {}
