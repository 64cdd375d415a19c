"""Folders that hold data and secrets: private to us, one user at a time, ports and passwords remembered."""

import errno
import os
import secrets
import shutil
import socket
import sys
from pathlib import Path
from typing import IO

from app.embedded.errors import BAD_FOLDER, IN_USE, NOT_ON_THIS_MACHINE, PORT_TAKEN, DiskFull, StartProblem


def private_folder(path: Path) -> Path:
    """Make `path` (and its parents) and take it from everybody else: mode 0700. Raises StartProblem with the reason."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if sys.platform != "win32":
            path.chmod(0o700)
        probe = path / f".writable-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise cannot_use(path, error) from error
    return path


def cannot_use(path: Path, error: OSError) -> StartProblem:
    """The sentence for a data folder that the system does not let us use."""
    if error.errno == errno.ENOSPC:
        return DiskFull(path)
    if error.errno == errno.EROFS:
        return StartProblem(
            f"{path} is on a read-only file system.",
            "Set AGENTBASE_DATA to a folder you may write to.",
            code=BAD_FOLDER,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StartProblem(
            f"You may not write to {path}.",
            "Start Agentbase as the user who owns this folder, or set AGENTBASE_DATA to another one.",
            code=BAD_FOLDER,
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StartProblem(f"{path} is not a folder.", "Set AGENTBASE_DATA to a folder.", code=BAD_FOLDER)
    return StartProblem(
        f"{path} cannot be used: {error.strerror or error}.", "Set AGENTBASE_DATA to another folder.", code=BAD_FOLDER
    )


def enough_space(path: Path, least_mb: int = 100) -> None:
    """Raises StartProblem when the disk of `path` has less than `least_mb` free: better now than in mid-write."""
    free = shutil.disk_usage(path).free
    if free < least_mb * 1024 * 1024:
        raise StartProblem(
            f"Only {free // (1024 * 1024)} MB are free on the disk of {path}.",
            "Free some space (200 MB are enough to start), or set AGENTBASE_DATA to a folder on another disk.",
            code=BAD_FOLDER,
        )


class FolderLock:
    """One process at a time works in a folder. The kernel lets go when the process ends, however it ends."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises StartProblem(code=IN_USE), with the number of the process, when somebody else has it."""
        file = self._path.open("a+", encoding="ascii")
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise StartProblem(
                f"{self._what} in {self._path.parent} is already running"
                + (f" (process {holder})." if holder else "."),
                "Use that one, stop it first, or set AGENTBASE_DATA to another folder.",
                code=IN_USE,
            ) from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def running_here(data: Path) -> int:
    """The number of the `agentbase up` that works on this data folder; 0 when none does."""
    try:
        with (data / "up.lock").open("r+", encoding="ascii") as file:
            try:
                _lock(file)
            except OSError:
                return int(file.read().strip() or 0)
    except (OSError, ValueError):
        pass
    return 0


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def kept_secret(path: Path) -> str:
    """The secret in `path` (mode 0600); made at the first call, 192 bits of chance, safe in a URL."""
    if path.exists():
        known = path.read_text(encoding="utf-8").strip()
        if known:
            return known
    fresh = secrets.token_urlsafe(24)
    write_private(path, fresh)
    return fresh


def port_is_free(host: str, port: int) -> bool:
    """Whether we could listen there now. Raises OSError when `host` is no address of this machine."""
    refused = _refusal(host, port)
    if refused is not None and refused.errno not in (errno.EADDRINUSE, errno.EACCES):
        raise refused
    return refused is None


def may_listen(host: str, port: int) -> None:
    """Raises StartProblem when nobody can listen there: taken, not allowed, or no address of this machine."""
    refused = _refusal(host, port)
    if refused is None:
        return
    if refused.errno == errno.EADDRINUSE:
        near = range(port + 1, min(port + 50, 65536))
        other = next((number for number in near if port_is_free(host, number)), 0) or free_port(host)
        raise StartProblem(
            f"Port {port} of {host} is taken by another program.",
            f"Choose another one: --port {other} (or set AGENTBASE_PORT).",
            code=PORT_TAKEN,
        )
    if refused.errno == errno.EACCES:
        raise StartProblem(
            f"You may not listen on port {port}: the low ports belong to the administrator of this machine.",
            "Choose another one, such as --port 8000, and put a proxy in front of it.",
            code=PORT_TAKEN,
        )
    raise StartProblem(
        f"{host} is no address of this machine: {refused.strerror or refused}.",
        "Set AGENTBASE_HOST to 127.0.0.1 (only this machine), 0.0.0.0 (others, too) or an address of this machine.",
        code=NOT_ON_THIS_MACHINE,
    )


def _refusal(host: str, port: int) -> OSError | None:
    """What the system says when one wants to listen there; None: one may."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
        return None


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment. Somebody may take it before we do: be ready to ask again."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def kept_port(path: Path, wanted: int = 0) -> int:
    """The port to listen on: `wanted`, else that of last time, else (or when it is taken) a free one, remembered.

    Raises StartProblem(code=PORT_TAKEN) when `wanted` is taken: asked for by name, it is not quietly replaced.
    """
    if wanted:
        if not port_is_free("127.0.0.1", wanted):
            raise StartProblem(f"Port {wanted} of 127.0.0.1 is taken.", "Choose another one.", code=PORT_TAKEN)
        return wanted
    if path.exists():
        known = path.read_text(encoding="ascii").strip()
        if known.isdecimal() and 0 < int(known) < 65536 and port_is_free("127.0.0.1", int(known)):
            return int(known)
    fresh = free_port()
    write_private(path, str(fresh))
    return fresh


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for a person."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def trim(log: Path, limit: int = 8 * 1024 * 1024) -> None:
    """Start the log again when it has grown past `limit` bytes; the old one stays as `.1`."""
    if log.exists() and log.stat().st_size > limit:
        log.replace(log.with_name(log.name + ".1"))
