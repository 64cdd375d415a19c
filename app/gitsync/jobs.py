"""What runs by itself: syncs that are due, because of the clock, a publication, or a call from outside."""

from app.accounts.service.acting import acting_for
from app.background import Job
from app.db import system_tx
from app.errors import DomainError
from app.gitsync import service
from app.logs import logger

log = logger(__name__)
_DUE = """
with link as (
    select *, push_on_publish and exists (
               select from event e
                where e.workspace_id = git_link.workspace_id and e.type = 'flow.published' and e.at > looked_at
           ) as published
      from git_link where busy_at is null or busy_at < now() - interval '10 minutes'
)
select workspace_id, created_by, wanted_at is not null as wanted, published from link
 where published or wanted_at is not null
    or (pull_minutes > 0 and looked_at < now() - make_interval(mins => pull_minutes))
 order by looked_at limit 5
"""


async def sync_due() -> int:
    """A few of them, one after the other. A second worker that finds the same ones is told that they are under way."""
    async with system_tx("due git syncs") as tx:
        rows = await tx.fetch(_DUE)
    done = 0
    for row in rows:
        why = "called" if row["wanted"] else "published" if row["published"] else "schedule"
        try:
            actor = await acting_for(row["workspace_id"], row["created_by"])
            await service.sync(actor, push=row["published"], why=why)
            done += 1
        except DomainError as problem:  # it is in the log of the link, for people
            log.info("a git sync failed", workspace=str(row["workspace_id"]), reason=str(problem))
            await _not_at_once(row["workspace_id"])
    return done


async def _not_at_once(workspace_id: object) -> None:
    """What fails is tried again when it is due again, not in the next second."""
    async with system_tx("git sync failed") as tx:
        await tx.execute(
            "update git_link set looked_at = now(), wanted_at = null where workspace_id = $1", workspace_id
        )


LOOKS: tuple[Job, ...] = ((sync_due, 5.0),)
