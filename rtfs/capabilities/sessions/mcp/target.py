"""The server that a capability's flat metadata describes: its address or command, and its requirements.

Must not connect to anything. Invariant: a target's label holds no user info, no query and no secret, and two targets
that differ in anything that matters to the server have different identities.
"""

from __future__ import annotations

import os

from rtfs.capabilities.sessions.handler import CALL, PRINCIPAL, RUN, SessionError, SessionKey, fingerprint, one_line
from rtfs.capabilities.sessions.mcp.protocol import HANDSHAKE_VERSIONS, SESSIONLESS_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
"""Variables that a started server inherits from our environment; it gets others only if they are named for it."""

_SECRET_WORDS = ("token", "key", "secret", "pass", "auth", "credential", "bearer", "header")
_URL_KEYS = ("server_url", "server_endpoint", "url")


class Target:
    """One server, as some capabilities describe it.

    url: of an HTTP server, else None; command, args, env, cwd: of a server to start. name: `server_name`. label: for
    people. headers, oauth: from configuration; none of them where an override leads to another origin. requires: "auto"
    or "true". version: the one revision to speak, or None. scope: whose sessions are, or None. restorable: a resumed
    run may go on in a new session. roots: folders that the
    server is told of, as (URI, name), or None. transport: `sse` for the two endpoints of 2024-11-05, else found out.
    identity: what distinguishes it from others with this label.
    login_name: what `login` calls it: the configured name, else the URL.
    """

    __slots__ = (
        "args", "command", "cwd", "env", "headers", "identity", "keys", "label", "login_name", "name", "oauth",
        "requires", "restorable", "roots", "scope", "transport", "url", "version",
    )  # fmt: skip

    def __init__(self, fields: Mapping[str, Any], overridden: str | None, *, configured: bool = False) -> None:
        self.name = text(fields.get("server_name"))
        self.requires = "true" if fields.get("requires_session") in ("true", True) else "auto"
        self.login_name = self.name or ""
        self.version = text(fields.get("protocol_version"))
        if self.version is not None and self.version not in HANDSHAKE_VERSIONS + SESSIONLESS_VERSIONS:
            raise SessionError(f"{self.version} is not a supported MCP revision", code="session/target")
        self.scope = text(fields.get("session_scope")) or text(fields.get("scope"))
        if self.scope not in (None, PRINCIPAL, RUN, CALL):
            shown = one_line(self.scope or "", 40)
            raise SessionError(f"a session's scope is principal, run or call, not {shown!r}", code="session/target")
        self.restorable = fields.get("session_restorable") in (True, "true")
        self.roots = _roots(fields.get("roots"))
        self.transport = text(fields.get("transport"))
        self.url: Any = None
        self.command: str | None = None
        self.args: tuple[str, ...] = ()
        self.env: dict[str, str] = {}
        self.cwd = text(fields.get("cwd"))
        raw_headers = fields.get("headers")
        self.headers: dict[str, str] = dict(raw_headers) if isinstance(raw_headers, dict) else {}
        oauth = fields.get("oauth")
        self.oauth: dict[str, Any] | None = oauth if isinstance(oauth, dict) else None
        self.keys: dict[tuple[str | None, str, bool], SessionKey] = {}
        address = next((found for key in _URL_KEYS if (found := text(fields.get(key)))), None)
        if overridden is not None and address is not None and not _same_origin(overridden, address):
            self.headers, self.oauth = {}, None
            configured = False
        if overridden is not None or address is not None:
            self._http(overridden or address or "")
            named = configured and self.name is not None and overridden in (None, address)
            self.login_name = str(self.name if named else self.url)
        elif text(fields.get("command")):
            self._process(fields)
        else:
            raise SessionError(
                "the capability's metadata name neither a server's URL nor a command",
                code="session/target",
                hint="set :server_url, or :command and :args, or name a configured server with :server_name",
            )

    def _http(self, address: str) -> None:
        import httpx

        try:
            url = httpx.URL(address.strip())
        except Exception:
            raise SessionError("the server's URL cannot be read", code="session/target") from None
        if url.scheme not in ("http", "https") or not url.host:
            shown = one_line(address.partition("?")[0].rpartition("@")[2], 80)
            raise SessionError(f"{shown!r} is not an http or https URL", code="session/target")
        if url.userinfo:
            raise SessionError(
                f"the URL of {url.host} contains a user name or password",
                code="session/target",
                hint="put the credential into an environment variable and name it with :auth_env_var",
            )
        self.url = url.copy_with(fragment=None)
        port = f":{url.port}" if url.port is not None else ""
        host = f"[{url.host}]" if ":" in url.host else url.host
        self.label = f"{url.scheme}://{host}{port}{url.path}"
        self.identity = fingerprint(
            str(self.url), *self._pairs(self.headers), self.version, self.requires, repr(self.oauth), self.transport
        )

    def _process(self, fields: Mapping[str, Any]) -> None:
        import shlex

        command = text(fields.get("command")) or ""
        raw = fields.get("args")
        if isinstance(raw, str):
            args = tuple(shlex.split(raw))
        else:
            args = tuple(str(part) for part in raw) if raw is not None else ()
        given = fields.get("env")
        env = dict(given.items()) if isinstance(given, dict) else {}
        env.update({key[4:]: value for key, value in fields.items() if key.startswith("env_")})
        if any("\0" in part for part in (command, *args, *env, *map(str, env.values()))):
            raise SessionError("the server's command holds a NUL character", code="session/target")
        self.command, self.args = command, args
        self.env = {str(key): str(value) for key, value in env.items()}
        self.label = one_line(" ".join((os.path.basename(command), *_shown(args))), 120)
        self.identity = fingerprint(command, *args, "", *self._pairs(self.env), self.cwd, self.version)

    def key(self, secret: str | None, principal: str, logins: bool = False) -> SessionKey:
        """The session key of a caller. logins: whether a stored login is used where there is no secret."""
        found = self.keys.get((secret, principal, logins))
        if found is None:
            if len(self.keys) > 1000:
                self.keys.clear()
            mark = fingerprint("", "login") if secret is None and logins and self.url is not None else ""
            found = SessionKey(self.label, fingerprint(secret) or mark, principal, self.identity)
            self.keys[secret, principal, logins] = found
        return found

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """The environment of a started server: an allow-list of ours, and what was named for it."""
        inherited = {name: own[name] for name in INHERITED if name in own and not own[name].startswith("()")}
        return {**inherited, **self.env}

    @staticmethod
    def _pairs(values: Mapping[str, str]) -> list[str]:
        return [part for key in sorted(values) for part in (key, values[key])]


def _roots(value: Any) -> tuple[tuple[str, str], ...] | None:
    """Folders, given as paths or `file:` URIs, as (URI, name)."""
    if value is None:
        return None
    from pathlib import Path

    found = []
    for one in [value] if isinstance(value, str) else value:
        place = str(one)
        uri = place if place.startswith("file:") else Path(place).expanduser().absolute().as_uri()
        found.append((uri, uri.rstrip("/").rpartition("/")[2]))
    return tuple(found)


def _same_origin(one: str, other: str) -> bool:
    """Whether two addresses lead to the same scheme, host and port."""
    import httpx

    from rtfs.capabilities.sessions.wire.http import origin

    try:
        return origin(httpx.URL(one.strip())) == origin(httpx.URL(other.strip()))
    except Exception:
        return False


def _shown(args: tuple[str, ...]) -> list[str]:
    """A command's arguments for people: without the values of options that sound secret, or words that look random."""
    shown: list[str] = []
    hide = False
    for arg in args:
        name, equals, _ = arg.partition("=")
        sounds = any(word in name.lower() for word in _SECRET_WORDS)
        if equals and sounds:
            shown.append(f"{name}=***")
        elif hide or (len(arg) >= 20 and arg.isalnum() and not arg.isalpha()):
            shown.append("***")
        else:
            shown.append(arg)
        hide = arg.startswith("-") and not equals and sounds
    return shown


def text(value: Any) -> str | None:
    """A metadata value as text, None for nothing."""
    if isinstance(value, str):
        return value.strip() or None
    return None if value is None or value is True or value is False else str(value)
