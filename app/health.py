"""Can this instance do its work? Each check returns "" when all is well, else a short reason without secrets."""

import asyncio

from app import db

PATIENCE = 2.0
"""Seconds a check may take: a load balancer asks every few seconds."""


async def database() -> str:
    """A connection can be had and the server answers."""
    try:
        async with asyncio.timeout(PATIENCE), db.system_tx("health") as tx:
            await tx.fetchval("select 1")
    except Exception as problem:
        return f"the database does not answer ({type(problem).__name__})"
    return ""


async def workers() -> str:
    """A worker is alive and takes runs: its heartbeat is fresh by the database's clock, and it is not leaving."""
    try:
        async with asyncio.timeout(PATIENCE), db.system_tx("health") as tx:
            alive = await tx.fetchval(
                "select exists (select from worker where stopped_at is null and not draining "
                "and heartbeat_at > clock_timestamp() - dead_after and lanes <> '{quarantine}')"
            )
    except Exception as problem:
        return f"the workers' heartbeats can't be read ({type(problem).__name__})"
    return "" if alive else "no worker is taking runs"
