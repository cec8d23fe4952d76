"""The `Runtime` that the options ask for, and how its results are printed."""

from __future__ import annotations

from rtfs.cli import report
from rtfs.cli.output import write
from rtfs.cli.prompts import asker, elicitor, once, trusts
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.sessions.mcp.server_files import ServerTable
    from rtfs.cli.options import Options
    from rtfs.host.config.discovery import FoundServers
    from rtfs.host.runtime import Runtime


def _warn(text: str) -> None:
    report.warn(text, None)


def runtime(
    options: Options,
    *,
    asks: bool = True,
    told: Callable[[str], None] = _warn,
    persons: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None,
    on_warning: Callable[[str, Any], None] = report.warn,
    wording: str = "shell",
) -> Runtime:
    """A runtime with the options' configuration, grants, principal and loaded files; what is found in the working
    folder is used if it is trusted. asks: a person may be asked about it; otherwise what is not trusted is left out,
    and that is told. persons: who is asked about calls, and what servers want to know; None: the person at the
    terminal. on_warning: is told warnings and their places. wording: who reads the hints of errors. Raises HostError
    `config/…`, `file/…`."""
    from rtfs.host.config.names import CONFIG, SERVERS
    from rtfs.host.runtime import Runtime

    report.named[:] = naming(options)
    found = discovered(options, asks=asks, told=told)

    approve = once(options.approve) if options.approve else asker(options.no_input)
    fields: dict[str, Any] = {"on_warning": on_warning, "approve": approve, "elicit": elicitor(options.no_input)}
    fields["wording"] = wording
    if persons is not None:
        fields["approve"], fields["elicit"] = persons
    if options.principal is not None:
        fields["principal"] = options.principal
    if options.ledger is not None:
        fields["ledger"] = options.ledger
    if options.state is not None:
        fields["state"] = options.state
    if options.isolate:
        fields["isolation"] = "process"
    if options.verbose:
        fields["on_event"] = report.show_sessions if options.verbose == 1 else report.show_all
        report.show_servers(options.verbose)
    if found is not None:
        fields["handlers"] = {"mcp": {"servers": found}}
    if options.config is not None:
        made = Runtime.from_config(options.config, allow=options.allow, mcp_files=options.mcp_config, **fields)
    else:
        if options.mcp_config:
            fields["handlers"] = {"mcp": {"servers": named_servers(options.mcp_config)}}
        made = Runtime(options.allow, **fields)
    made.protect(*options.load, *options.mcp_config, CONFIG, *SERVERS)
    try:
        for path in options.load:
            from rtfs.host.files import read_sources

            for source in read_sources(path):
                made.load(source.text, source.name)
    except BaseException:
        made.close()
        raise
    return made


def naming(options: Options) -> list[str]:
    """The options that name configurations, as they are written."""
    if options.config is None and not options.mcp_config:
        return []
    from shlex import quote

    words = [] if options.config is None else [f"--config {quote(options.config)}"]
    return words + [f"--mcp-config {quote(file)}" for file in options.mcp_config]


def named_servers(files: list[str]) -> ServerTable:
    """The servers of files that were named. Raises HostError `config/…`."""
    from rtfs.capabilities.sessions.mcp.server_files import ServerTable, read_servers
    from rtfs.host.files import read_source

    table = ServerTable()
    for file in files:
        read_servers(read_source(file, "config/missing"), table)
    return table


def discovered(options: Options, *, asks: bool = True, told: Callable[[str], None] = _warn) -> FoundServers | None:
    """Look for `rtfs.yaml` and files of servers in the working folder, where the options name neither. A configuration
    goes into the options, once it is trusted; the servers of a `.mcp.json` alone are answered: a person is asked about
    it when one of them is needed. Raises HostError `config/untrusted`."""
    import os

    from rtfs.host.config.names import CONFIG, SERVERS

    if options.config is None:
        named = os.environ.get("RTFS_CONFIG")
        if named is not None:
            options.config = named or None
            return None
    if options.config is not None or not any(os.path.isfile(name) for name in (CONFIG, *SERVERS)):
        return None
    from rtfs.host.config.discovery import FoundServers, look, untrusted

    found = look(servers=not options.mcp_config)
    if found is None:
        return None
    ask = trusts(options.no_input) if asks else None
    if options.trust and not found.trusted:
        why = found.accept()
        if why:
            told(f"the yes cannot be kept: {why}")
    trusted = options.trust or found.trusted
    if found.config is None:
        return FoundServers(found, (lambda _: True) if options.trust else ask)
    if not trusted and not asks:
        error = untrusted(found)
        told(f"{error.message}, so not used; {error.hint}")
        found.config = None
        return FoundServers(found, None) if found.servers else None
    if not trusted and (ask is None or not ask(found)):
        raise untrusted(found)
    if not trusted:
        found.accept()
    options.config = found.config
    options.mcp_config += _sound(found.servers, told)
    return None


def _sound(files: list[str], told: Callable[[str], None]) -> list[str]:
    """Found files of servers, without those of several that are wrong as a whole: that is told."""
    from rtfs.host.config.discovery import read_table

    table = read_table(files)
    wrong = [(file, problem) for file in files if file in table and (problem := table.problem(file)) is not None]
    for file, problem in wrong:
        told(f"{file} is not used: {problem.message}")
    return [file for file in files if file not in dict(wrong)]


def parse_json(text: str, what: str) -> Any:
    """The data of a JSON text from the command line. Raises HostError `usage`, also for an object with a key twice."""
    import json

    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _object(what, pairs))
    except (ValueError, RecursionError) as error:
        hint = """a JSON object is written '{"name": "value"}'; the single quotes keep it from the shell"""
        raise HostError(f"{what} is not JSON: {error}", code="usage", hint=hint) from None


def _object(what: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise HostError(f"{what} has the key {twice!r} more than once", code="usage", hint="give each key once")
    return found


def parse_value(text: str, what: str) -> Any:
    """The RTFS value of a JSON text from the command line, with keywords as keys. Raises HostError `usage`."""
    from rtfs.values import from_python

    return from_python(parse_json(text, what), keywords=True)


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
