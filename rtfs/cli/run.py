"""`rtfs run FILE|-e EXPR|-`: run a program and print its value."""

from __future__ import annotations

import sys

from rtfs.cli import report, wiring
from rtfs.cli.output import writing
from rtfs.cli.terminal_run import live
from rtfs.values import HostError, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source


def run(options: Options) -> int:
    """Run the program that the options name. Raises UserError."""
    source = source_of(options)
    context = context_of(options)
    runtime = wiring.runtime(options)
    try:
        with runtime:
            if options.certified is not None:
                from rtfs.host.checks.certificates import accept, read_certificate

                keys = [*runtime.options.certificate_keys, *([] if options.key is None else [options.key])]
                accept(runtime, source, read_certificate(options.certified), keys)
            params = params_of(runtime, source, options)
            with writing(), live(runtime):
                if options.durable or options.record or options.replay:
                    from rtfs.cli.runs import run_kept

                    value = run_kept(runtime, source, {"context": context, "params": params}, options)
                else:
                    value = runtime.run(
                        source, context=context, params=params, timeout=options.timeout, check=options.check
                    )
            wiring.show(value, options)
    finally:
        if options.verbose:
            report.show_pool(runtime)
    return 0


def params_of(runtime: Runtime, source: Source, options: Options) -> Map | None:
    """The parameters that are given, each read as the program's plan declares it. Raises HostError `usage`."""
    if not options.params:
        return None
    from rtfs.cli.call_arguments import argument_of, is_one_text
    from rtfs.host.checks.verdicts import analysed

    for word in options.params:
        if is_one_text([word]):
            raise HostError(f"--param takes NAME=VALUE, not {word!r}", code="usage")
    plan = analysed(runtime, source).plan
    (given,) = argument_of(options.params, None if plan is None else plan.input)
    return given  # type: ignore[no-any-return]


def source_of(options: Options) -> Source:
    """The program that the options name. Raises HostError `file/…`."""
    if options.expression is not None:
        from rtfs.source import Source

        return Source(options.expression, "<expression>")
    from rtfs.host.files import decode, read_source

    if options.file == "-":
        return decode(sys.stdin.buffer.read(), "<stdin>")
    return read_source(options.file or "")


def context_of(options: Options) -> dict[str, Any]:
    """The values for `@name` in the options. Raises HostError `usage`, `file/…`."""
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
