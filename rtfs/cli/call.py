"""`rtfs call ID [JSON | KEY=VALUE …]`: call one capability and print its result."""

from __future__ import annotations

from rtfs.cli import report, wiring
from rtfs.cli.terminal_run import live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.cli.options import Options


def call(options: Options) -> int:
    """Call the capability that the options name. A tool of a server is granted by naming it here, as the person does;
    rules and approvals count. Raises UserError."""
    from rtfs.cli.call_arguments import argument_of, is_one_text
    from rtfs.host.inspection import find_capability, grant

    if is_one_text(options.words):
        wiring.parse_json(options.words[0], "the argument")  # before any server is asked
    runtime = wiring.runtime(options)
    try:
        with runtime:
            with live(runtime):
                entry = find_capability(runtime, options.id)
                if entry.through_session:
                    grant(runtime, entry.id)
                value = runtime.call(entry.id, *argument_of(options.words, entry.fields.input_type))
            wiring.show(value, options)
    finally:
        if options.verbose:
            report.show_pool(runtime)
    return 0
