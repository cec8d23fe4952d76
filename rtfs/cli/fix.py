"""`rtfs fix [--diff|--check] FILE…`: makes the corrections that are certain, and reports what is left.

Must not know how a correction is found. Invariant: a file is replaced as a whole or not at all. Exit codes: 0 nothing
is wrong any more, 1 errors are left, or with `--check` something would change.
"""

from __future__ import annotations

import sys

from rtfs.cli import report, wiring
from rtfs.cli.output import write, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.checker.diagnostics import Diagnostic
    from rtfs.checks import Fixed
    from rtfs.cli.options import Options
    from rtfs.source import Source


def fix(options: Options) -> int:
    """Fix the programs that the options name. Raises UserError."""
    from rtfs.checks import fixed
    from rtfs.cli.check import sources

    status = 0
    with wiring.runtime(options, asks=False) as runtime:
        for source in sources(options):
            found = fixed(runtime, source)
            status = max(status, _show(source, found, options))
    return status


def _show(source: Source, found: Fixed, options: Options) -> int:
    changed = found.text != source.text
    errors = found.analysis.errors
    if options.json:
        import json

        shown = {
            "file": source.name,
            "fixed": [one.to_json() for one in found.made],
            "diagnostics": [one.to_json() for one in found.analysis.diagnostics],
        }
        write(json.dumps(shown, ensure_ascii=False))
    if options.diff:
        _write_difference(source, found.text)
    elif source.name == "<stdin>" and not options.dry:
        with writing():
            sys.stdout.write(found.text)
    elif changed and not options.dry:
        from rtfs.host.files import replace_text

        replace_text(source.name, found.text)
    if not options.json:
        if not options.diff:
            for one in found.made:
                print(report.as_printed(_line(one, options)), file=sys.stderr)
        for one in errors:
            report.report_diagnostic(one)
    return 1 if errors or (options.dry and changed) else 0


def _line(one: Diagnostic, options: Options) -> str:
    text = "" if one.fix is None else one.fix.text
    tense = "would be" if options.dry else "is now"
    done = f"{tense} {text}" if text else "would be removed" if options.dry else "is removed"
    return f"{one.span}: {one.message}: {done}"


def _write_difference(source: Source, text: str) -> None:
    from difflib import unified_diff

    lines = unified_diff(
        source.text.splitlines(keepends=True), text.splitlines(keepends=True), source.name, source.name
    )
    with writing():
        for line in lines:
            sys.stdout.write(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
