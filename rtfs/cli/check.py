"""`rtfs check [--policy] FILE`: what is wrong with a program and what it may call, without running it.

Exit codes: 0 nothing is wrong, 1 errors, 3 a call would be denied, 4 a call would be asked about.
"""

from __future__ import annotations

import sys

from rtfs.cli import report, wiring
from rtfs.cli.output import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.static_check import Call
    from rtfs.source import Source


def check(options: Options) -> int:
    """Check the program that the options name."""
    from rtfs.host.static_check import check as look

    source = _source(options.file or "")
    with wiring.runtime(options) as runtime:
        found = look(runtime, source)
    for error in found.errors:
        report.report(error, options)
    decisions = {call.decision for call in found.calls} if options.policy else set()
    if options.policy:
        if options.json:
            import json

            write(json.dumps([_fields(call) for call in found.calls], ensure_ascii=False))
        else:
            for call in found.calls:
                write(_line(call))
    if found.errors or "unknown" in decisions:
        return 1
    return 3 if "deny" in decisions else 4 if "ask" in decisions else 0


def _source(file: str) -> Source:
    from rtfs.host.files import decode, read_source

    return decode(sys.stdin.buffer.read(), "<stdin>") if file == "-" else read_source(file)


def _line(call: Call) -> str:
    where = "" if call.span is None else f"{call.span}: "
    what = call.id if call.id is not None else "(an id that is computed)"
    missing = f"; allow it with --allow {call.grant}" if call.grant else ""
    return f"{where}{call.decision:<8} {what}: {call.reason}{missing}"


def _fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": call.id,
        "decision": call.decision,
        "reason": call.reason,
        "grant": call.grant,
        "place": None if call.span is None else str(call.span),
    }
    return {name: value for name, value in fields.items() if value is not None}
