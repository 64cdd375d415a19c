"""Files laid into a folder of this server: <data>/drop/<token>/. Looked at every two seconds by the worker.

A file counts when nobody has written to it for two seconds; names that begin with a dot, and .part and .tmp, are left
alone: write under such a name and rename. A file is first moved aside under a name of its own, which is the firing's
key: a worker killed at any point neither loses it nor takes it twice.
"""

import asyncio
import os
import stat
import time
from pathlib import Path
from uuid import uuid4

from app import config
from app.db import system_tx
from app.errors import NotFound, Refused
from app.logs import logger
from app.runs import service as runs
from app.triggers import arrivals

log = logger(__name__)

SETTLED = 2.0
"""Seconds without a write."""
TAKEN, REFUSED = ".taken", ".refused"
FORSAKEN = 60.0
"""Seconds after which a file that somebody moved aside is taken by somebody else."""
MOST_AT_ONCE = 50


async def take_files() -> int:
    """Every two seconds. Returns how many files started something."""
    async with system_tx("drop folders") as tx:
        rows = await tx.fetch(
            "select id, token_round from trigger where kind = 'drop' and enabled and not paused limit 500"
        )
    tokens = [runs.address_token(row["id"], row["token_round"], "drop") for row in rows]
    root = config.settings().data.absolute() / "drop"
    taken = 0
    for token in tokens:
        for aside, name in await asyncio.to_thread(_aside, root / token):
            taken += await _take(token, aside, name)
    return taken


def _aside(folder: Path) -> list[tuple[Path, str]]:
    """Move what is complete to a place of its own; those moved long ago by somebody who did not finish count, too."""
    (folder / TAKEN).mkdir(mode=0o700, parents=True, exist_ok=True)
    found = []
    now = time.time()
    for entry in sorted(os.scandir(folder / TAKEN), key=lambda entry: entry.name):
        if now - entry.stat(follow_symlinks=False).st_ctime > FORSAKEN:
            found.append((Path(entry.path), entry.name.partition(" ")[2]))
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if len(found) >= MOST_AT_ONCE:
            break
        facts = entry.stat(follow_symlinks=False)  # a link could lead anywhere on this machine
        waits = entry.name.startswith(".") or entry.name.endswith((".part", ".tmp")) or now - facts.st_mtime < SETTLED
        if waits or not stat.S_ISREG(facts.st_mode):
            continue
        aside = folder / TAKEN / f"{uuid4()} {entry.name}"
        try:
            Path(entry.path).rename(aside)
        except FileNotFoundError:
            continue  # another worker was faster
        found.append((aside, entry.name))
    return found


async def _take(token: str, aside: Path, name: str) -> int:
    key = aside.name.partition(" ")[0]
    try:
        content = await asyncio.to_thread(_content, aside)
        done = await arrivals.take_file(token, name, content, key=key)
    except (Refused, NotFound) as problem:
        log.warning("a dropped file was refused", name=name, why=str(problem))
        await asyncio.to_thread(_put_away, aside)
        return 0
    except OSError as problem:
        log.warning("a dropped file can't be read; tried again", name=name, problem=repr(problem))
        return 0
    await asyncio.to_thread(aside.unlink, True)
    return int(done is not None)


def _content(path: Path) -> bytes:
    """One byte more than is allowed at most, so that the size itself is refused and not the memory filled."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, "rb") as file:
        return file.read(arrivals.MOST_FILE + 1)


def _put_away(aside: Path) -> None:
    refused = aside.parent.parent / REFUSED
    refused.mkdir(mode=0o700, exist_ok=True)
    aside.rename(refused / aside.name)
