"""Long texts at a terminal go through a pager. Must not know what is shown.

Invariant: a pager that is missing or fails costs nothing: then the text is written as any other.
"""

from __future__ import annotations

import os

LESS = "less -FRX"
"""The pager unless PAGER names another: it ends by itself if everything fits, keeps colours, and leaves the text on the
screen."""


def is_long(text: str, columns: int, lines: int) -> bool:
    """Whether a text takes more than a screen."""
    taken = 0
    for line in text.split("\n"):
        taken += 1 + len(line) // max(columns, 1)
        if taken >= lines:
            return True
    return False


def page(text: str) -> bool:
    """Show a text in the pager that PAGER names, else in less; False where there is none, or PAGER is empty."""
    import shlex
    import shutil
    import subprocess

    command = shlex.split(os.environ.get("PAGER", LESS))
    if not command or shutil.which(command[0]) is None:
        return False
    try:
        done = subprocess.run(command, input=text.encode("utf-8", "backslashreplace") + b"\n", check=False)
    except (OSError, KeyboardInterrupt):
        return False
    return done.returncode == 0
