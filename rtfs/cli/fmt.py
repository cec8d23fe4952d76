"""`rtfs fmt PATH…`: formats source files.

Must not know how. Invariants: a file that cannot be read is left alone, and so is one that is formatted already; a file
is replaced completely or not at all.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli.output import write, writing
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def fmt(arguments: list[str]) -> int:
    """Format files, the `.rtfs` files of folders, or standard input (`-`). Returns 0, or 1 if a file cannot be read, or
    with `--check` if a file would change."""
    from rtfs.cli.usage_errors import Parser

    parser = Parser(prog="rtfs fmt", description="Format .rtfs files. Only indentation and spaces change.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, or - for standard input")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; list the files that would change, and exit with 1"
    )
    options = parser.parse_args(arguments)
    if options.paths == ["-"]:
        return _stdin(options.check)
    failed = changed = 0
    for path in _files(options.paths):
        try:
            changes = _format(path, options.check)
        except UserError as error:
            from rtfs.cli.report import report

            report(error, None)
            failed += 1
            continue
        if changes:
            changed += 1
            write(path)
    return 1 if failed or (options.check and changed) else 0


def _stdin(check: bool) -> int:
    from rtfs.host.files import decode
    from rtfs.syntax.formatter import format_source

    source = decode(sys.stdin.buffer.read(), "<stdin>")
    text = format_source(source.text, source.name)
    if check:
        return 1 if text != source.text else 0
    with writing():
        sys.stdout.write(text)
    return 0


def _format(path: str, check: bool) -> bool:
    """Whether formatting changes a file; if so, it is replaced, unless `check`. Raises UserError."""
    from rtfs.host.files import read_source, replace_text
    from rtfs.syntax.formatter import format_source

    source = read_source(path)
    text = format_source(source.text, source.name)
    if text == source.text:
        return False
    if not check:
        replace_text(path, text)
    return True


def _files(paths: list[str]) -> Iterator[str]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".rtfs"))
