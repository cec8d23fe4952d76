"""`rtfs mcp list|import|login|logout SERVER`: what a server offers, its declarations as files, a login in the browser.

Must not know the wire. Invariants: only the server that was named is asked, with no grant (the person at the terminal
named it); what it says of itself reaches the terminal without control characters; nothing is written before everything
is known to be writable; the address to open for a login is always printed, and no token ever is.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rtfs.cli.output import write
from rtfs.cli.usage import Parser, add_action
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.target import Target
    from rtfs.capabilities.sessions.oauth.login_store import Login
    from rtfs.cli.options import Options

SECONDS = 60.0
"""The time that a server has to list its tools."""


def mcp(options: Options) -> int:
    """Run a subcommand of `rtfs mcp` with the options' `rest`. Raises UserError, SystemExit for usage."""
    words = options.rest
    cut = words.index("--") if "--" in words else len(words)
    found = _parser().parse_args(words[:cut])
    options.json, options.debug = bool(found.json), bool(found.debug)
    command = words[cut + 1 :]
    if (found.server is None) == (not command):
        known = ", ".join(_servers(found)[0])
        hint = f"configured: {known}" if known else None
        raise HostError("name one server: a configured name, a URL, or -- COMMAND ARG…", code="usage", hint=hint)
    target, name = _target(found, command)
    servers, principal = _configured(target, found)
    if found.action in ("login", "logout"):
        return (login if found.action == "login" else logout)(target, servers, principal, found)
    tools = _tools(target, servers, principal)
    return _list(tools, options.json) if found.action == "list" else _import(tools, target, name, found)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="rtfs mcp", description="Look at MCP servers, declare their tools, log in where they want it.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    shared = Parser(add_help=False)
    shared.add_argument(
        "server", nargs="?", metavar="SERVER", help="configured name or URL; or -- COMMAND ARG… at the end"
    )
    shared.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml)")
    shared.add_argument("--mcp-config", action="append", default=[], metavar="FILE", help="file of servers (.mcp.json)")
    shared.add_argument("--name", metavar="NAME", help="server name in ids: mcp.NAME.TOOL")
    shared.add_argument("--principal", metavar="NAME", help="on whose behalf (default: as configured, else local)")
    shared.add_argument("--json", action="store_true", help="print JSON")
    shared.add_argument("--debug", action="store_true", help="show Python tracebacks")
    add_action(actions, "list", "the server's tools, a line each", shared)
    importing = add_action(actions, "import", "write a declaration for each tool", shared)
    importing.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the files")
    importing.add_argument("--force", action="store_true", help="write over files that say something else")
    logging_in = add_action(actions, "login", "log in with a browser, and keep the tokens", shared)
    logging_in.add_argument("--scope", action="append", default=[], metavar="SCOPES", help="further scopes to ask for")
    logging_in.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    logging_in.add_argument(
        "--wait", type=float, default=300.0, metavar="SECONDS", help="time for the login (default: 300)"
    )
    add_action(actions, "logout", "forget the tokens, here and at the issuer", shared)
    return parser


def _target(found: argparse.Namespace, command: list[str]) -> tuple[dict[str, Any], str]:
    """The metadata that say where the server is, and what its ids begin with."""
    if command:
        return {"command": command[0], "args": command[1:]}, found.name or Path(command[0]).name
    server = found.server
    if server.startswith(("http://", "https://")):
        import httpx

        try:
            host = httpx.URL(server).host
        except httpx.InvalidURL:
            raise HostError("the server's URL cannot be read", code="usage") from None
        more = {"server_name": found.name} if found.name else {}
        return {"server_url": server, **more}, found.name or host.replace(".", "_").replace(":", "_")
    return {"server_name": server}, found.name or server


def _servers(found: argparse.Namespace) -> tuple[Any, str]:
    """The servers and the principal that the configuration names."""
    from rtfs.capabilities.sessions.mcp.server_files import ServerTable, read_servers
    from rtfs.host.files import read_source

    if found.config is not None:
        from rtfs.host.config.config import read_config

        config = read_config(found.config)
        return config.servers(found.mcp_config) or ServerTable(), config.settings.principal
    table = ServerTable()
    for path in found.mcp_config:
        read_servers(read_source(path, "config/missing"), table)
    return table, "local"


def _configured(target: dict[str, Any], found: argparse.Namespace) -> tuple[Any, str]:
    """The configured servers and the principal. Raises HostError `usage` for a name that is not among them."""
    servers, principal = _servers(found)
    wanted = target.get("server_name")
    if "server_url" not in target and wanted is not None and wanted not in servers:
        from rtfs.syntax.suggest import did_you_mean

        near = did_you_mean(wanted, list(servers))
        hint = f"did you mean {near}?" if near else "name it in rtfs.yaml (--config) or a .mcp.json (--mcp-config)"
        raise HostError(f"no configuration names a server {wanted!r}", code="usage", hint=hint)
    return servers, found.principal or principal


def _tools(target: dict[str, Any], servers: Any, principal: str) -> list[dict[str, Any]]:
    import asyncio

    return asyncio.run(ask(target, servers, principal))


async def ask(target: dict[str, Any], servers: Any, principal: str, *, logins: bool = True) -> list[dict[str, Any]]:
    """The server's tools. logins: use the stored login or credential. Raises HostError `session/…`."""
    from time import monotonic

    from rtfs.capabilities.sessions.handler import Credential, SessionCall
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.capabilities.sessions.pool import SessionPool
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
    )
    pool = SessionPool({"mcp": handler})
    try:
        tools: list[dict[str, Any]] = await pool.with_session("mcp", call, handler.list_tools)
        return tools
    finally:
        await pool.aclose()


def _list(tools: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        import json

        write(json.dumps(tools))
        return 0
    from rtfs.capabilities.sessions.handler import one_line

    names = [one_line(tool["name"], 80) for tool in tools]
    width = min(max(map(len, names), default=0), 40)
    for name, tool in zip(names, tools, strict=True):
        description = tool.get("description")
        write(f"{name:<{width}}  {one_line(description, 160) if isinstance(description, str) else ''}".rstrip())
    return 0


def _import(tools: list[dict[str, Any]], target: dict[str, Any], name: str, found: argparse.Namespace) -> int:
    from rtfs.capabilities.sessions.mcp.tool_declarations import declarations
    from rtfs.cli.report import warn

    notes: list[str] = []
    made = declarations(tools, name, target, notes)
    for note in notes:
        warn(note, None)
    folder = Path(found.output)
    try:
        states = {one.file: _state(folder / one.file, one.text) for one in made}
        other = [one for one in made if states[one.file] == "changed"]
        if other and not found.force:
            named = ", ".join(one.file for one in other[:5]) + (" …" if len(other) > 5 else "")
            strange = any(f'(capability "{one.id}"' not in _said(folder / one.file) for one in other)
            raise HostError(
                f"{folder} already says something else in {named}",
                code="file/exists",
                hint="that is no declaration of this server's tool: import into a folder of its own"
                if strange
                else "look at what changed, then import with --force",
            )
        folder.mkdir(parents=True, exist_ok=True)
        for one in made:
            if states[one.file] != "unchanged":
                _write(folder / one.file, one.text)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise HostError(f"cannot write to {folder}: {why}", code="file/unwritable") from None
    if found.json:
        import json

        rows = [
            {"id": one.id, "tool": one.tool, "file": str(folder / one.file), "state": states[one.file]} for one in made
        ]
        write(json.dumps(rows))
    else:
        for one in made:
            write(f"{states[one.file]:<9}  {folder / one.file}  {one.id}")
    return 0


def _state(path: Path, text: str) -> str:
    if not os.path.lexists(path):
        return "new"
    return "unchanged" if not path.is_symlink() and _said(path) == text else "changed"


def _said(path: Path) -> str:
    """What a file says; nothing if that is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except ValueError:
        return ""


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; a link in its place is replaced, never followed."""
    import tempfile

    handle, temporary = tempfile.mkstemp(prefix=".rtfs-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


# ---------------------------------------------------------------------- logins
def login(target: dict[str, Any], servers: Any, principal: str, found: argparse.Namespace) -> int:
    """Log in and store the tokens. Raises HostError `session/…`, `usage`."""
    import asyncio

    server = _server(target, servers)
    settings = server.oauth or {}
    if settings.get("grant") == "client_credentials":
        raise HostError(f"{server.login_name} is configured with client credentials, which need no login", code="usage")
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
    work = log_out(server.url, server.oauth or {}, principal=principal, store=Store())
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
    """What the server says to somebody who is not logged in, "" if it lets them in."""
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
