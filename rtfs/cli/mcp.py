"""`rtfs mcp list|show|import|diff|login|logout [SERVER]`: which servers a command is about, what they are asked.

Must not know the wire. Invariants: only the servers that were named are asked (all that are configured where none is),
with no grant, for the person at the terminal named them; files that were found, not named, are used once trusted; the
address to open for a login is always printed, and no token ever is.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rtfs.cli import mcp_inspect
from rtfs.cli.output import write
from rtfs.cli.usage_errors import Parser, add_action, add_server_options
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.target import Target
    from rtfs.capabilities.sessions.oauth.login_store import Login
    from rtfs.cli.mcp_inspect import Asked, Report
    from rtfs.cli.options import Options
    from rtfs.host.config.discovery import Found

SECONDS = 150.0
"""The time that a server has to list its tools."""


class Servers:
    """The configured servers, by name; the principal; the files that were found in the working folder, or None."""

    __slots__ = ("found", "principal", "table")

    def __init__(self, table: Any, principal: str, found: Found | None) -> None:
        self.table = table
        self.principal = principal
        self.found = found


def mcp(options: Options) -> int:
    """Run a subcommand of `rtfs mcp` with the options' `rest`. Raises UserError, SystemExit for usage."""
    words = options.rest
    if words[:1] == ["serve"]:
        from rtfs.cli.mcp_serve import serve

        return serve(words[1:], options)
    cut = words.index("--") if "--" in words else len(words)
    found = _parser().parse_args(words[:cut])
    options.json, options.debug = bool(found.json), bool(found.debug)
    command = words[cut + 1 :]
    if found.server is not None and command:
        raise HostError("name one server: a configured name, a URL, or -- COMMAND ARG…", code="usage")
    if found.server is None and not command:
        return _all(found, _servers(found))
    named = found.server is not None and not _is_address(found.server)
    servers = _servers(found, looks=named)
    tool = _split(found, servers.table) if named and found.action == "show" else getattr(found, "tool", None)
    target, name = _target(found, command)
    principal = found.principal or servers.principal
    if named:
        _check_known(found.server, servers.table)
    if found.action in ("login", "logout"):
        return (login if found.action == "login" else logout)(target, servers.table, principal, found)
    report = _run(ask(target, servers.table, principal), found)
    label = _label(target, servers.table)
    if found.action == "list":
        return mcp_inspect.list_tools(report.tools, found.json)
    if found.action == "show" and tool:
        return mcp_inspect.show_tool(name, report.tools, tool, found.json)
    if found.action == "show":
        return mcp_inspect.show_server(name, label, report, found.json)
    if found.action == "diff":
        return _show_differences({name: report}, servers.table, principal, found)
    from rtfs.cli.mcp_import import import_tools, show_rows, trust_again

    show_rows(import_tools(report, target, name, Path(found.output), found), found)
    trust_again(servers.found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="rtfs mcp", description="Inspect MCP servers, declare their tools, log in to them.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    shared = Parser(add_help=False)
    shared.add_argument(
        "server", nargs="?", metavar="SERVER", help="configured name or URL; or -- COMMAND ARG… at the end"
    )
    shared.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    add_server_options(shared)
    shared.add_argument("--no-input", action="store_true", help="never ask")
    shared.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="variable for -- COMMAND; NAME alone passes yours on",
    )
    shared.add_argument("--name", metavar="NAME", help="server name in ids: mcp.NAME.TOOL")
    shared.add_argument("--principal", metavar="NAME", help="user to act for (default: as configured, else local)")
    shared.add_argument("--json", action="store_true", help="print JSON")
    shared.add_argument("--debug", action="store_true", help="show Python tracebacks")
    add_action(actions, "list", "list the servers, or a server's tools", shared)
    showing = add_action(actions, "show", "show everything about a server, or about SERVER.TOOL", shared)
    showing.add_argument("--tool", metavar="TOOL", help="a tool, for a server without a name")
    importing = add_action(actions, "import", "write a declaration for each tool; one folder per server", shared)
    importing.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the files")
    importing.add_argument("--force", action="store_true", help="overwrite files with different content")
    importing.add_argument("--all", action="store_true", help="declare resources, prompts and completion too")
    importing.add_argument("--prune", action="store_true", help="delete declarations of tools that are gone")
    differing = add_action(actions, "diff", "show how tools differ from those pinned at first use", shared)
    differing.add_argument("--accept", action="store_true", help="accept the tools as they are now")
    logging_in = add_action(actions, "login", "log in with a browser, and store the tokens", shared)
    logging_in.add_argument(
        "--scope", action="append", default=[], metavar="SCOPES", help="additional scopes to request"
    )
    logging_in.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    logging_in.add_argument(
        "--wait", type=float, default=300.0, metavar="SECONDS", help="time for the login (default: 300)"
    )
    add_action(actions, "logout", "delete the tokens here, and revoke them at the issuer", shared)
    actions.add_parser("serve", add_help=False, help="serve plans as tools, or let models write plans")
    return parser


# ---------------------------------------------------------------------- which servers
def _is_address(server: str) -> bool:
    return server.startswith(("http://", "https://"))


def _target(found: argparse.Namespace, command: list[str]) -> tuple[dict[str, Any], str]:
    """The metadata that say where the server is, and what its ids begin with."""
    if found.env and not command:
        raise HostError("--env is for -- COMMAND", code="usage", hint="a configured server has `env` in its entry")
    if command:
        target: dict[str, Any] = {"command": command[0], "args": command[1:]}
        if found.env:
            target["env"] = _variables(found.env)
        return target, found.name or Path(command[0]).name
    server = found.server
    if _is_address(server):
        import httpx

        try:
            host = httpx.URL(server).host
        except httpx.InvalidURL:
            raise HostError("the server's URL cannot be read", code="usage") from None
        more = {"server_name": found.name} if found.name else {}
        return {"server_url": server, **more}, found.name or host.replace(".", "_").replace(":", "_")
    return {"server_name": server}, found.name or server


def _variables(words: list[str]) -> dict[str, str]:
    """The variables that `--env` options name. Raises HostError `usage`."""
    found: dict[str, str] = {}
    for word in words:
        name, value = _variable(word)
        if name in found:
            raise HostError(f"--env gives {name} more than once", code="usage", hint="give each variable once")
        found[name] = value
    return found


def _variable(word: str) -> tuple[str, str]:
    """Name and value of a variable; without a value, ours."""
    name, equals, value = word.partition("=")
    if not name:
        raise HostError(f"--env takes NAME=VALUE, not {word!r}", code="usage")
    if not equals:
        if name not in os.environ:
            raise HostError(f"{name} is not set here", code="usage", hint=f"write --env {name}=VALUE")
        value = os.environ[name]
    return name, value


def _servers(found: argparse.Namespace, *, looks: bool = True) -> Servers:
    """The configured servers. looks: also those of files in the working folder. Raises HostError `config/…`."""
    from rtfs.capabilities.sessions.mcp.server_files import ServerTable
    from rtfs.cli import wiring
    from rtfs.cli.options import Options

    options = Options("mcp")
    options.config, options.mcp_config, options.no_input = found.config, [*found.mcp_config], found.no_input
    options.trust = found.trust
    named = options.config is not None
    servers = wiring.discovered(options) if looks else None
    if servers is not None:
        servers.open()
        return Servers(servers.table, "local", servers.found)
    if options.config is not None:
        from rtfs.host.config.config import read_config
        from rtfs.host.config.discovery import look

        config = read_config(options.config)
        table = config.servers(options.mcp_config)
        there = None if named or os.environ.get("RTFS_CONFIG") is not None else look(servers=not found.mcp_config)
        return Servers(ServerTable() if table is None else table, config.settings.principal, there)
    return Servers(wiring.named_servers(options.mcp_config), "local", None)


def _check_known(name: str, servers: Any) -> None:
    """Raises HostError `usage` for a server that no configuration names."""
    if name in servers:
        return
    from rtfs.syntax.suggest import did_you_mean

    near = did_you_mean(name, list(servers))
    if near:
        hint = f"did you mean {near}?"
    elif len(servers):
        hint = "there are " + ", ".join(list(servers)[:12])
    else:
        hint = (
            "there is no .mcp.json or rtfs.yaml here; name a file with --mcp-config FILE, or a server with -- COMMAND"
        )
    raise HostError(f"no configuration names a server {name!r}", code="usage", hint=hint)


def _split(found: argparse.Namespace, servers: Any) -> str | None:
    """The tool of `SERVER.TOOL`, also as `mcp.SERVER.TOOL`, which leaves the server alone in `found`."""
    for word in (found.server, found.server.removeprefix("mcp.")):
        names = [name for name in servers if word == name or word.startswith(name + ".")]
        if names:
            found.server = max(names, key=len)
            return str(word[len(found.server) + 1 :] or found.tool or "") or None
    found.server = found.server.partition(".")[0] if "." in found.server else found.server
    return str(found.tool) if found.tool else None


def _label(target: dict[str, Any], servers: Any) -> str:
    """The description of a server for people; empty for an unusable server."""
    from rtfs.capabilities.sessions.mcp import McpHandler

    metadata = {f"mcp_{key}": value for key, value in target.items()} | {"mcp_requires_session": "auto"}
    try:
        return str(McpHandler(servers=servers).target("", metadata).label)
    except HostError:
        return ""


# ---------------------------------------------------------------------- all servers
def _all(found: argparse.Namespace, servers: Servers) -> int:
    """Run the action for every configured server."""
    if found.action not in ("list", "import", "diff"):
        known = ", ".join(servers.table)
        hint = f"configured: {known}" if known else None
        raise HostError("name one server: a configured name, a URL, or -- COMMAND ARG…", code="usage", hint=hint)
    if not len(servers.table):
        raise HostError(
            "no server is configured here",
            code="usage",
            hint="write a .mcp.json, name one with --mcp-config FILE, or name a server: a URL, or -- COMMAND ARG…",
        )
    principal = found.principal or servers.principal
    asked = _run(_ask_all(servers.table, principal), found)
    targets = {name: _label({"server_name": name}, servers.table) for name in asked}
    if found.action == "list":
        return mcp_inspect.list_servers(asked, targets, found.json)
    reports: dict[str, Report] = {}
    bad = 0
    for name, report in asked.items():
        if not isinstance(report, HostError):
            reports[name] = report
        elif report.code != "config/disabled":
            from rtfs.cli.report import warn

            bad = 1
            warn(f"{name}: {report.code}: {report.message}", report.span)
    if found.action == "diff":
        return max(bad, _show_differences(reports, servers.table, principal, found))
    from rtfs.capabilities.sessions.mcp.tool_declarations import safe_name
    from rtfs.cli.mcp_import import import_tools, show_rows, trust_again

    rows: list[Any] = []
    for name, report in reports.items():
        rows += import_tools(report, {"server_name": name}, name, Path(found.output) / safe_name(name), found)
    show_rows(rows, found)
    trust_again(servers.found)
    return bad


async def _ask_all(servers: Any, principal: str) -> Asked:
    """The answers of all servers, asked at the same time."""
    from asyncio import gather

    async def one(name: str) -> Report | HostError:
        problem: HostError | None = servers.problem(name)
        if problem is not None:
            return problem
        try:
            return await ask({"server_name": name}, servers, principal)
        except HostError as error:
            return error

    names = list(servers)
    return dict(zip(names, await gather(*map(one, names)), strict=True))


def _show_differences(reports: dict[str, Report], servers: Any, principal: str, found: argparse.Namespace) -> int:
    """Show how the tools of servers differ from their pins, and accept them with `--accept`; 1 if they do and stay
    so."""
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.capabilities.sessions.mcp.undeclared_tools import metadata_of

    handler = McpHandler(servers=servers)
    differences: dict[str, list[Any] | None] = {}
    for name, report in reports.items():
        if name not in servers:
            raise HostError("only tools of configured servers are pinned", code="usage")
        target = handler.target("", metadata_of(name, handler.name))
        before = handler.pins.tools(name, target, principal)
        now = {tool["name"]: tool for tool in report.tools}
        differences[name] = mcp_inspect.changes(before, now) if before else None
        if found.accept:
            handler.pins.accept(name, target, principal, report.tools)
    mcp_inspect.show_changes(differences, found.json)
    return 1 if any(differences.values()) and not found.accept else 0


# ---------------------------------------------------------------------- asking
def _run(work: Any, found: argparse.Namespace) -> Any:
    """Run a coroutine and return its result. The error of a started server that fails gets a hint about missing
    variables."""
    import asyncio

    try:
        return asyncio.run(work)
    except HostError as error:
        started = found.server is None and error.code == "session/unavailable"
        if started and not found.env and not error.hint:
            error.hint = "a server that needs variables of yours gets them with --env NAME (or NAME=VALUE) before --"
        raise


async def ask(target: dict[str, Any], servers: Any, principal: str, *, logins: bool = True) -> Report:
    """The server's description of itself and of its tools, as an interactive client gets them. logins: use the stored
    login or credential. Raises HostError `session/…`."""
    from time import monotonic

    from rtfs.capabilities.sessions.handler import Credential, SessionCall
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.capabilities.sessions.pool import SessionPool
    from rtfs.cli.mcp_inspect import Report
    from rtfs.values import Map

    handler = McpHandler(servers=servers)
    metadata = {f"mcp_{key}": value for key, value in target.items()} | {"mcp_requires_session": "auto"}
    names = handler.credential_env(metadata) if logins else ()
    held = next(((v, n) for n in names if (v := os.environ.get(n))), None)
    call = SessionCall(
        "tools/list",
        metadata,
        Map(),
        principal=principal,
        credential=None if held is None else Credential(*held),
        deadline=monotonic() + SECONDS,
        logins=logins,
        ask=_decline,
    )

    async def look(session: Any, call: Any) -> Report:
        return Report(session, await handler.list_tools(session, call))

    pool = SessionPool({"mcp": handler})
    try:
        report: Report = await pool.with_session("mcp", call, look)
        return report
    finally:
        await pool.aclose()


async def _decline(question: Any) -> Any:
    """Listing tools asks no questions; but servers are to know that a person could be asked."""
    from rtfs.capabilities.sessions.questions import DECLINE, Answer

    return Answer(DECLINE)


# ---------------------------------------------------------------------- logins
def login(target: dict[str, Any], servers: Any, principal: str, found: argparse.Namespace) -> int:
    """Log in and store the tokens. Raises HostError `session/…`, `usage`."""
    import asyncio

    server = _server(target, servers)
    settings = server.oauth or {}
    grant = settings.get("grant", "authorization_code")
    if grant != "authorization_code":
        raise HostError(f"{server.login_name} is configured with the grant {grant}, which needs no login", code="usage")
    if not found.wait > 0:
        raise HostError("--wait takes more than 0 seconds", code="usage")
    _warn_of_credentials(server, target, servers)
    made = asyncio.run(_log_in(server, target, servers, principal, found))
    if found.json:
        import json

        write(json.dumps({"server": made.server, "scopes": made.scopes, "expires": made.expires or None}))
    else:
        write(f"logged in to {server.login_name}" + (f", {made.lasts}" if made.lasts else ""))
    return 0


def logout(target: dict[str, Any], servers: Any, principal: str, found: argparse.Namespace) -> int:
    """Forget the tokens. Raises HostError `session/store`, `usage`."""
    import asyncio

    from rtfs.capabilities.sessions.oauth.login import log_out
    from rtfs.capabilities.sessions.oauth.login_store import Store

    server = _server(target, servers)
    work = log_out(server.url, server.oauth or {}, principal=principal, store=Store(), environ=os.environ)
    known, revoked = asyncio.run(work)
    if found.json:
        import json

        write(json.dumps({"server": str(server.url), "known": known, "revoked": revoked}))
    elif known:
        there = "" if revoked else "; its tokens may be good at the server until they end"
        write(f"logged out of {server.login_name}{there}")
    else:
        write(f"there was no login to {server.login_name}")
    return 0


def _server(target: dict[str, Any], servers: Any) -> Target:
    from rtfs.capabilities.sessions.mcp.target import Target

    name = target.get("server_name")
    named = "server_url" not in target and name in servers
    server = Target({**target, **(servers[name] if named else {})}, None, configured=named)
    if server.url is None:
        raise HostError("a server that is started has no login", code="usage", hint="give it credentials with env")
    return server


def _warn_of_credentials(server: Target, target: dict[str, Any], servers: Any) -> None:
    """Say what comes before a login."""
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.cli.report import warn

    names = McpHandler(servers=servers).credential_env({f"mcp_{key}": value for key, value in target.items()})
    held = next((name for name in names if os.environ.get(name)), None)
    if held is not None:
        warn(f"{held} is set, which comes before a login", None)
    elif server.oauth is None and "authorization" in map(str.lower, server.headers):
        warn("the server has a configured Authorization header, which comes before a login", None)


async def _log_in(
    server: Target, target: dict[str, Any], servers: Any, principal: str, found: argparse.Namespace
) -> Login:
    from rtfs.capabilities.sessions.handler import NotSent
    from rtfs.capabilities.sessions.oauth.login import log_in
    from rtfs.capabilities.sessions.oauth.login_store import Store
    from rtfs.host.redaction import know

    try:
        return await log_in(
            server.url,
            server.oauth or {},
            principal=principal,
            store=Store(),
            environ=os.environ,
            show=lambda address: _show(address, browser=not found.no_browser),
            challenge=await _challenge(target, servers, principal),
            scopes=[scope for words in found.scope for scope in words.split()],
            seconds=found.wait,
            learn=know,
        )
    except NotSent as signal:
        raise signal.error from signal.__cause__


async def _challenge(target: dict[str, Any], servers: Any, principal: str) -> str:
    """The server's challenge to a client without a login, "" if it needs none."""
    from rtfs.values import Keyword, Map

    try:
        await ask(target, servers, principal, logins=False)
    except HostError as error:
        if error.code != "session/unauthorized":
            raise
        said = error.data.get(Keyword("www-authenticate")) if isinstance(error.data, Map) else None
        return said if isinstance(said, str) else ""
    return ""


def _show(address: str, *, browser: bool) -> None:
    print(f"to log in, open this address in a browser:\n\n  {address}\n", file=sys.stderr, flush=True)
    screen = sys.platform == "darwin" or any(os.environ.get(key) for key in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    if browser and screen:  # without one, a browser would take over the terminal
        import webbrowser
        from threading import Thread

        # In a thread of its own: some browsers return only when they are closed.
        Thread(target=_open, args=(webbrowser.open, address), daemon=True).start()


def _open(opening: Any, address: str) -> None:
    try:
        opening(address)
    except Exception:  # the address is on the terminal
        pass
