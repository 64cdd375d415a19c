"""`agentbase web`: the dashboard, the API and the published sites, on granian."""

import asyncio
import gc
import signal
import sys
from types import FrameType

import click

from app import config, logs
from app.embedded.folder import may_listen


@click.command("web")
@click.option("--host", default=None, help="Address to listen on (AGENTBASE_HOST, 127.0.0.1).")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port (AGENTBASE_PORT, 8000).")
@click.option("--processes", default=1, type=click.IntRange(1, 64), help="How many web processes; one fills one core.")
def command(host: str | None, port: int | None, processes: int) -> None:
    """Serve the web until SIGTERM or Ctrl-C: open streams are told good-bye, requests in progress are finished."""
    settings = config.settings()
    logs.setup(settings.log_format)
    address, number = host or settings.host, port or settings.port
    may_listen(address, number)
    if processes > 1:
        _serve_many(address, number, processes)
    elif sys.platform == "win32":
        asyncio.run(_serve(address, number))
    else:
        import uvloop

        uvloop.run(_serve(address, number))


async def _serve(host: str, port: int) -> None:
    """One server in this very process: half the memory of a parent with one child, the same speed (measured)."""
    from granian.constants import Interfaces
    from granian.errors import FatalError
    from granian.server.embed import Server

    from app.main import application

    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(server.stop)

    # Before the app's start-up: its own hook (app/web/closing.py) comes first and then calls ours.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    warming = loop.create_task(_warm(host))
    try:
        await server.serve()
    except FatalError:
        sys.exit(1)  # why it could not start stands in the log already: the last words are that, and not granian's
    finally:
        warming.cancel()


async def _warm(host: str) -> None:
    """What the first flow needs and the start does not: read once nobody waits for the start any more.

    What is there by then stays for good: the collector need not look at it again, nor after every 700 new objects, of
    which a run of 50 steps makes more. (Measured: 184 → 160 us for such a run.)
    """
    from app.accounts import service as accounts
    from flows.compile import warm

    await asyncio.sleep(1)
    await asyncio.to_thread(warm)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    if host not in ("127.0.0.1", "::1", "localhost") and not await accounts.is_set_up():
        click.echo(f"set-up code, asked for when you do the set-up from another machine: {accounts.setup_code()}")


def _serve_many(host: str, port: int, processes: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces, Loops

    Granian(
        "app.main:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=processes,
        loop=Loops.auto if sys.platform == "win32" else Loops.uvloop,
        websockets=False,
        backlog=1024,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()
