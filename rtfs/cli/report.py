"""Errors, warnings and events for people: what goes to standard error, and the exit code that goes with it.

Must not know what was run. Invariant: secrets are never in what arrives here, so everything may be shown.
"""

from __future__ import annotations

import os
import sys

from rtfs.values import InternalError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.checker.diagnostics import Diagnostic
    from rtfs.cli.options import Options
    from rtfs.host.audit.ledger import Record
    from rtfs.host.runtime import Runtime


named: list[str] = []
"""The options of this command line that name configurations: commands in hints and warnings need them as well."""


def as_printed(text: str) -> str:
    """A text whose `rtfs mcp …` commands name the configuration that this command line named."""
    if not named:
        return text
    import re

    return re.sub(r"`(rtfs mcp [^`]*)`", lambda match: f"`{match[1]} {' '.join(named)}`", text)


def report(error: Exception, options: Options | None) -> int:
    """Show an error; the exit code it means: 1, or 2 for a bad file or configuration, or 3 for a denial."""
    debug = options is not None and options.debug
    if debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if not isinstance(error, UserError):
        kind = "internal error" if isinstance(error, InternalError) else f"internal error: {type(error).__name__}"
        hint = "" if debug else "\n  this is a bug of rtfs; --debug shows where"
        print(f"{kind}: {error}{hint}", file=sys.stderr)
        return 1
    if error.hint:
        error.hint = as_printed(error.hint)
    if options is not None and options.json:
        report_json(error)
    else:
        from rtfs.syntax.diagnostics import render

        print(render(error, color=color()), file=sys.stderr)
    return exit_code(error)


def exit_code(error: UserError) -> int:
    """The exit code that an error means."""
    code = error.code
    if code in ("policy/approval-required", "run/waiting"):
        return 4
    if code.startswith("policy/"):
        return 3
    if code == "usage" or code.startswith(("config/", "file/")):
        return 2
    return 1


def color() -> bool:
    """Whether standard error takes colours: a terminal, and no NO_COLOR."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stderr.isatty()


def warn(message: str, span: Any) -> None:
    """Show a warning."""
    print(f"warning: {as_printed(message)}" + (f" ({span})" if span is not None else ""), file=sys.stderr)


def show_sessions(record: Record) -> None:
    """Show a ledger record if it is a session event, in one line."""
    if record.kind == "session":
        print(record.detail, file=sys.stderr)


def show_servers(verbose: int) -> None:
    """From now on show what servers say: their log messages and standard error, and from -vv on the debug messages."""
    import logging

    from rtfs.host.redaction import redact

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(redact(record.getMessage()), file=sys.stderr)

    logger = logging.getLogger("rtfs.mcp")
    if not any(handler.__class__.__name__ == Shown.__name__ for handler in logger.handlers):
        logger.addHandler(Shown())
        logger.propagate = False
    logger.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)


def show_pool(runtime: Runtime) -> None:
    """Show what the session pool has counted, in one line, if it was used."""
    from rtfs.host.inspection import session_statistics

    found = session_statistics(runtime)
    if found is not None:
        print("sessions: " + counted(found), file=sys.stderr)


def counted(found: dict[str, Any]) -> str:
    """The numbers of a session pool: `calls 4  initialized 1  reused 3`."""
    names = ("calls", "initialized", "reused", "expired", "retried", "failed", "terminated")
    return "  ".join(f"{name} {found[name]}" for name in names if found[name])


def show_all(record: Record) -> None:
    """Show any ledger record, in one line."""
    if record.kind == "session":
        print(record.detail, file=sys.stderr)
    else:
        took = f" {record.duration / 1e6:.3f} ms" if record.duration else ""
        parts = [f"{record.seq:>4}", f"{record.kind:<8}", record.subject, record.detail]
        print(" ".join(part for part in parts if part) + took, file=sys.stderr)


def report_diagnostic(found: Diagnostic) -> None:
    """Show what was found about a program that was not run."""
    print(diagnostic_text(found, color()), file=sys.stderr)


def diagnostic_text(found: Diagnostic, color: bool) -> str:
    """A finding about a program as text of several lines."""
    from rtfs.checker.report import as_error
    from rtfs.syntax.diagnostics import render

    text = render(as_error(found), color=color)
    return text if found.is_error else text.replace("error", "warning", 1)


def report_json(error: UserError) -> None:
    """Print an error as JSON, in one line."""
    import json

    from rtfs.syntax.error_data import error_data

    print(json.dumps({"error": error_data(error)}, ensure_ascii=False), file=sys.stderr)
