"""Connections go back to the pool as they are: so nothing may be set for longer than a transaction."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

from app.db import pools, tenant_tx

ROOT = Path(__file__).parents[3]
OWN_CONNECTION = {"app/migrate.py", "app/commands/database.py"}
"""They open a connection of their own, and close it."""
LASTING = {
    "a setting for the session": re.compile(r"set_config\((?:[^()]|\([^()]*\))*,\s*false\s*\)", re.IGNORECASE),
    "SET": re.compile(r"(?:execute|fetch\w*)\(\s*f?[\"']\s*(?:set|reset)\s+(?!local\b)\w", re.IGNORECASE),
    "a lock of the session": re.compile(r"pg_(?:try_)?advisory_lock\b", re.IGNORECASE),
    "LISTEN": re.compile(r"add_listener\(|(?:execute|fetch\w*)\(\s*f?[\"']\s*listen\s", re.IGNORECASE),
    "a temporary table": re.compile(r"create\s+temp", re.IGNORECASE),
}


def test_no_source_sets_anything_for_a_session():
    found = []
    for folder in ("app", "flows", "migrations"):
        for file in (ROOT / folder).rglob("*.py"):
            name = file.relative_to(ROOT).as_posix()
            if name in OWN_CONNECTION:
                continue
            text = file.read_text()
            found += [
                f"{name}: {what}: {hit[0]!r}" for what, pattern in LASTING.items() if (hit := pattern.search(text))
            ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "await tx.execute(\"select set_config('app.workspace_id', $1, false)\", id)",
        'await connection.execute("set role agentbase_owner")',
        "await tx.fetchval('select pg_advisory_lock($1)', 1)",
        "await connection.add_listener('x', hear)",
    ],
)
def test_the_reader_knows_what_lasts(line):
    assert any(pattern.search(line) for pattern in LASTING.values())


async def test_the_next_one_on_a_connection_knows_no_workspace(db):
    ask = "select current_setting('app.workspace_id', true)"
    async with tenant_tx(uuid4()) as tx:
        assert await tx.fetchval(ask)
        backend = await tx.fetchval("select pg_backend_pid()")
    async with pools["app"].acquire() as connection:
        assert await connection.fetchval("select pg_backend_pid()") == backend
        assert not await connection.fetchval(ask)
        await connection.execute("begin")  # and what somebody left open is over for the next one
        await connection.execute("select set_config('app.workspace_id', $1, true)", str(uuid4()))
    async with pools["app"].acquire() as connection:
        assert not await connection.fetchval(ask)
