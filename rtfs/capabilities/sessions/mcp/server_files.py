"""MCP servers by name: from `rtfs.yaml`, and from the files of other programs (`.mcp.json`, VS Code's).

Must not connect to anything, nor look for files that nobody named. Invariants: whatever is wrong with an entry is a
HostError with its place, said when the file is read; a variable that is not set is said when its server is used, so one
server's missing secret does not keep the others from working. Of two entries with one name the first wins.

Source: the `.mcp.json` of Claude Code (`mcpServers`, `${VAR}`, `${VAR:-default}`) and the `mcp.json` of VS Code
(`servers`, `${env:VAR}`, `${input:id}`, comments).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rtfs.source import Source, Span
from rtfs.values import HostError

if TYPE_CHECKING:
    pass

_KEYS = frozenset(
    ("url", "serverUrl", "headers", "command", "args", "env", "cwd", "oauth", "protocol_version", "auth_env_var")
)
_OAUTH_KEYS = frozenset(
    ("grant", "client_id", "client_id_env", "client_secret_env", "client_auth", "scopes", "issuer", "redirect_uri")
)
_CLIENT_AUTH = ("client_secret_basic", "client_secret_post")
_GRANTS = ("authorization_code", "client_credentials")
_LOOPBACK_URI = re.compile(r"http://(?:127\.0\.0\.1|localhost):[1-9]\d{0,4}/[\w./-]*", re.ASCII)
_VARIABLE = re.compile(r"\$\{(?:(env|input):)?([^}:]+)(?::-([^}]*))?\}")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],:]|[^\s{}\[\],:"/]+|/', re.DOTALL)


class ServerTable(Mapping[str, Mapping[str, Any]]):
    """name → the fields of a server (`url` `headers` `oauth` or `command` `args` `env` `cwd`), variables resolved.

    environ: where variables are looked up; the process's own by default.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._entries: dict[str, tuple[dict[str, Any], Span]] = {}
        self._environ = environ

    def add(self, name: str, entry: Any, place: Span) -> None:
        """Check an entry and keep it, unless the name is taken. Raises HostError `config/invalid`."""
        checked = _checked(name, entry, place)
        self._entries.setdefault(name, (checked, place))

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        """Raises HostError `config/variable` for a variable that is not set."""
        entry, place = self._entries[name]
        found: dict[str, Any] = self._resolved(entry, name, place)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def _resolved(self, value: Any, name: str, place: Span) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(item, name, place) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item, name, place) for item in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        return _VARIABLE.sub(lambda match: self._variable(match, name, place), value)

    def _variable(self, match: re.Match[str], name: str, place: Span) -> str:
        import os

        kind, word, default = match[1], match[2], match[3]
        variable = re.sub(r"[^A-Za-z0-9]+", "_", word).upper() if kind == "input" else word
        found = (os.environ if self._environ is None else self._environ).get(variable)
        if found:
            return found
        if default is not None:
            return default
        if kind == "input":
            message = f"the server {name} wants the input {word!r}, and nobody is asked here"
        else:
            message = f"the server {name} wants the environment variable {variable}, which is not set"
        raise HostError(message, code="config/variable", span=place, hint=f"set {variable}")


def read_servers(source: Source, table: ServerTable) -> None:
    """Add the servers of a file to a table. Raises HostError `config/json`, `config/invalid`."""
    data, places = _parse(source)
    whole = Span(source, 0, 1)
    if not isinstance(data, dict):
        raise HostError("a file of MCP servers is a JSON object", code="config/invalid", span=whole)
    key = next((key for key in ("mcpServers", "servers") if key in data), None)
    if key is None:
        raise HostError(
            "this file names no MCP servers: neither mcpServers nor servers", code="config/invalid", span=whole
        )
    servers = data[key]
    if not isinstance(servers, dict):
        raise HostError(f"{key} is an object of servers by name", code="config/invalid", span=places.get((key,), whole))
    for name, entry in servers.items():
        table.add(name, entry, places.get((key, name), whole))


def _checked(name: str, entry: Any, place: Span) -> dict[str, Any]:
    def wrong(message: str, hint: str | None = None) -> HostError:
        return HostError(f"the server {name!r}: {message}", code="config/invalid", span=place, hint=hint)

    if not name or not name.isprintable():
        raise wrong("a name is printable text")
    if not isinstance(entry, dict):
        raise wrong("a server is an object with url or command")
    if entry.get("type") == "sse":
        raise wrong("the two-endpoint HTTP+SSE transport is not supported", "look for its Streamable HTTP endpoint")
    fields = {key: value for key, value in entry.items() if key in _KEYS}
    if "serverUrl" in fields:
        fields.setdefault("url", fields.pop("serverUrl"))
    if ("url" in fields) == ("command" in fields):
        raise wrong("either url or command, and not both")
    for key in ("url", "command", "cwd", "protocol_version", "auth_env_var"):
        if key in fields and (not isinstance(fields[key], str) or not fields[key].strip()):
            raise wrong(f"{key} is a text")
    for key in ("headers", "env"):
        given = fields.get(key, {})
        if not isinstance(given, dict) or not all(isinstance(value, (str, int, float)) for value in given.values()):
            raise wrong(f"{key} is an object of texts")
        if key in fields:
            fields[key] = {
                str(one): value if isinstance(value, str) else json.dumps(value) for one, value in given.items()
            }
    arguments = fields.get("args", [])
    if not isinstance(arguments, list) or not all(isinstance(one, str) for one in arguments):
        raise wrong("args is a list of texts")
    if "oauth" in fields:
        _check_oauth(fields, wrong)
    return fields


def _check_oauth(fields: dict[str, Any], wrong: Any) -> None:
    """Check `oauth`, and spell it our way (`clientId` and `callbackPort` are Claude Code's)."""
    given = fields["oauth"]
    if not isinstance(given, dict) or "url" not in fields:
        raise wrong("oauth is an object, for a server with a url")
    oauth = fields["oauth"] = dict(given)
    port = oauth.pop("callbackPort", None)
    if isinstance(port, int):
        oauth.setdefault("redirect_uri", f"http://localhost:{port}/callback")
    if "clientId" in oauth:
        oauth.setdefault("client_id", oauth.pop("clientId"))
    for key in oauth:
        if key not in _OAUTH_KEYS:
            raise wrong(f"oauth does not know {key!r}", f"it knows {', '.join(sorted(_OAUTH_KEYS))}")
    if isinstance(oauth.get("scopes"), str):
        oauth["scopes"] = oauth["scopes"].split()
    scopes = oauth.get("scopes", [])
    if not isinstance(scopes, list) or not all(isinstance(one, str) for one in scopes):
        raise wrong("oauth.scopes is a list of texts")
    for key in _OAUTH_KEYS - {"scopes"}:
        if key in oauth and (not isinstance(oauth[key], str) or not oauth[key]):
            raise wrong(f"oauth.{key} is a text")
    grant = oauth.get("grant", _GRANTS[0])
    named = "client_id" in oauth or "client_id_env" in oauth
    if grant not in _GRANTS:
        raise wrong(f"oauth.grant is {' or '.join(_GRANTS)}", "for other grants, put a token into a variable")
    if grant == "client_credentials" and not (named and "client_secret_env" in oauth):
        raise wrong("client credentials need oauth.client_id (or client_id_env) and oauth.client_secret_env")
    if "client_secret_env" in oauth and not named:
        raise wrong("oauth.client_secret_env needs oauth.client_id (or client_id_env)")
    if "client_secret_env" in oauth and "issuer" not in oauth:
        raise wrong("a client's secret needs oauth.issuer: it goes to that authorization server only")
    if oauth.get("client_auth", _CLIENT_AUTH[0]) not in _CLIENT_AUTH:
        raise wrong(f"oauth.client_auth is {' or '.join(_CLIENT_AUTH)}")
    if "redirect_uri" in oauth and not _LOOPBACK_URI.fullmatch(oauth["redirect_uri"]):
        raise wrong("oauth.redirect_uri is http://127.0.0.1:PORT/PATH or http://localhost:PORT/PATH")


def _parse(source: Source) -> tuple[Any, dict[tuple[str, ...], Span]]:
    """The value of JSON with comments and trailing commas, and the place of each key by its path."""
    text = source.text
    clean = list(text)
    places: dict[tuple[str, ...], Span] = {}
    path: list[str] = []
    keys: list[str | None] = []
    before: re.Match[str] | None = None
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.startswith(("//", "/*")):
            clean[match.start() : match.end()] = [c if c == "\n" else " " for c in token]
            continue
        if token == ":" and before is not None and before[0][:1] == '"' and keys:
            key = keys[-1] = before[0][1:-1]
            places.setdefault((*path, key), Span(source, before.start(), before.end()))
        elif token in "{[":
            if keys:
                path.append(keys[-1] or "")
            keys.append(None)
        elif token in "}]":
            if before is not None and before[0] == ",":
                clean[before.start()] = " "
            if keys:
                keys.pop()
            if keys and path:
                path.pop()
        before = match
    try:
        return json.loads("".join(clean).removeprefix("\ufeff")), places
    except json.JSONDecodeError as error:
        at = min(error.pos, max(len(text) - 1, 0))
        message = f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise HostError(message, code="config/json", span=Span(source, at, at + 1)) from None
    except RecursionError:
        raise HostError("this JSON is nested too deep", code="config/json", span=Span(source, 0, 1)) from None
