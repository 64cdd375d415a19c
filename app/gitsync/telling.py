"""What a sync says: in the commit, in the log of syncs, to open pages."""

from collections.abc import Mapping

import msgspec

from app import events
from app.db import tenant_tx
from app.errors import DomainError
from app.gitsync import companions
from app.gitsync.shapes import Done
from app.web import Actor


def message(names: Mapping[str, str], changes: Mapping[str, str | None]) -> str:
    """The commit's text: one line, and a list when it is about several files. `names`: by path."""
    said = [f"{'Remove ' if text is None else ''}{names.get(path, path)}" for path, text in changes.items()]
    plain = [" ".join(name.split())[:80] for name in said]
    if len(plain) == 1:
        return f"{plain[0]}\n"
    what = "files" if any(companions.of(path) for path in changes) else "flows"
    return "\n".join([f"{len(plain)} {what}", "", *(f"- {name}" for name in plain)]) + "\n"


async def told(actor: Actor, done: Done | None, problem: DomainError | None, why: str) -> None:
    """Into the log of syncs; open pages look again."""
    lines: list[tuple[str, str]] = []
    if done is not None:
        for kind, paths in (
            ("pulled", done.pulled),
            ("pushed", done.pushed),
            ("conflict", done.conflicts),
            ("left", done.left),
        ):
            lines += [(kind, path) for path in paths[:100]]
    async with tenant_tx(actor.workspace_id) as tx:
        if done is None or lines:
            await tx.execute(
                "insert into git_event (workspace_id, why, by, commit_id, ok, said, lines)"
                " select $1, $2, $3, $4, $5, $6, $7 where exists (select from git_link)",
                actor.workspace_id,
                why,
                actor.name or actor.email,
                done.commit if done is not None else "",
                problem is None,
                str(problem) if problem is not None else done.said if done is not None else "",
                msgspec.json.encode(lines).decode(),
            )
            await tx.execute(
                "delete from git_event where id not in (select id from git_event order by at desc limit 300)"
            )
        await events.publish(tx, actor.workspace_id, "workspace", "git.synced", {"ok": problem is None})
