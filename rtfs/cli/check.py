"""`rtfs check [--policy] FILE…`: what is wrong with programs and what they may call, without running them.

Exit codes: 0 nothing is wrong, 1 errors, 3 a call would be denied, 4 a call would be asked about.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli import report, wiring
from rtfs.cli.output import write
from rtfs.cli.watch import Watch
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs.checker.plans import Plan
    from rtfs.cli.options import Options
    from rtfs.host.checks.verdicts import Call, Report
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source


def check(options: Options) -> int:
    """Check the programs that the options name; with `--watch` again whenever one of them changes."""
    if (options.certify is None) is not (options.key is None):
        raise HostError("a certificate is made with --certify FILE and --key FILE together", code="usage")
    with wiring.runtime(options, asks=False) as runtime:
        watch = Watch(lambda: _files(options)) if options.watch else None
        worst = _check_all(runtime, options)
        if options.certify is not None and options.key is not None and worst != 1:
            _certify(runtime, options, options.certify, options.key)
        while watch is not None:
            watch.wait()
            try:
                worst = _check_all(runtime, options)
            except UserError as error:  # a file that is gone, or cannot be read at the moment
                report.report(error, options)
    return worst


def _files(options: Options) -> list[str]:
    return [file for path in options.files if path != "-" for file in program_files(path)]


def _certify(runtime: Runtime, options: Options, path: str, key: str) -> None:
    """Write the certificate of the one program that the options name."""
    import json

    from rtfs.host.checks.certificates import certify
    from rtfs.host.files import replace_text

    found = list(sources(options))
    if len(found) != 1:
        raise HostError("a certificate is of one program", code="usage")
    replace_text(path, json.dumps(certify(runtime, found[0], key), indent=2) + "\n")


def _check_all(runtime: Runtime, options: Options) -> int:
    from rtfs.host.checks.verdicts import verdicts

    found = [(source, verdicts(runtime, source)) for source in sources(options)]
    if options.json:
        import json

        many = len(found) > 1
        shown = [_json(source, one, bool(options.policy)) for source, one in found]
        write(json.dumps(shown if many else shown[0], ensure_ascii=False))
    else:
        for _, one in found:
            _show(one, options)
    return max((_status(one, bool(options.policy)) for _, one in found), default=0)


def sources(options: Options) -> Iterator[Source]:
    """The programs to look at: `-e` texts, files, the `.rtfs` files of folders, `-` for standard input."""
    from rtfs.host.files import decode, read_source
    from rtfs.source import Source

    if options.expression is not None:
        yield Source(options.expression, "<expression>")
    for path in options.files:
        if path == "-":
            yield decode(sys.stdin.buffer.read(), "<stdin>")
        else:
            for file in program_files(path):
                yield read_source(file)


def program_files(path: str) -> list[str]:
    """The file itself, or every `.rtfs` file below a folder, sorted."""
    if not os.path.isdir(path):
        return [path]
    return sorted(
        os.path.join(folder, name)
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(".rtfs") and not name.endswith(".test.rtfs")
    )


def _status(found: Report, policy: bool) -> int:
    decisions = {call.decision for call in found.calls} if policy else set()
    if found.errors or "unknown" in decisions:
        return 1
    return 3 if "deny" in decisions else 4 if "ask" in decisions else 0


# ---------------------------------------------------------------------- for people
def _show(found: Report, options: Options) -> None:
    for one in found.analysis.diagnostics:
        report.report_diagnostic(one)
    if not found.analysis.complete:
        report.warn(f"{found.analysis.source.name} is too large to be looked at to its end", None)
    for line in told(found, bool(options.policy)):
        write(line)


def told(found: Report, policy: bool) -> list[str]:
    """The calls that a program may make, one per line, if requested, and the declaration of its plan."""
    lines = [_line(call) for call in found.calls] if policy else []
    return lines if found.analysis.plan is None else [*lines, _plan(found.analysis.plan)]


def _plan(plan: Plan) -> str:
    """The declaration of a plan, one line per parameter."""
    from rtfs.syntax.printer import to_text

    lines = [f"plan {plan.name}" + (f": {plan.text}" if plan.text else "")]
    for field in plan.input.fields:
        default = f" = {to_text(field.about['default'])}" if "default" in field.about else ""
        text = f"  {field.about['description']}" if "description" in field.about else ""
        lines.append(f"  {field.name} {to_text(field.type.form)}{default}{text}")
    if plan.result is not None:
        lines.append(f"  gives {to_text(plan.result.form)}")
    return "\n".join(lines)


def _line(call: Call) -> str:
    where = "" if call.span is None else f"{call.span}: "
    what = call.id if call.id is not None else "(an id that is computed)"
    missing = f"; allow it with --allow {call.grant}" if call.grant else ""
    often = "" if call.at_most is None else f"; at most {call.at_most} call{'' if call.at_most == 1 else 's'} a run"
    return f"{where}{call.decision:<8} {what}: {call.reason}{missing}{often}"


# ---------------------------------------------------------------------- for programs
def _json(source: Source, found: Report, policy: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "file": source.name,
        "diagnostics": [one.to_json() for one in found.analysis.diagnostics],
    }
    plan = found.analysis.plan
    if plan is not None:
        from rtfs.types.json_schema import to_json_schema

        shown["plan"] = {"name": plan.name, "text": plan.text, "params": to_json_schema(plan.input)}
        if plan.result is not None:
            shown["plan"]["result"] = to_json_schema(plan.result)
    if policy:
        shown["calls"] = [_fields(call) for call in found.calls]
    return shown


def _fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": call.id,
        "decision": call.decision,
        "reason": call.reason,
        "grant": call.grant,
        "at_most": call.at_most,
        "flows": call.flows or None,
        "place": None if call.span is None else str(call.span),
    }
    return {name: value for name, value in fields.items() if value is not None}
