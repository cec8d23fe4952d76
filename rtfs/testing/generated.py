"""Files that are made from the code: written, or compared with what they should be.

Knows nothing of what is in them.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def write_or_compare(files: Iterable[tuple[Path, str]], command: str, argv: Sequence[str]) -> int:
    """Write the files if `argv` has `--write`; else name those on standard error that are stale, with the command that
    writes them. The exit status: 1 if one is stale."""
    status = 0
    for path, text in files:
        if "--write" in argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path} is stale: run python -m {command} --write", file=sys.stderr)
            status = 1
    return status
