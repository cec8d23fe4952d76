"""`rtfs.analyse` and `rtfs.check`: programs looked at without being run, under the declarations of a runtime.

Must not run anything of a program.
"""

from __future__ import annotations

from rtfs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from rtfs.checker.report import Analysis
    from rtfs.host.runtime import Runtime
    from rtfs.host.verdicts import Report

    T = TypeVar("T")


def analyse(source: str | Source, name: str = "<string>", runtime: Runtime | None = None) -> Analysis:
    """Everything that is known of a program before it runs: diagnostics, calls, effects, types.

    source    the text
    name      of the text, in messages
    runtime   whose definitions, declarations and modules the program sees; None: those that every runtime has

    Never raises for what the program contains, and runs nothing of it.
    """
    from rtfs.host.verdicts import analysed

    return _look(analysed, source, name, runtime)


def check(source: str | Source, name: str = "<string>", runtime: Runtime | None = None) -> Report:
    """What is wrong with a program, and what the runtime's policy says of each call that it can make; as `rtfs check
    --policy` does. Arguments as of `analyse`."""
    from rtfs.host.verdicts import verdicts

    return _look(verdicts, source, name, runtime)


def _look(how: Callable[[Runtime, Source], T], source: str | Source, name: str, runtime: Runtime | None) -> T:
    """Look at a program in a runtime, or in one of its own."""
    text = Source(source, name) if isinstance(source, str) else source
    if runtime is not None:
        return how(runtime, text)
    from rtfs.host.runtime import Runtime

    with Runtime() as plain:
        return how(plain, text)
