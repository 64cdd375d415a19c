"""Finding runs by words in their input, output or error.

A job writes the words of ended runs down, seconds after their end: a run itself pays nothing for being found. Words are
what Python's \\w+ says, lower case, so that the same rule splits texts and questions; each counts from its beginning
("order" finds "orders"). Secrets are left out like everywhere else.

Row security would keep PostgreSQL from using the text index (its operator may not run before the policy's), so looking
up happens in the system role, inside this file, with the workspace as one of the words.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.db import Tx, system_tx
from app.runs.reading import loads
from app.runs.redacting import MARK, redacted

WORD = re.compile(r"\w+")
MOST_WORDS = 5_000
"""Of one run; what comes after is not found."""
LONGEST = 60
BATCH = 300
MOST_FOUND = 2_000
LOCK = 0x574F5244  # "WORD"
LATE = timedelta(minutes=2)
"""A transaction may commit so long after the moment it wrote as the end of its run."""

ENDED = """
select r.id, r.workspace_id, r.finished_at, r.input::text as input, r.output::text as output, r.error::text as error
  from run r
 where r.finished_at > $1 and not exists (select from run_words w where w.run_id = r.id)
 order by r.finished_at limit $2
"""
UP_TO = "select up_to from run_followed where name = 'words'"
CAME_TO = """
insert into run_followed (name, up_to) values ('words', $1) on conflict (name) do update set up_to = excluded.up_to
"""
WRITE = """
insert into run_words (run_id, workspace_id, words)
select r.id, r.workspace_id, array_to_tsvector(string_to_array(w.words, ' '))
  from unnest($1::uuid[], $2::text[]) as w (id, words) join run r on r.id = w.id
on conflict do nothing
"""
FOUND = "select run_id from run_words where words @@ $1::tsquery and workspace_id = $2 order by run_id desc limit $3"


async def found(workspace_id: UUID, question: str) -> list[UUID]:
    """The newest runs of the workspace that hold all these words, at most MOST_FOUND. 1 statement."""
    asked = [word.lower()[:LONGEST] for word in WORD.findall(question)][:20]
    if not asked:
        return []
    query = " & ".join([f"'{_own(workspace_id)}'", *(f"'{word}':*" for word in asked)])
    async with system_tx("search runs") as tx:
        return [row["run_id"] for row in await tx.fetch(FOUND, query, workspace_id, MOST_FOUND)]


async def write_down() -> int:
    """The words of runs that have ended since the last time. Every few seconds. Returns how many runs."""
    async with system_tx("words of runs") as tx:
        if not await tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
            return 0
        now = await tx.fetchval("select now()")
        came_to = await tx.fetchval(UP_TO) or now - timedelta(days=400)
        rows = await tx.fetch(ENDED, came_to - LATE, BATCH)
        await _store(tx, rows)
        await tx.execute(CAME_TO, rows[-1]["finished_at"] if len(rows) == BATCH else now)
    return len(rows)


async def _store(tx: Tx, rows: list[Any]) -> None:
    if rows:
        await tx.execute(WRITE, [row["id"] for row in rows], [_words_of(row) for row in rows])


def _words_of(row: Any) -> str:
    """All words of a run, each once, with its short name and its workspace."""
    seen: dict[str, None] = {_own(row["workspace_id"]): None, str(row["id"])[-6:]: None}
    for column in ("input", "output", "error"):
        for text in _texts(redacted(loads(row[column]))):
            for word in WORD.findall(text.replace(MARK, " ").lower()):
                seen[word[:LONGEST]] = None
                if len(seen) >= MOST_WORDS:
                    return " ".join(seen)
    return " ".join(seen)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _own(workspace_id: UUID) -> str:
    return f"ws{workspace_id.hex}"
