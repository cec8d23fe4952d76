"""`rtfs repl`: the prompt."""

from __future__ import annotations

from rtfs.cli import wiring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.cli.options import Options


def repl(options: Options) -> int:
    """Run a session with the runtime that the options ask for; the exit code."""
    from rtfs.repl.start import repl

    with wiring.runtime(options) as runtime:
        return repl(runtime, debug=options.debug, files=options.load)
