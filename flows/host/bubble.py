"""A box around a whole Python: bubblewrap, no network, no home, no environment, a read-only Python, one small scratch
folder in memory. For full Python in code steps and for node packages that are not trusted (docs/extend/code.md).

Where the box can't be had, what needs it is refused with the reason. There is no weaker form.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

from flows.host.child import Child
from flows.host.confine import filter_program
from flows.host.pool import PLACE, Missing

SCRATCH = "/scratch"
SCRATCH_BYTES = 64 * 1024 * 1024
GUEST = "/guest"
PROBE = 20.0
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
OURS = (
    "flows/__init__.py",
    "flows/host/__init__.py",
    "flows/host/frames.py",
    "flows/host/carried.py",
    "flows/host/confine.py",
    "flows/host/guests/__init__.py",
    "flows/host/guests/asking.py",
)


def boxed(guest: str, *arguments: str, binds: Sequence[tuple[str, str]] = (), scratch: int = SCRATCH_BYTES) -> Child:
    """A child that runs `guests/<guest>.py` in a box of its own. `binds`: (place here, place inside), read-only.

    Raises Missing where there is no bubblewrap, or the kernel gives no user namespaces.
    """
    if reason := unavailable():
        raise Missing(reason)
    reading, writing = os.pipe()
    try:
        os.write(writing, filter_program(may_start=False))
        os.close(writing)
        line = _line(guest, arguments, binds, scratch, reading)
        return Child(line, (reading,))
    finally:
        os.close(reading)


def _line(
    guest: str, arguments: Sequence[str], binds: Sequence[tuple[str, str]], scratch: int, seccomp: int
) -> list[str]:
    program = os.path.realpath(sys.executable)
    packages = sysconfig.get_paths()["platlib"]
    files = [(str(PLACE / name), f"{GUEST}/{name}") for name in (*OURS, f"flows/host/guests/{guest}.py")]
    files += [(f"{packages}/msgspec", f"{GUEST}/packages/msgspec"), *_python(program), *binds]
    line = [_bwrap() or "bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"]
    line += ["--new-session", "--cap-drop", "ALL", "--clearenv", "--uid", "65534", "--gid", "65534"]
    line += ["--hostname", "box", "--setenv", "TMPDIR", SCRATCH, "--setenv", "LC_ALL", "C.UTF-8"]
    for here, inside in files:
        line += ["--ro-bind-try" if here in LIBRARIES else "--ro-bind", here, inside]
    line += ["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"]
    line += ["--size", str(scratch), "--tmpfs", SCRATCH, "--remount-ro", "/", "--chdir", SCRATCH]
    line += ["--seccomp", str(seccomp), "--", program, "-I", "-S", "-B", "-X", "utf8"]
    return [*line, f"{GUEST}/flows/host/guests/{guest}.py", *arguments]


def _python(program: str) -> list[tuple[str, str]]:
    """The interpreter of this installation, its own library, and the shared libraries both need."""
    found = [(place, place) for place in LIBRARIES if os.path.isdir(place)]
    if Path(sys.base_prefix) in (Path("/usr"), Path("/")):
        return [*found, (program, program)]
    return [*found, (sys.base_prefix, sys.base_prefix)]


def _bwrap() -> str | None:
    return shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")


@asynccontextmanager
async def one_of_few() -> AsyncIterator[None]:
    """At most MOST boxes of this process at a time; the others wait their turn."""
    loop = asyncio.get_running_loop()
    if loop not in _turns:
        _turns[loop] = asyncio.Semaphore(MOST)
    await asyncio.to_thread(unavailable)  # the first time it starts a process and waits for it
    async with _turns[loop]:
        yield


MOST = 4
_turns: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = WeakKeyDictionary()


@cache
def unavailable() -> str:
    """Why no box can be had on this machine, with what to do about it; "" when it can. Tried once per process."""
    if sys.platform != "linux":
        return "Full Python needs Linux: only there the sandbox around it exists. Choose safe Python."
    if not filter_program(may_start=False):
        return "Full Python's sandbox does not know this kind of processor. Choose safe Python."
    if _bwrap() is None:
        return (
            "Full Python needs bubblewrap, which is not installed here. Choose safe Python, or ask the operator to "
            "install the package 'bubblewrap'."
        )
    reading, writing = os.pipe()
    os.write(writing, filter_program(may_start=False))
    os.close(writing)
    line = _line("full", ["--probe"], (), 1 << 20, reading)
    try:
        done = subprocess.run(  # noqa: S603 - our own line, no shell
            line, stdin=subprocess.DEVNULL, capture_output=True, env={}, timeout=PROBE, pass_fds=(reading,), check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Full Python's sandbox does not start here: {error}. Choose safe Python."
    finally:
        os.close(reading)
    if done.returncode == 0:
        return ""
    said = done.stderr.decode(errors="replace").strip()[-200:]
    return (
        f"Full Python's sandbox does not start here ({said or done.returncode}). Choose safe Python, or ask the "
        "operator to allow user namespaces (kernel.unprivileged_userns_clone=1; in a container, a seccomp profile "
        "that allows them)."
    )
