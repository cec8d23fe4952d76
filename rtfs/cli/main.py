"""The process of the command `rtfs`: its start, its end, its signals and its settings.

Must not know any subcommand. Invariant: another program that calls `main` with arguments keeps its collector and its
imports as they are.
"""

from __future__ import annotations

import sys


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
