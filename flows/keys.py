"""The line a run of a flow with limits queues in (flows/ledger/postgres_lines.py)."""

from hashlib import blake2b


def line_of(flow_id: object, key: str) -> str:
    """'<flow>', or '<flow>/<hash>' with a key: equal keys give equal lines, and no key is too long for an index."""
    return f"{flow_id}/{blake2b(key.encode(), digest_size=16).hexdigest()}" if key else str(flow_id)
