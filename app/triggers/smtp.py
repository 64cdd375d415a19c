"""A small mail server of our own, for machines without one: on when AGENTBASE_MAIL_IN names where it listens.

It takes mail for addresses of triggers and for nothing else; it sends nothing on. "250" is said after the commit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.smtp import SMTP

from app import config
from app.errors import DomainError, NotFound
from app.logs import logger
from app.triggers import arrivals

log = logger(__name__)

MOST_RECIPIENTS = 10


class Handler:
    """aiosmtpd calls these by their names."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 Too many recipients"
        try:
            await arrivals.at(address.partition("@")[0].lower(), "email")
        except NotFound:
            return "550 No such address here"
        except Exception:  # the database is away: the sender keeps the mail and comes again
            log.warning("an address of a mail could not be looked up", exc_info=True)
            return "451 Not at the moment"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        try:
            await arrivals.take_mails([address.partition("@")[0] for address in envelope.rcpt_tos], envelope.content)
        except DomainError as problem:
            return "451 Not at the moment" if problem.status >= 500 else f"554 {problem.message[:200]}"
        except Exception:  # 451 leaves the mail with its sender, who comes again
            log.exception("a mail could not be taken")
            return "451 Not at the moment"
        return "250 Taken"


@asynccontextmanager
async def serving() -> AsyncIterator[None]:
    """Listen beside what the block does. Where another worker of this machine listens already, do nothing."""
    place = config.settings().mail_in
    if not place:
        yield
        return
    host, _, port = place.rpartition(":")
    handler = Handler()
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(handler, data_size_limit=arrivals.MOST_MAIL, ident="Agentbase", timeout=60, loop=loop)

    try:
        server = await loop.create_server(connection, host.strip("[]") or "127.0.0.1", int(port))
    except OSError as problem:
        log.warning("mail is not taken by this worker", place=place, why=str(problem))
        yield
        return
    log.info("mail is taken", place=place)
    try:
        yield
    finally:
        server.close()
