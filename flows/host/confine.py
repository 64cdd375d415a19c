"""Borders a process puts around itself, for good, before it does another's work. Linux; elsewhere only rlimits.

Landlock: which files may be read and run, and nothing written. seccomp: no sockets, no debugging of others, no new
namespaces, no plain fork. Both are inherited by whatever is started later, and none can be taken back.
Numbers: linux/landlock.h, linux/seccomp.h, linux/audit.h, asm/unistd_64.h, asm-generic/unistd.h.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SIGKILL = 9
EPERM, ENOSYS = 1, 38

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
CLONE_THREAD, CLONE_VFORK, CLONE_NEW = 0x00010000, 0x00004000, 0x7E020080

# name -> (x86_64, aarch64); -1: the machine has no such call
REFUSED = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "bind": (49, 200), "listen": (50, 201),
    "accept4": (288, 242), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "acct": (163, 89), "quotactl": (179, 60), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, -1), "ioperm": (173, -1), "modify_ldt": (154, -1), "personality": (135, 92),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "execveat": (322, 281), "syslog": (103, 116), "fork": (57, -1),
    "vhangup": (153, 58), "nfsservctl": (180, 42), "lookup_dcookie": (212, 18), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "mbind": (237, 235), "set_mempolicy": (238, 237),
}  # fmt: skip
CLONE, CLONE3, VFORK = (56, 220), (435, 435), (58, -1)

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
FILE_RIGHTS_OF = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Landlock version -> how many rights on files it knows (the lowest bits)."""
NET_TCP, SCOPES = 0b11, 0b11
O_PATH, O_CLOEXEC = 0o10000000, 0o2000000


def rlimits(*, memory: int = 0, seconds: int = 0, files: int = 64, written: int = 0, processes: int = 0) -> None:
    """Hard limits: bytes of address space, seconds of CPU, open files, bytes of one file. 0 = leave as it is.

    `processes` counts all of the same user, inside a user namespace those in it; it does not bind root.
    """
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_NPROC, processes),
    ):
        if most:
            hard = resource.getrlimit(kind)[1]
            lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (lower, lower))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when the one that started it ends, however it ends."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def no_new_privileges() -> None:
    """No setuid program gives rights any more, and no other process of this user may look into this one."""
    if sys.platform == "linux":
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        _prctl(PR_SET_DUMPABLE, 0)


def filter_program(*, may_start: bool) -> bytes:
    """A seccomp program (struct sock_filter[]) for this machine; b"" where its numbers are not known here.

    `may_start`: other programs may still be started the way posix_spawn does it (vfork + exec), never by plain fork.
    """
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        return b""
    column = 0 if machine == "x86_64" else 1
    refused = sorted({numbers[column] for numbers in REFUSED.values()} - {-1})
    if not may_start and VFORK[column] >= 0:
        refused.append(VFORK[column])
    load_nr, load_arch, load_flags = _load(0), _load(4), _load(16)
    program: list[tuple[int, int, int, int] | tuple[int, str, str, int]] = [
        load_arch, (0x15, "next", "refuse", AUDIT_ARCH[machine]), load_nr,
    ]  # fmt: skip
    if column == 0:
        program.append((0x35, "refuse", "next", X32))
    program.append((0x15, "unknown", "next", CLONE3[column]))
    program.append((0x15, "clone", "next", CLONE[column]))
    program += [(0x15, "refuse", "next", number) for number in refused]
    program.append(_answer(0x7FFF0000))  # allow
    places = {"clone": len(program)}
    threads = CLONE_THREAD | (CLONE_VFORK if may_start else 0)
    program += [load_flags, (0x45, "refuse", "next", CLONE_NEW), (0x45, "next", "refuse", threads), _answer(0x7FFF0000)]
    places["refuse"] = len(program)
    program.append(_answer(0x00050000 | EPERM))
    places["unknown"] = len(program)
    program.append(_answer(0x00050000 | ENOSYS))  # glibc then falls back to clone, whose flags can be read
    return b"".join(_instruction(i, step, places) for i, step in enumerate(program))


def _load(offset: int) -> tuple[int, int, int, int]:
    return 0x20, 0, 0, offset


def _answer(value: int) -> tuple[int, int, int, int]:
    return 0x06, 0, 0, value


def _instruction(at: int, step: tuple[int, int, int, int] | tuple[int, str, str, int], places: dict[str, int]) -> bytes:
    code, yes, no, k = step
    jumps = [0 if to in (0, "next") else places[str(to)] - at - 1 for to in (yes, no)]
    return struct.pack("HBBI", code, *jumps, k)


def seccomp(*, may_start: bool) -> bool:
    """Put the filter on. False where the machine or its kernel has none; the other borders hold all the same."""
    program = filter_program(may_start=may_start) if sys.platform == "linux" else b""
    if not program:
        return False
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)))
    return bool(_libc().prctl(PR_SET_SECCOMP, 2, ctypes.byref(header), 0, 0) == 0)


def landlock(readable: Iterable[str], runnable: Iterable[str] = ()) -> bool:
    """From now on: read below `readable`, read and run below `runnable`, write into nothing but /dev/null; no TCP, no
    signals to processes outside. False where the kernel has no Landlock. Files that are open already stay usable.
    """
    if sys.platform != "linux":
        return False
    version = _libc().syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    rights = (1 << FILE_RIGHTS_OF.get(version, 16)) - 1
    attributes = struct.pack("QQQ", rights, NET_TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _libc().syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        for place in readable:
            _allow(rules, place, READ_FILE | READ_DIR)
        for place in runnable:
            _allow(rules, place, READ_FILE | READ_DIR | EXECUTE)
        _allow(rules, "/dev/null", READ_FILE | WRITE_FILE)
        return bool(_libc().syscall(LANDLOCK_RESTRICT, rules, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _allow(rules: int, place: str, rights: int) -> None:
    try:
        here = os.open(place, O_PATH | O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(place):
            rights &= ~READ_DIR
        rule = struct.pack("=Qi", rights, here)
        if _libc().syscall(LANDLOCK_ADD, rules, 1, rule, ctypes.c_uint32(0)) != 0:
            raise OSError(ctypes.get_errno(), "landlock_add_rule", place)
    finally:
        os.close(here)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
