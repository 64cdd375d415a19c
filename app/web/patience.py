"""A streamed answer that is not read any more is ended: its reader is gone, or holds our memory on purpose."""

import asyncio
from typing import Any, cast

from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Message, Receive, Scope, Send

from app.logs import logger

log = logger(__name__)

PATIENCE = 30.0
"""Seconds for which one piece may wait until the other side takes it. A reader who is only slow takes some of it."""


class LiveStream(Stream):
    """As litestar's, for streams that stay open."""

    def to_asgi_response(self, *arguments: Any, **more: Any) -> ASGIResponse:
        return cast(ASGIResponse, _Patient(super().to_asgi_response(*arguments, **more)))


class _Patient:
    def __init__(self, answer: ASGIResponse) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given_up = False

        async def send_soon(message: Message) -> None:
            nonlocal given_up
            try:
                async with asyncio.timeout(PATIENCE):
                    await send(message)
            except TimeoutError:
                given_up = True
                raise

        try:
            await self._answer(scope, receive, send_soon)
        except Exception:
            if not given_up:
                raise
            log.info("a stream that nobody reads was ended", path=scope["path"])
