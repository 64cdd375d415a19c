"""The only way out: every HTTP request that Agentbase makes to somewhere else.

A name is resolved once, every address it has is checked, and the connection goes to a checked address. Redirects are
followed by hand and checked again; time, size and headers have limits; proxies of the environment are ignored.

    reply = await egress.send("GET", url)
    async with egress.stream("POST", url, body=b"…", reach=egress.LOCAL_MODELS) as reply:
        async for piece in reply.pieces(): …
"""

from app.egress.address import LOCAL_MODELS, PUBLIC, Reach
from app.egress.client import DEFAULTS, Limits, Reply, StreamingReply, send, stop, stream
from app.egress.errors import Blocked, EgressError, NoAnswer, OverLimit

__all__ = [
    "DEFAULTS",
    "LOCAL_MODELS",
    "PUBLIC",
    "Blocked",
    "EgressError",
    "Limits",
    "NoAnswer",
    "OverLimit",
    "Reach",
    "Reply",
    "StreamingReply",
    "send",
    "stop",
    "stream",
]
