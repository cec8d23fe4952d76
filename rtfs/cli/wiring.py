"""The `Runtime` that the options ask for, and how its results are printed."""

from __future__ import annotations

from rtfs.cli import report
from rtfs.cli.output import write
from rtfs.cli.prompts import asker, elicitor, once
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.runtime import Runtime


def runtime(options: Options) -> Runtime:
    """A runtime with the options' configuration, grants, principal and loaded files."""
    from rtfs.host.runtime import Runtime

    approve = once(options.approve) if options.approve else asker(options.no_input)
    fields: dict[str, Any] = {"on_warning": report.warn, "approve": approve, "elicit": elicitor(options.no_input)}
    if options.principal is not None:
        fields["principal"] = options.principal
    if options.ledger is not None:
        fields["ledger"] = options.ledger
    if options.verbose:
        fields["on_event"] = report.show_sessions if options.verbose == 1 else report.show_all
        report.show_servers(options.verbose)
    if options.config is not None:
        made = Runtime.from_config(options.config, allow=options.allow, mcp_files=options.mcp_config, **fields)
    else:
        if options.mcp_config:
            from rtfs.capabilities.sessions.mcp.server_files import ServerTable, read_servers
            from rtfs.host.files import read_source

            table = ServerTable()
            for file in options.mcp_config:
                read_servers(read_source(file, "config/missing"), table)
            fields["handlers"] = {"mcp": {"servers": table}}
        made = Runtime(options.allow, **fields)
    made.protect(*options.load, *options.mcp_config)
    try:
        for path in options.load:
            from rtfs.host.files import read_sources

            for source in read_sources(path):
                made.load(source.text, source.name)
    except BaseException:
        made.close()
        raise
    return made


def parse_json(text: str, what: str) -> Any:
    """The data of a JSON text from the command line. Raises HostError `usage`."""
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = """a JSON object is written '{"name": "value"}'; the single quotes keep it from the shell"""
        raise HostError(f"{what} is not JSON: {error}", code="usage", hint=hint) from None


def show(value: Any, options: Options) -> None:
    """Print a result: RTFS text (nothing for nil), or JSON."""
    if options.json:
        from rtfs.builtins import CORE

        text = CORE["serialize-json"](value)
    elif value is None:
        return
    else:
        from rtfs.syntax.printer import to_text

        text = to_text(value)
    write(text)
