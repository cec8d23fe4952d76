"""Restricts a worker process, as far as this kernel supports it: limits, `no_new_privs`, seccomp, Landlock.

Must not know what a worker does. Invariant: what is given up is never had again by the process or its children. The
filter allows computing, memory that holds no code, the clock, and reading and writing what is open; everything else is
`EPERM`: no file is opened, no process or thread started, no address reached, no other process touched.
"""

from __future__ import annotations

import os
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 4, 38, 22
SECCOMP_MODE_FILTER = 2
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_VERSION = 1
PROT_EXEC = 4

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "sched_yield": 24, "mremap": 25,
        "madvise": 28, "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47,
        "exit": 60, "gettimeofday": 96, "getrusage": 98, "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202,
        "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
        "ppoll": 271, "prlimit64": 302, "getrandom": 318, "rseq": 334,
    },
    "aarch64": {
        "close": 57, "lseek": 62, "read": 63, "write": 64, "pread64": 67, "ppoll": 73, "exit": 93, "exit_group": 94,
        "futex": 98, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "restart_syscall": 128, "sched_yield": 124, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "getrusage": 165, "gettimeofday": 169, "getpid": 172, "gettid": 178, "sendto": 206,
        "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
        "mprotect": 226, "madvise": 233, "prlimit64": 261, "getrandom": 278, "rseq": 293,
    },
}  # fmt: skip

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 1  # EPERM

SPARE = 2
"""Seconds of a processor beyond those of a run: its host ends it before."""
LANDLOCK_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""The rights about files that each version of Landlock knows."""


def enter(descriptors: int, address_space: int | None) -> list[str]:
    """Give up everything but computing and `descriptors` open files, numbered from 0; the names of what holds now.
    address_space: bytes, None for any number."""
    held = []
    libc = _libc() if sys.platform.startswith("linux") else None
    if libc is not None:
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            held.append("no_new_privs")
            if _landlock(libc):  # before the limits: it takes a descriptor for a moment
                held.append("landlock")
    if _limit(descriptors, address_space):
        held.append("limits")
    if libc is not None and "no_new_privs" in held and _seccomp(libc):
        held.append("seccomp")
    return held


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that forked it ends."""
    if sys.platform.startswith("linux"):
        _libc().prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def allow_address_space(size: int | None) -> None:
    """Set the number of bytes of address space that this process may have from now on; None for the most that it may
    ask for."""
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = most if size is None else size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


def allow_processor(seconds: float | None, last: bool) -> None:
    """Set the seconds of processor time that this process may use from now on before the kernel ends it; None for no
    limit. last: the limit cannot be changed again."""
    import resource

    if not hasattr(resource, "RLIMIT_CPU"):
        return
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = resource.RLIM_INFINITY
    if seconds is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        wanted = int(used.ru_utime + used.ru_stime + seconds) + SPARE
    if most != resource.RLIM_INFINITY:
        wanted = most if wanted == resource.RLIM_INFINITY else min(wanted, most)
    hard = most if not last or wanted == resource.RLIM_INFINITY else wanted + 1
    resource.setrlimit(resource.RLIMIT_CPU, (wanted, hard))


def _limit(descriptors: int, address_space: int | None) -> bool:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        if address_space is not None:
            allow_address_space(address_space)
    except (OSError, ValueError):
        return False
    return True


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _landlock(libc: Any) -> bool:
    """Refuse every path, and every address where the kernel knows how to."""
    import ctypes

    libc.syscall.restype = ctypes.c_long
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION)
    if version < 1:
        return False
    files = LANDLOCK_FILES[max(one for one in LANDLOCK_FILES if one <= version)]
    rules = struct.pack("<Q", files) if version < 4 else struct.pack("<QQ", files, 3)
    given = ctypes.create_string_buffer(rules, len(rules))
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, given, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    try:
        return bool(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _seccomp(libc: Any) -> bool:
    """Install the filter, if this architecture's numbers are known."""
    import ctypes

    code = program(os.uname().machine)
    if code is None:
        return False
    held = ctypes.create_string_buffer(code, len(code))
    given = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    return bool(
        libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(given, len(given)), 0, 0) == 0
    )


def program(machine: str) -> bytes | None:
    """The filter as instructions of the kernel's packet filter; None for an architecture whose numbers are not here.
    A call of another architecture's kind ends the process."""
    calls = _CALLS.get(machine)
    if calls is None:
        return None
    numbers = {name: number for name, number in calls.items() if name not in ("mmap", "mprotect", "prlimit64")}
    rows: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _ARCHITECTURES[machine])]
    rows += [(_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    for number in numbers.values():
        rows += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for name in ("mmap", "mprotect"):  # memory, unless it may hold code
        rows += [(_EQUAL, 0, 4, calls[name]), (_LOAD, 0, 0, 32), (_ANY_BIT, 0, 1, PROT_EXEC), (_RETURN, 0, 0, _REFUSE)]
        rows += [(_RETURN, 0, 0, _ALLOW)]
    rows += [(_EQUAL, 0, 3, calls["prlimit64"]), (_LOAD, 0, 0, 16), (_EQUAL, 0, 1, 0)]  # its own limits only
    rows += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("<HBBI", *row) for row in rows)
