"""`rtfs mcp list|import|login|logout SERVER`: what a server offers, declarations of it as files; logins are in
`mcp_login`.

Must not know the wire. Invariants: only the server that was named is asked, with no grant (the person at the terminal
named it); what it says of itself reaches the terminal without control characters; nothing is written before everything
is known to be writable.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rtfs.cli.output import write
from rtfs.cli.usage import Parser, add_action
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
        from rtfs.cli.mcp_login import login, logout

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
