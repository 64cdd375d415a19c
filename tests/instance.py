"""A whole Agentbase, started as people start it: `agentbase up` in a process of its own, on a folder of its own.

with Instance(tmp_path / "data") as it:
    it.get("/health/ready")
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

from app import config
from app.embedded.folder import free_port
from app.embedded.process import running, tied_to_parent

ROOT = Path(__file__).parents[1]
ADMIN = {
    "AGENTBASE_ADMIN_EMAIL": "ada@example.org",
    "AGENTBASE_ADMIN_PASSWORD": "correct-horse-battery-staple",
    "AGENTBASE_SITE_NAME": "Garden",
}


def descendants(pid: int) -> set[int]:
    """`pid` and everything it started that is still there, by /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        found.add(here := todo.pop())
        todo += children.get(here, [])
    return found


def gone(pids: set[int], within: float = 10.0) -> set[int]:
    """Wait until all of them ended; returns those that did not."""
    deadline = time.monotonic() + within
    while (left := {pid for pid in pids if running(pid)}) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def clean_environment(**settings: str) -> dict[str, str]:
    """Ours without any setting of Agentbase, and `settings` on top."""
    return {key: value for key, value in os.environ.items() if key not in config.names()} | settings


class Instance:
    """`ready_s`: seconds from the call to the printed address, Python's own start included."""

    def __init__(
        self, data: Path, *, port: int = 0, env: dict[str, str] | None = None, options: list[str] | None = None
    ):
        self.data, self.port = data, port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self.ready_s = 0.0
        self._options = options or []
        self._env = clean_environment(**{**ADMIN, **(env or {}), "AGENTBASE_DATA": str(data)})
        self._process: subprocess.Popen[str] | None = None
        self._reader: Thread | None = None

    def __enter__(self) -> "Instance":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> "Instance":
        """Start it and return at once."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--port", str(self.port), *self._options],
            cwd=ROOT,
            env=self._env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tied_to_parent(signal.SIGTERM),
        )
        self.lines = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def start(self, within: float = 90.0) -> "Instance":
        """Start it and wait for the address. Fails with everything it said."""
        began = time.monotonic()
        self.launch()
        while not (self.lines and re.fullmatch(rf"http://[\w.]+:{self.port}", self.lines[-1])):
            if self.exit_code() is not None or time.monotonic() - began > within:
                self.kill()
                raise AssertionError("agentbase up did not get ready:\n" + "\n".join(self.lines))
            time.sleep(0.005)
        self.ready_s = time.monotonic() - began
        return self

    def exit_code(self) -> int | None:
        assert self._process is not None
        return self._process.poll()

    def wait(self, within: float = 60.0) -> int:
        """Wait for its end; everything it said is then in `lines`."""
        assert self._process is not None and self._reader is not None
        code = self._process.wait(within)
        self._reader.join(5)
        return code

    def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """Ctrl-C; returns the seconds until it and all it started were gone."""
        family, began = descendants(self.pid), time.monotonic()
        os.kill(self.pid, number)
        self.wait()
        left = gone(family)
        assert not left, f"still running: {left}"
        return time.monotonic() - began

    def kill(self) -> None:
        """End it and all it started, whatever state it is in."""
        if self._process is None:
            return
        family = descendants(self.pid)
        if self.exit_code() is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.terminate()
                self._process.wait(8)
        for pid in gone(family, within=2):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def open(self, path: str, timeout: float = 10.0, **headers: str) -> HTTPResponse:
        """The answer to a GET, its body still unread: a stream stays open as long as the answer is kept."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        answer = self.open(path, **headers)
        return answer.status, answer.read().decode("utf-8", "replace")

    def sign_in(self) -> str:
        """Sign in as the owner, as a browser without scripts would; returns the Cookie header of the session."""
        fields: dict[str, str] = {}

        class Form(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                values = dict(attrs)
                if tag == "input" and values.get("type") == "hidden":
                    fields[str(values["name"])] = values.get("value") or ""

        page = self.open("/sign-in")
        cookies = [value.split(";")[0] for value in page.headers.get_all("set-cookie") or []]
        Form().feed(page.read().decode())
        fields |= {"email": ADMIN["AGENTBASE_ADMIN_EMAIL"], "password": ADMIN["AGENTBASE_ADMIN_PASSWORD"]}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(cookies),
            "Origin": self.url,
        }
        connection.request("POST", "/sign-in", urlencode(fields), headers)
        answer = connection.getresponse()
        assert answer.status in (302, 303), (answer.status, answer.read()[:500])
        return "; ".join(value.split(";")[0] for value in answer.headers.get_all("set-cookie") or [])

    def command(self, *arguments: str, within: float = 120.0) -> str:
        """What `agentbase …` prints, run as from a shell beside this instance. Fails when the command does."""
        program = Path(sys.executable).parent / "agentbase"
        environment = clean_environment(AGENTBASE_DATA=str(self.data))
        done = subprocess.run(
            [program, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def process_of(self, name: str) -> int:
        """The number of the child whose command line holds `name` ("app.cli web", "postgres -D" …)."""
        for pid in sorted(descendants(self.pid)):
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if pid != self.pid and re.search(name, command):
                    return pid
        raise AssertionError(f"no process {name!r} among the children")

    def cpu_s(self) -> float:
        """Processor seconds that it, all its processes and those that have ended have used: waiting counts nothing."""
        ticks = 0
        for pid in descendants(self.pid):
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Proportional set size of all its processes together, in MB (1,000,000 bytes)."""
        total = 0
        for pid in descendants(self.pid):
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total / 1_000_000

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))


def said(lines: list[str]) -> Iterator[str]:
    """The sentences of the progress lines, without their times."""
    for line in lines:
        if match := re.match(r" *\d+\.\d\d s  (.*)", line):
            yield match[1]
