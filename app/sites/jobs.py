"""What runs by itself in the background of this domain."""

from app.background import Job
from app.db import system_tx
from app.runs import service as runs


async def forget_visitors() -> int:
    """Delete what visitors said and sent, once it is older than their site keeps it (`keep_days`). Every hour.

    A conversation counts from its last turn and goes whole; so do the runs that answered.
    Returns how many conversations, submissions and runs went.
    """
    async with system_tx("forget visitors") as tx:
        gone = [
            await tx.execute(
                f"""delete from {table} t using site s
                    where s.id = t.site_id and t.{moment} < now() - make_interval(days => s.keep_days)"""  # noqa: S608
            )
            for table, moment in (("conversation", "last_at"), ("submission", "created_at"))
        ]
        sites = await tx.fetch("select workspace_id, max(keep_days) as days from site group by workspace_id")
        answered = [await runs.forget_visits(tx, site["workspace_id"], site["days"]) for site in sites]
    return sum(int(done.rpartition(" ")[2]) for done in gone) + sum(answered)


JOBS: tuple[Job, ...] = ((forget_visitors, 3600),)
