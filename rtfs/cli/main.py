"""The process of the command `rtfs`: its start, its end, its signals and its settings.

Must not know any subcommand. Invariants: another program that calls `main` with arguments keeps its collector and its
imports as they are; only `command` ends the process, and never before output is written, functions registered with
`atexit` have run and threads have ended.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_AT_THE_END = ("_sqlite3", "atexit", "threading")
"""Modules of Python through which something can be left to do when the process ends: functions that were registered,
threads to wait for, connections to close."""
_OURS = {"greenlet", "rtfs"}
"""What these and the rest of Python's own modules leave needs no end: files are closed where they were opened."""


def command() -> int:
    """The console script `rtfs` and `python -m rtfs`: `main()`, and then the end of the process.

    Python takes every module apart before it ends, which takes two milliseconds. Where nobody could tell, the process
    ends here without it; else the exit code is returned."""
    before = frozenset(sys.modules)
    code = main()
    if _is_nothing_left(before):
        import os

        try:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        except Exception:  # Python reports it when it ends
            pass
    return code


def _is_nothing_left(before: frozenset[str]) -> bool:
    """Whether Python's own end would do nothing that shows. before: the modules that were there when the command
    began. A module from elsewhere may leave a file open, which is written at the end."""
    flags = sys.flags
    if flags.inspect or flags.dev_mode or sys._xoptions or sys.warnoptions:
        return False
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return False
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is not None and any(map(monitoring.get_tool, range(6))):
        return False
    if sys.stdout is not sys.__stdout__ or sys.stderr is not sys.__stderr__:
        return False
    modules = sys.modules.keys()
    if not modules.isdisjoint(_AT_THE_END):
        return False
    loaded = {name.partition(".")[0] for name in modules - before}
    return loaded - _OURS <= sys.stdlib_module_names


def main(argv: list[str] | None = None) -> int:
    """Run the command with the given arguments; returns its exit code. Without arguments this process is the command's:
    it takes those of the command line, and starts and ends as fast as Python lets it."""
    if argv is not None:
        from rtfs.cli.commands import run_command

        return run_command(argv)

    import gc

    _open_streams()
    from rtfs.cli.module_cache import ModuleCache

    gc.set_threshold(50_000, 20, 20)  # values have no cycles, and a plan that makes many of them runs twice as fast
    modules = ModuleCache()
    modules.install()
    from rtfs.cli.commands import run_command

    code = run_command(sys.argv[1:])
    modules.save()
    gc.freeze()  # Python's last collection would look at every object of a process that ends
    return code


def _open_streams() -> None:
    """Standard streams that were closed when the process began lead nowhere: a file that is opened later would get
    their numbers, and what is said would be written into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            import os

            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as the process lives
