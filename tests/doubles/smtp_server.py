"""A mail server on loopback."""

import asyncio
from contextlib import asynccontextmanager

from app import config


@asynccontextmanager
async def mail_server(refuse: str = ""):
    """A tiny SMTP server without TLS; what it was sent is in `.letters`."""
    letters: list[str] = []

    async def handle(reader, writer):
        def say(line):
            writer.write(line.encode() + b"\r\n")

        say("220 test")
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            if word == "EHLO":
                say("250-test")
                say("250 AUTH PLAIN")
            elif word == "RCPT" and refuse:
                say(refuse)
            elif word == "DATA":
                say("354 go on")
                lines = []
                while (text := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    lines.append(text)
                letters.append("\n".join(lines))
                say("250 kept")
            elif word == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with config.using(smtp_url=config.Secret(f"smtp://127.0.0.1:{port}?from=hello%40example.org")):
        yield letters
    server.close()
