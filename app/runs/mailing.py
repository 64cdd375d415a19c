# ruff: noqa: E501 -- SQL keeps its own shape
"""Questions that go out by e-mail: the first letter, reminders, and those who are asked later because nobody answered.

Every worker looks; a row is locked while its letter is written into the outbox, in one transaction with the row's next
time. So each letter exists once, whatever crashes; without a mail server none is written, and the links are there to copy.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from markupsafe import escape

from app import config, mail
from app.db import Tx, system_tx, tenant_tx
from app.logs import logger
from app.runs import asking
from flows.sdk.context import Wait

log = logger(__name__)

BATCH = 100
MOST_AN_HOUR = 500
"""Letters of this kind that a workspace sends in an hour; what comes on top waits its turn."""
LATER = timedelta(minutes=10)

UNTOLD = """
select run_id, workspace_id, node_id, iter_path from node_exec
 where status = 'waiting' and not told and (wait->'people') is not null limit $1
"""
DUE = "select id, workspace_id from run_ask where next_at <= clock_timestamp() order by next_at limit $1"
LOCKED = "select * from run_ask where id = $1 and next_at <= clock_timestamp() for update skip locked"
LATELY = "select coalesce(sum(1), 0) from run_ask where workspace_id = $1 and sent_at > clock_timestamp() - interval '1 hour'"
SENT = "update run_ask set sent = sent + 1, sent_at = clock_timestamp(), next_at = $2, expires_at = $3 where id = $1"


async def ask_people() -> int:
    """Make the links of steps that began to wait, and write the letters that are due. Every 2 seconds."""
    return await _make_links() + await _write_letters()


async def _make_links() -> int:
    async with system_tx("questions by e-mail") as tx:
        rows = await tx.fetch(UNTOLD, BATCH)
    for row in rows:  # one transaction each: run, then step, in the order of the ledger's own writes
        place = (row["run_id"], row["node_id"], row["iter_path"])
        async with tenant_tx(row["workspace_id"]) as tx:
            asked = await tx.fetchrow(asking.QUESTION, *place)
            wait = msgspec.json.decode(asked["wait"], type=Wait) if asked and asked["wait"] else Wait()
            if (people := wait.people) is not None:
                for email in people.to:
                    await asking.put(
                        tx, row["workspace_id"], place, email, due=asked["now"], every=people.every, most=people.most
                    )
                later = asked["now"] + timedelta(seconds=people.after)
                for email in people.then:
                    await asking.put(
                        tx, row["workspace_id"], place, email, due=later, every=people.every, most=people.most
                    )
            await tx.execute(
                "update node_exec set told = true where run_id = $1 and node_id = $2 and iter_path = $3", *place
            )
    return len(rows)


async def _write_letters() -> int:
    if not mail.available():
        return 0
    async with system_tx("letters that ask") as tx:
        rows = await tx.fetch(DUE, BATCH)
    done = 0
    for row in rows:
        try:
            async with tenant_tx(row["workspace_id"]) as tx:
                due = await tx.fetchrow(LOCKED, row["id"])
                done += await _write(tx, due) if due is not None else 0
        except Exception:  # one letter that can't be written must not hold up the others
            log.exception("a question could not be mailed; it is tried again", ask=str(row["id"]))
    return done


async def _write(tx: Tx, row: Any) -> int:
    asked = await tx.fetchrow(asking.QUESTION, row["run_id"], row["node_id"], row["iter_path"])
    if asked is None or asking.standing(asked) != "open":
        await tx.execute("update run_ask set next_at = null where id = $1", row["id"])
        return 0
    if await tx.fetchval(LATELY, row["workspace_id"]) >= MOST_AN_HOUR:
        await tx.execute("update run_ask set next_at = $2 where id = $1", row["id"], asked["now"] + LATER)
        return 0
    wait = msgspec.json.decode(asked["wait"], type=Wait)
    expires = asked["now"] + timedelta(days=asking.DAYS)
    until = min(expires, asked["next_at"]) if asked["next_at"] is not None else expires
    subject, text, html = letter(row, asked, wait, until)
    key = f"ask:{row['id']}:{row['sent']}"
    await mail.post(tx, row["workspace_id"], row["email"], subject, text, html=html, dedupe_key=key)
    again = row["sent"] < row["most"] and row["every"] > 0
    next_at = asked["now"] + timedelta(seconds=row["every"]) if again else None
    await tx.execute(SENT, row["id"], next_at, expires)
    return 1


def letter(row: Any, asked: Any, wait: Wait, until: datetime) -> tuple[str, str, str]:
    """(subject, plain text, the same as HTML). What is decided about stays behind the link: mail is read by many."""
    flow = " ".join((asked["flow"] or "A flow").split())[:80]
    title = " ".join((wait.title or "Please answer").split())[:150]
    subject = f"Reminder: {title}" if row["sent"] else title
    place = config.settings().base_url + asking.path_of(asking.token_of(row["id"]))
    more = wait.description.strip()[:2000]
    ends = f"{until.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
    why = f"“{flow}” of {' '.join(asked['workspace'].split())[:80]} asks you."
    small = f"Opening the page decides nothing. The link is yours alone; it works until {ends}, or until somebody has answered."
    text = "\n\n".join(part for part in (title, more, why, f"Answer: {place}", small) if part) + "\n"
    html = (
        f"<p><strong>{escape(title)}</strong></p>"
        + "".join(f"<p>{escape(part)}</p>" for part in more.split("\n") if part.strip())
        + f'<p>{escape(why)}</p><p><a href="{escape(place)}">Look at it and answer</a></p><p><small>{escape(small)}</small></p>'
    )
    return subject, text, html
