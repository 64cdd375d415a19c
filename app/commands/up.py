"""`agentbase up`: everything on one machine, from an empty folder to a page in the browser; one Ctrl-C stops it."""

import hashlib
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path
from threading import Event
from time import monotonic
from types import FrameType
from urllib.parse import urlsplit

import click
import msgspec

from app import config
from app.commands.supervise import Ours, Supervisor, keeping_bytecode
from app.commands.watch import Watch, bundle, is_source_of_assets
from app.embedded.errors import StartProblem
from app.embedded.folder import FolderLock, enough_space, kept_port, may_listen, private_folder, tail, write_private
from app.embedded.local_model import LocalModel, missing
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.valkey import EmbeddedValkey

PATIENCE, REMINDER = 180.0, 15.0
"""Seconds the web process has to become ready, and after which it is said that it takes longer. Alone it takes two; at
the first start of a small machine that has ten other things to do, it took forty.
"""


@click.command("up")
@click.option("--host", default=None, help="Address to listen on (AGENTBASE_HOST, 127.0.0.1).")
@click.option(
    "--port", default=None, type=click.IntRange(1, 65535), help="Port of the web page (AGENTBASE_PORT, 8000)."
)
@click.option("--reload", is_flag=True, help="Restart web and worker when Python, templates or static files change.")
def command(host: str | None, port: int | None, reload: bool) -> None:
    """Start everything on this machine, watch over it, and stop it at Ctrl-C.

    The data live in AGENTBASE_DATA (./.agentbase). DATABASE_URL, REDIS_URL and AGENTBASE_LOCAL_MODEL_URL replace what
    would be started here.
    """
    wanted = config.settings()
    config.use(
        msgspec.structs.replace(
            wanted, host=host or wanted.host, port=port or wanted.port, data=wanted.data.expanduser().absolute()
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if sys.platform != "win32" else ())):
        signal.signal(number, _interrupt)
    up = Up(reload=reload)
    try:
        up.start()
        up.watch()
    except KeyboardInterrupt:
        up.say("stopping …")
    finally:
        up.stop()


class Up:
    """One run of `agentbase up`."""

    def __init__(self, *, reload: bool = False) -> None:
        self.began = monotonic()
        self.settings = config.settings()
        self.data = self.settings.data
        self.supervisor = Supervisor(self.say)
        self._lock = FolderLock(self.data / "up.lock", "Agentbase")
        self._reload = reload
        self._own: list[Ours] = []
        self._model: LocalModel | None = None

    def say(self, sentence: str) -> None:
        click.echo(f"{monotonic() - self.began:7.2f} s  {sentence}")
        sys.stdout.flush()

    def start(self) -> None:
        """From nothing to a web page that answers. Raises StartProblem with the reason and the way out."""
        click.echo(f"Agentbase {version('agentbase')}, data in {self.data}")
        private_folder(self.data)
        self._lock.take()
        enough_space(self.data)
        may_listen(self.settings.host, self.settings.port)
        self._start_database()
        self._start_valkey()
        self._choose_model()
        self._start_own()
        self._wait_until_ready()
        self._start_model()
        self._say_setup_code()
        self.say(f"ready; Ctrl-C stops everything (logs: {self.data / 'logs'})")
        click.echo(self.settings.base_url)
        sys.stdout.flush()

    def watch(self) -> None:
        """Keep all alive until a signal comes."""
        watch = Watch() if self._reload else None

        def every() -> None:
            if watch is not None and (changed := watch.changed()):
                more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
                self.say(f"{changed[0]}{more} changed, restarting web and worker")
                if any(map(is_source_of_assets, changed)):
                    self.say(bundle())
                    watch.settled()
                if any(name.startswith("migrations/") for name in changed):
                    self._migrate()
                for process in self._own:
                    process.ask_to_stop()
                for process in self._own:
                    process.stop()
                    process.start()

        self.supervisor.run(every)

    def stop(self) -> None:
        """Stop what was started, in the other order. A second Ctrl-C no longer interrupts it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self.supervisor.stop()
        self._lock.release()

    # ------------------------------------------------------------------------------------------------------------ parts

    def _change(self, **changes: object) -> None:
        self.settings = msgspec.structs.replace(self.settings, **changes)
        config.use(self.settings)

    def _start_database(self) -> None:
        if self.settings.database_url:
            self.say("PostgreSQL: the one of DATABASE_URL")
            self._migrate()
            return
        server = EmbeddedPostgres(self.data / "postgres")
        self.supervisor.keep(server)
        dsns = server.start()
        # A restart must bring it back at the same address: web and worker hold it.
        server.keep_port()
        self._change(database_url=config.Secret(dsns.login), database_owner_url=config.Secret(dsns.owner))
        self.say(f"PostgreSQL {server.programs.major()} on 127.0.0.1:{server.port}")
        done = self.data / "postgres" / "migrated"
        fingerprint = _migrations()
        if not done.exists() or done.read_text(encoding="ascii") != fingerprint:
            self._migrate()
            write_private(done, fingerprint)

    def _migrate(self) -> None:
        """In a process of its own: this one stays small, and the superuser's address goes to that child only."""
        process = Ours("Migration", ["migrate"], self.data / "logs" / "migrate.log", self._environment(self.settings))
        process.start()
        if process.process is not None and process.process.wait() != 0:
            raise StartProblem(
                f"The database could not be brought to this version:\n{tail(process.log)}\n",
                f"The whole log: {process.log}. Nothing was changed that the next start would not repeat.",
            )
        self.say("migrations: " + (tail(process.log, 1) or "up to date"))

    def _start_valkey(self) -> None:
        if self.settings.redis_url:
            silent = (
                "" if _answers(self.settings.redis_url) else "; it does not answer, until it does all goes on, slower"
            )
            self.say(f"Valkey: the one of REDIS_URL{silent}")
            return
        if sys.platform == "win32":
            self.say("Valkey: none on this system; wake-ups go through PostgreSQL (slower)")
            return
        server = EmbeddedValkey(self.data / "valkey")
        self.supervisor.keep(server)
        self._change(redis_url=config.Secret(server.start()))
        server.keep_port()
        self.say(f"Valkey on 127.0.0.1:{server.port}")

    def _choose_model(self) -> None:
        """Settle the model's address before the web starts. The model itself starts after it: loading takes a core."""
        if self.settings.local_model_url:
            self.say(f"local model: the one of AGENTBASE_LOCAL_MODEL_URL ({self.settings.local_model_url})")
        elif not self.settings.local_model:
            self.say("local model: off (AGENTBASE_LOCAL_MODEL)")
        elif reason := missing():
            self.say(f"local model: none, {reason}; connect a model under Connections")
        else:
            folder = private_folder(self.data / "model")
            self._model = LocalModel(folder, port=kept_port(folder / "port"))
            self._change(local_model_url=self._model.url())

    def _environment(self, settings: config.Settings) -> dict[str, str]:
        return keeping_bytecode(config.environment(settings), self.data / "bytecode")

    def _start_own(self) -> None:
        if not self.settings.metrics_port:
            self._change(metrics_port=kept_port(self.data / "metrics.port"))
        # Web and worker may take three roles and no more: the owner's address stays here.
        environment = self._environment(msgspec.structs.replace(self.settings, database_owner_url=config.Secret("")))
        logs = self.data / "logs"
        self._own.append(Ours("Web", ["web"], logs / "web.log", environment))
        for number in range(1, self.settings.workers + 1):
            name = "worker" if self.settings.workers == 1 else f"worker-{number}"
            self._own.append(Ours(name.capitalize(), ["worker"], logs / f"{name}.log", environment))
        for process in self._own:
            process.start()
            self.supervisor.keep(process)

    def _wait_until_ready(self) -> None:
        """Until /health/ready says yes: the database answers and a worker can claim."""
        began, said, web = monotonic(), 1, self._own[0]
        while (answer := self._ask("/health/ready"))[0] != 200:
            if not web.alive():
                raise StartProblem(f"Web ended at once. Its last words ({web.log}):\n{tail(web.log)}\n")
            self.supervisor.look()
            waited = monotonic() - began
            if waited > REMINDER * said:
                said += 1
                self.say(f"waiting for web and worker (logs: {web.log.parent})")
            if waited > PATIENCE:
                raise StartProblem(
                    f"Web is not ready after {PATIENCE:.0f} s. It says: {answer[1] or 'nothing'}",
                    f"The logs are in {web.log.parent}; `agentbase doctor` looks at everything.",
                )
            Event().wait(0.02)
        workers = len(self._own) - 1
        self.say(f"web and {workers} worker{'s' if workers != 1 else ''} ready")

    def _start_model(self) -> None:
        if self._model is None:
            return
        self.supervisor.keep(self._model, vital=False)
        try:
            self._model.start()
            self.say(f"local model on 127.0.0.1:{self._model.port} (small demo model, loading)")
        except StartProblem as problem:
            self.say(str(problem))

    def _say_setup_code(self) -> None:
        """While nobody has an account and other machines can reach us: the word that makes the set-up theirs to do."""
        if self.settings.host in ("127.0.0.1", "::1", "localhost") or self._ask("/setup")[0] != 200:
            return
        code = subprocess.run(
            [sys.executable, "-P", "-c", "from app.accounts import service; print(service.setup_code())"],
            check=False,
            capture_output=True,
            text=True,
            env=self._environment(self.settings),
        ).stdout.strip()
        self.say(f"set-up code, asked for when you do the set-up from another machine: {code}")

    def _ask(self, path: str) -> tuple[int, str]:
        """Status (0 = no answer) and body of a GET."""
        connection = HTTPConnection(self.settings.own_host, self.settings.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read(2000).decode("utf-8", "replace")
            return answer.status, body
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()


def _answers(url: str) -> bool:
    """Whether somebody listens at a redis:// address. A socket file is not looked at."""
    place = urlsplit(url)
    if not place.hostname:
        return True
    try:
        with socket.create_connection((place.hostname, place.port or 6379), timeout=2):
            return True
    except OSError:
        return False


def _migrations() -> str:
    """A fingerprint of all migration files: as long as it is the one of the last run, there is nothing to run."""
    import migrations

    digest = hashlib.sha256()
    for file in sorted(Path(migrations.__path__[0]).rglob("*.py")):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
