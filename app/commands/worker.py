"""`agentbase worker`: durable runs and background jobs."""

import click

from app import config, logs


@click.command("worker")
def command() -> None:
    """Claim runs and carry out their steps until SIGTERM or Ctrl-C; start as many of these as there is work for."""
    logs.setup(config.settings().log_format)
    from threading import Timer

    from app.worker import main
    from flows.compile import warm

    warming = Timer(1, warm)  # the first flow needs it; the start does not
    warming.daemon = True
    warming.start()
    main()
