"""`rtfs run FILE|-e EXPR|-`: run a program and print its value."""

from __future__ import annotations

import sys

from rtfs.cli import report, wiring
from rtfs.cli.live import live
from rtfs.cli.output import writing
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.source import Source


def run(options: Options) -> int:
    """Run the program that the options name. Raises UserError."""
    source = _source(options)
    context = _context(options)
    runtime = wiring.runtime(options)
    try:
        with runtime:
            with writing(), live(runtime):
                if options.durable or options.record or options.replay:
                    from rtfs.cli.runs import run_kept

                    value = run_kept(runtime, source, context, options)
                else:
                    value = runtime.run(source, context=context, timeout=options.timeout, check=options.check)
            wiring.show(value, options)
    finally:
        if options.verbose:
            report.show_pool(runtime)
    return 0


def _source(options: Options) -> Source:
    if options.expression is not None:
        from rtfs.source import Source

        return Source(options.expression, "<expression>")
    from rtfs.host.files import decode, read_source

    if options.file == "-":
        return decode(sys.stdin.buffer.read(), "<stdin>")
    return read_source(options.file or "")


def _context(options: Options) -> dict[str, Any]:
    from rtfs.values import Vector

    given = {"args": Vector(options.args)}
    if options.context is None:
        return given
    text = options.context
    if text.startswith("@"):
        from rtfs.host.files import read_source

        text = read_source(text[1:]).text
    context = wiring.parse_json(text, "--context")
    if not isinstance(context, dict):
        raise HostError('--context is a JSON object: {"name": value}', code="usage")
    from rtfs.values import from_python

    values = {name: from_python(value, keywords=True) for name, value in context.items()}
    return values | given if options.args else given | values
