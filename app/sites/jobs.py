"""What runs by itself in the background of this domain."""

from app.background import Job
from app.db import system_tx


async def forget_visitors() -> int:
    """Delete what visitors said and sent, once it is older than their site keeps it (`keep_days`). Every hour.

    A conversation counts from its last turn and goes whole. Returns how many conversations and submissions went.
    """
    async with system_tx("forget visitors") as tx:
        gone = [
            await tx.execute(
                f"""delete from {table} t using site s
                    where s.id = t.site_id and t.{moment} < now() - make_interval(days => s.keep_days)"""  # noqa: S608
            )
            for table, moment in (("conversation", "last_at"), ("submission", "created_at"))
        ]
    return sum(int(done.rpartition(" ")[2]) for done in gone)


JOBS: tuple[Job, ...] = ((forget_visitors, 3600),)
