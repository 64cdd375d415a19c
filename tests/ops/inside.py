"""Run Python text in a world of its own: `run_inside("ordinary", code)`. Linux user namespaces: no privilege needed.

ordinary       we are uid 1000 and not root
no-namespaces  we are root, and no further user namespace may be made (as under a strict container)
small-disk     we are root, and `/tmp/small` is a disk of 24 MB
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000


def run_inside(world: str, code: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.ops.inside", world, code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def possible() -> bool:
    """May this machine make user namespaces at all?"""
    return sys.platform == "linux" and run_inside("ordinary", "pass").returncode == 0


def _enter(world: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(NEW_USER | (NEW_MOUNTS if world == "small-disk" else 0)):
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    inside = 1000 if world == "ordinary" else 0
    Path("/proc/self/uid_map").write_text(f"{inside} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside} {gid} 1")
    if world == "no-namespaces":
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    if world == "small-disk":
        Path("/tmp/small").mkdir(exist_ok=True)
        if libc.mount(b"tmpfs", b"/tmp/small", b"tmpfs", 0, b"size=24m"):
            raise OSError(ctypes.get_errno(), "mount")


if __name__ == "__main__":
    _enter(sys.argv[1])
    code, sys.argv = sys.argv[2], sys.argv[2:]
    exec(compile(code, "<inside>", "exec"), {"__name__": "__main__"})
