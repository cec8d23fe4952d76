"""Starts the prompt that suits where it runs: an editor at a terminal, plain lines everywhere else.

Must not know programs. Invariant: prompt_toolkit is imported at a terminal only; out of a pipe there are no colours and
no prompts.
"""

from __future__ import annotations

import os
import sys

from rtfs.repl.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.runtime import Runtime


def repl(
    runtime: Runtime,
    *,
    debug: bool = False,
    files: list[str] | None = None,
) -> int:
    """Run a session with a runtime, which stays the caller's to close; the exit code.

    debug: show Python tracebacks. files: loaded already, for `:reload`.
    """
    from rtfs.cli.terminal_output import is_terminal

    interactive = is_terminal(sys.stdin)
    able = interactive and is_terminal(sys.stdout) and os.environ.get("TERM", "dumb") != "dumb"
    session = Session(
        runtime,
        interactive=interactive,
        editing=able,
        color=able and not os.environ.get("NO_COLOR"),
        debug=debug,
        files=files,
    )
    if able:
        try:
            from rtfs.repl import terminal
        except ImportError:
            session.note("prompt_toolkit is not installed (pip install 'rtfs-host[repl]'): no editing, no completion")
            able = False
    if able:
        terminal.loop(session)
    else:
        from rtfs.repl import line_prompt

        line_prompt.loop(session, *(("rtfs> ", "    | ") if interactive else ()))
    return 1 if session.failed and not interactive else 0
