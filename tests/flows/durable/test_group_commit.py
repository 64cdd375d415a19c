"""Group commit: who is ready together shares a statement, and nobody is answered before the record is there."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from app.runs.ids import uuid7
from flows.ledger.commit import CROWD, ExpressRow, GroupCommit, Overloaded, _columns

WORKSPACE, FLOW, VERSION = uuid4(), uuid4(), uuid4()


class Connection:
    """Notes what came with each statement; a statement is over when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.beside: list[list[Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = self.released = False
        self.refuses: set[Any] = set()

    def is_closed(self) -> bool:
        if self.released:
            raise asyncpg.InterfaceError("connection has been released back to the pool")
        return self.closed

    async def fetch(self, query: str, ids: list[Any], *columns: Any) -> list[dict[str, Any]]:
        await self.gate.wait()
        if self.closed:
            raise ConnectionError("the server went away")
        beside = columns[len(_columns(())) - 1 :]
        if self.refuses.intersection(ids) or (beside and self.refuses.intersection(beside[0])):
            raise ValueError("a value that can't be kept")
        self.batches.append(ids)
        if beside:
            assert query.count("$") == len(_columns(())) + len(beside)
            self.beside.append(list(zip(*beside, strict=True)))
        return [{"id": id} for id in ids]


class Pool:
    def __init__(self) -> None:
        self.made: list[Connection] = []

    def acquire(self) -> "Pool":
        return self

    async def __aenter__(self) -> Connection:
        self.made.append(Connection())
        return self.made[-1]

    async def __aexit__(self, *_: object) -> None: ...


def row() -> ExpressRow:
    return ExpressRow(uuid7(), WORKSPACE, FLOW, VERSION, "succeeded", "api", "{}", "{}", None, "[]", 0.001)


async def started(commits: GroupCommit, pool: Pool) -> Connection:
    await commits.commit(row())
    return pool.made[-1]


async def test_one_alone_is_written_at_once():
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    await commits.commit(row())
    assert [len(batch) for batch in connection.batches] == [1, 1]
    await commits.close()


async def test_those_who_come_meanwhile_share_the_next_statement():
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    connection.gate.clear()
    first = asyncio.create_task(commits.commit(row()))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(commits.commit(row())) for _ in range(20)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in (first, *others)), "nobody is told before the statement is over"
    connection.gate.set()
    await asyncio.gather(first, *others)
    assert [len(batch) for batch in connection.batches] == [1, 1, 20]
    await commits.close()


async def test_a_lost_connection_tells_all_who_wait_and_the_next_record_takes_another():
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    connection.gate.clear()
    waiting = [asyncio.create_task(commits.commit(row())) for _ in range(3)]
    await asyncio.sleep(0.01)
    connection.closed = True
    connection.gate.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, ConnectionError) for one in ended[:1])
    await commits.commit(row())
    assert len(pool.made) == 2
    await commits.close()


async def test_a_batch_whose_connection_ends_is_told_as_a_whole():
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    rows = [row() for _ in range(4)]
    connection.refuses, connection.gate = {one.id for one in rows}, asyncio.Event()
    waiting = [asyncio.create_task(commits.commit(one)) for one in rows]
    await asyncio.sleep(0.01)
    connection.released = True
    connection.gate.set()
    ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert all(isinstance(one, ValueError) for one in ended)
    await commits.close()


async def test_after_the_server_was_restarted_while_nothing_ran_the_next_record_is_written():
    """As asyncpg has it: the pool takes an ended connection back at once, and its proxy then refuses every question."""
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    await asyncio.sleep(0)
    connection.released = True
    await commits.commit(row())
    assert [len(one.batches) for one in pool.made] == [1, 1]
    await commits.close()


async def test_a_row_that_is_refused_does_not_take_its_neighbours_with_it():
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    rows = [row() for _ in range(5)]
    connection.refuses.add(rows[2].id)
    connection.gate.clear()
    waiting = [asyncio.create_task(commits.commit(one)) for one in rows]
    await asyncio.sleep(0.01)
    connection.gate.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(one, ValueError) for one in ended] == [False, False, True, False, False]
    await commits.close()


async def test_what_goes_beside_a_record_goes_in_the_same_statement():
    pool = Pool()
    commits = GroupCommit(pool, "select f({}, {})")
    connection = await started(commits, pool)
    assert connection.beside == [], "nobody had anything"
    connection.gate.clear()
    rows = [row(), row(), row()]
    rows[0].beside, rows[2].beside = [("a", 1), ("b", 2)], [("c", 3)]
    waiting = [asyncio.create_task(commits.commit(one)) for one in rows]
    await asyncio.sleep(0.01)
    connection.gate.set()
    await asyncio.gather(*waiting)
    assert [one for batch in connection.beside for one in batch] == [("a", 1), ("b", 2), ("c", 3)]
    assert not any(one.beside for one in rows), "all of it has happened"
    await commits.close()


async def test_what_is_refused_beside_a_record_stays_with_whoever_gave_it_and_the_record_is_written():
    pool = Pool()
    commits = GroupCommit(pool, "select f({}, {})")
    connection = await started(commits, pool)
    rows = [row(), row()]
    for number, one in enumerate(rows):
        one.beside = [("bad" if number else "good", number)]
    connection.refuses.add("bad")
    connection.gate.clear()
    waiting = [asyncio.create_task(commits.commit(one)) for one in rows]
    await asyncio.sleep(0.01)
    connection.gate.set()
    await asyncio.gather(*waiting)
    assert {one.id for one in rows} <= {id for batch in connection.batches for id in batch}
    assert [one.beside for one in rows] == [(), [("bad", 1)]]
    await commits.close()


async def test_too_many_are_turned_away_and_after_the_end_everybody():
    pool = Pool()
    commits = GroupCommit(pool)
    connection = await started(commits, pool)
    connection.gate.clear()
    waiting = [asyncio.create_task(commits.commit(row())) for _ in range(CROWD + 1)]
    await asyncio.sleep(0.05)
    many = [asyncio.create_task(commits.commit(row())) for _ in range(CROWD)]
    refused = [one for one in await asyncio.wait_for(_done(many), 5) if isinstance(one, Overloaded)]
    assert refused
    connection.gate.set()
    await asyncio.gather(*waiting, *many, return_exceptions=True)
    await commits.close()
    with pytest.raises(Overloaded):
        await commits.commit(row())


async def _done(tasks: list["asyncio.Task[Any]"]) -> list[BaseException | None]:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return [task.exception() for task in done]
