"""`rtfs call ID JSON`: call one capability and print its result."""

from __future__ import annotations

from rtfs.cli import wiring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.cli.options import Options


def call(options: Options) -> int:
    """Call the capability that the options name. Raises UserError."""
    from rtfs.values import from_python

    arguments = []
    if options.json_text is not None:
        arguments.append(from_python(wiring.parse_json(options.json_text, "the argument"), keywords=True))
    with wiring.runtime(options) as runtime:
        wiring.show(runtime.call(options.id, *arguments), options)
    return 0
