"""The outside world: a process that writes down every call it gets. `idem` calls take effect once for each key.

One line of JSON in, one out: {"applied": whether it took effect, "times": how often this key has called}. The
question `asked` changes nothing and says in `times` how often the key was there. It is never killed: what is written
has happened.

    python -m tests.fault.effects PORT LOG
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

REPEATABLE = ("raw", "start", "end")


async def serve(port: int, log: Path) -> None:
    times: Counter[tuple[str, str]] = Counter()
    with log.open("a", buffering=1) as book:

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while line := await reader.readline():
                    call = json.loads(line)
                    if call["kind"] == "asked":
                        count = times[call["of"], call["key"]]
                        writer.write(json.dumps({"applied": False, "times": count}).encode() + b"\n")
                        continue
                    what = (call["kind"], call["key"])
                    times[what] += 1
                    call["at"] = time.time()
                    call["applied"] = call["kind"] in REPEATABLE or times[what] == 1
                    book.write(json.dumps(call) + "\n")
                    writer.write(json.dumps({"applied": call["applied"], "times": times[what]}).encode() + b"\n")
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
