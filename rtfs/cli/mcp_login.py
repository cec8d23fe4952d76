"""`rtfs mcp login|logout SERVER`: a login in the browser of the person at the terminal.

Must not know OAuth beyond its outcome. Invariants: the address to open is always printed; no token ever is.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli.output import write
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from rtfs.capabilities.sessions.mcp.target import Target
    from rtfs.capabilities.sessions.oauth.login_store import Login


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
    from rtfs.cli.mcp import ask
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
