"""Ids of runs made in this process."""

import os
import time
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as FastUUID  # a uuid.UUID whose bytes and text cost nothing: one a run

_FREE = ~(0xF << 76 | 0x3 << 62)
_VERSION_7 = 0x7 << 76 | 0x2 << 62


def uuid7() -> UUID:
    """A UUID version 7: sorts by the millisecond it was made in, the rest is random (as uuidv7() of PostgreSQL 18)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    made: UUID = FastUUID(((value & _FREE) | _VERSION_7).to_bytes(16, "big"))
    return made


def uuid8(digest: bytes) -> UUID:
    """A UUID version 8 from 16 bytes of a hash: the same bytes give the same id."""
    value = int.from_bytes(digest[:16], "big")
    return UUID(int=(value & ~(0xF << 76) & ~(0x3 << 62)) | (0x8 << 76) | (0x2 << 62))
