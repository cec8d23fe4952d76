"""`rtfs call ID JSON`: call one capability and print its result."""

from __future__ import annotations

from rtfs.cli import report, wiring
from rtfs.cli.live import live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.cli.options import Options


def call(options: Options) -> int:
    """Call the capability that the options name. Raises UserError."""
    from rtfs.values import from_python

    arguments = []
    if options.json_text is not None:
        arguments.append(from_python(wiring.parse_json(options.json_text, "the argument"), keywords=True))
    runtime = wiring.runtime(options)
    try:
        with runtime:
            with live(runtime):
                value = runtime.call(options.id, *arguments)
            wiring.show(value, options)
    finally:
        if options.verbose:
            report.show_pool(runtime)
    return 0
