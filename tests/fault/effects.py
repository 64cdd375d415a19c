"""The outside world: a process that writes down every call it gets. `idem` calls take effect once for each key.

One line of JSON in, one line "ok" out. It is never killed: what it has written down has happened.

    python -m tests.fault.effects PORT LOG
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any


async def serve(port: int, log: Path) -> None:
    applied: set[str] = set()
    with log.open("a", buffering=1) as book:

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while line := await reader.readline():
                    call = json.loads(line)
                    call["at"] = time.time()
                    call["applied"] = call["kind"] == "raw" or call["key"] not in applied
                    applied.add(call["key"])
                    book.write(json.dumps(call) + "\n")
                    writer.write(b"ok\n")
                    await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", port)
        async with server:
            await server.serve_forever()


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
