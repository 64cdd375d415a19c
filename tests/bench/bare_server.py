"""The same HTTP server with an application that reads the body and answers: what no flow can be faster than.

python -m tests.bench.bare_server PORT
"""

import sys
from typing import Any

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

ANSWER = b'{"text":"","data":{"order":204117}}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def application(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def serve(port: int) -> None:
    await Server(
        application, address="127.0.0.1", port=port, interface=Interfaces.ASGI, websockets=False, log_enabled=False
    ).serve()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
