"""MCP servers by name: from `rtfs.yaml`, and from the files of other programs (`.mcp.json`, VS Code's, Cursor's …).

Must not connect to anything, nor look for files that were not named. Invariants: an entry that cannot be used disables
only itself: it stays in the table with its problem, a HostError with its place, which is raised when the server is
used; a variable that is not set is reported when its server is used. Of two entries with one name the first wins.

Source: the `.mcp.json` of Claude Code (`mcpServers`, `${VAR}`, `${VAR:-default}`), the `mcp.json` of VS Code
(`servers`, `${env:VAR}`, `${input:id}`, `${workspaceFolder}`, `envFile`, comments) and its `settings.json`
(`mcp.servers`), Cursor's and Windsurf's `mcpServers` (`${userHome}`, `serverUrl`), Gemini's `httpUrl`, Cline's
`disabled`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rtfs.source import Source, Span
from rtfs.values import HostError

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrong = Callable[..., HostError]

_KEYS = frozenset((
    "url", "headers", "command", "args", "env", "envFile", "cwd", "oauth", "protocol_version", "auth_env_var", "scope",
    "roots", "session_restorable", "transport",
))  # fmt: skip
_URLS = ("url", "serverUrl", "httpUrl")
_TYPES = {"stdio": "command", "http": "url", "streamable-http": "url", "streamableHttp": "url", "sse": "url"}
"""The transports that entries name, and the key that each needs."""
_OAUTH_KEYS = frozenset((
    "grant", "client_id", "client_id_env", "client_secret_env", "client_auth", "scopes", "issuer", "redirect_uri",
    "private_key_env", "private_key_file", "key_id", "idp_issuer", "idp_client_id", "idp_client_id_env",
    "idp_client_secret_env", "id_token_env", "assertion_env", "assertion_file",
))  # fmt: skip
_CLIENT_AUTH = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_GRANTS = ("authorization_code", "client_credentials", "enterprise_managed", "workload_identity")
_LOOPBACK_URI = re.compile(r"http://(?:127\.0\.0\.1|localhost):[1-9]\d{0,4}/[\w./-]*", re.ASCII)
_VARIABLE = re.compile(r"\$\{(?:(env|input):)?([^}:]+)(?::-([^}]*))?\}")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],:]|[^\s{}\[\],:"/]+|/', re.DOTALL)
_EDITOR_FOLDERS = (".vscode", ".cursor")


class _Entry:
    """fields: checked, variables not yet resolved. place: in its file. problem: why it cannot be used, or None."""

    __slots__ = ("disabled", "fields", "place", "problem")

    def __init__(self, fields: dict[str, Any], place: Span, problem: HostError | None, disabled: bool) -> None:
        self.fields = fields
        self.place = place
        self.problem = problem
        self.disabled = disabled


class ServerTable(Mapping[str, Mapping[str, Any]]):
    """name → the fields of a server (`url` `headers` `oauth` or `command` `args` `env` `cwd`), variables resolved.

    All names are in it, also of entries that cannot be used: `problem(name)` says why. environ: where variables are
    looked up; the process's own by default.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._entries: dict[str, _Entry] = {}
        self._environ = environ

    def add(self, name: str, entry: Any, place: Span) -> None:
        """Check an entry and keep it, with its problem if it has one, unless the name is taken."""
        if name in self._entries:
            return
        disabled = isinstance(entry, dict) and (entry.get("disabled") is True or entry.get("enabled") is False)
        try:
            fields, problem = _checked(name, entry, place), None
        except HostError as error:
            fields, problem = {}, error
        if disabled:
            problem = HostError(
                f"the server {name!r} is disabled",
                code="config/disabled",
                span=place,
                hint="remove `disabled` to use it",
            )
        self._entries[name] = _Entry(fields, place, problem, disabled)

    def put(self, name: str, entry: Mapping[str, Any]) -> None:
        """Name a server in a program; replaces an earlier one of this name. Raises HostError `config/invalid`."""
        place = Span(Source("", f"<server {name}>"), 0, 0)
        self._entries[name] = _Entry(_checked(name, dict(entry), place), place, None, False)

    def refuse(self, file: str, problem: HostError) -> None:
        """Keep the problem of a file that names no server because it is wrong, under the file's name."""
        self._entries[file] = _Entry({}, problem.span or Span(Source("", file), 0, 0), problem, False)

    def remove(self, name: str) -> None:
        """Take a server out, if it is there."""
        self._entries.pop(name, None)

    def problem(self, name: str) -> HostError | None:
        """Why a server cannot be used: its entry is wrong, unsupported or disabled; None for one that can be tried."""
        return self._entries[name].problem

    def disabled(self, name: str) -> bool:
        """Whether the entry itself says that it is not to be used."""
        return self._entries[name].disabled

    def raw(self, name: str) -> Mapping[str, Any]:
        """The fields of a server as they are written, variables not resolved; none of one that cannot be used."""
        return self._entries[name].fields

    def place(self, name: str) -> Span:
        """The entry's place in its file."""
        return self._entries[name].place

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        """Raises HostError: the entry's problem, or `config/variable` for a variable that is not set."""
        entry = self._entries[name]
        if entry.problem is not None:
            problem = entry.problem
            raise HostError(problem.message, code=problem.code, span=problem.span, hint=problem.hint)
        found: dict[str, Any] = self._resolved(entry.fields, name, entry.place)
        file = found.pop("envFile", None)
        if file is not None:
            found["env"] = {**_variables_of(file, name, entry.place), **found.get("env", {})}
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
        kind, word, default = match[1], match[2], match[3]
        if kind is None and word in _PLACES:
            return _PLACES[word](_workspace(place.source.name))
        variable = re.sub(r"[^A-Za-z0-9]+", "_", word).upper() if kind == "input" else word
        found = (os.environ if self._environ is None else self._environ).get(variable)
        if found:
            return found
        if default is not None:
            return default
        if kind == "input":
            message = f"the server {name} needs the input {word!r}, and cannot ask for it here"
        else:
            message = f"the server {name} needs the environment variable {variable}, which is not set"
        raise HostError(message, code="config/variable", span=place, hint=f"set {variable}")


def _workspace(file: str) -> str:
    """The folder that a file of servers belongs to: the one that it is in, or the one around an editor's own folder."""
    folder = os.path.dirname(os.path.abspath(file)) if os.path.exists(file) else os.getcwd()
    return os.path.dirname(folder) if os.path.basename(folder) in _EDITOR_FOLDERS else folder


_PLACES: dict[str, Callable[[str], str]] = {
    "workspaceFolder": lambda folder: folder,
    "workspaceFolderBasename": os.path.basename,
    "userHome": lambda folder: os.path.expanduser("~"),
    "cwd": lambda folder: os.getcwd(),
    "pathSeparator": lambda folder: os.sep,
    "/": lambda folder: os.sep,
}
"""Editors' placeholders for paths, as functions of the folder that the file belongs to."""


def _variables_of(file: str, name: str, place: Span) -> dict[str, str]:
    """The variables of an `envFile`: `NAME=VALUE` lines. Raises HostError `config/missing`."""
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            text = lines.read()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        message = f"the server {name} wants the variables of {file}, which cannot be read: {why}"
        raise HostError(message, code="config/missing", span=place) from None
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and key and not key.startswith("#"):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[key.strip()] = value[1:-1] if quoted else value
    return found


def read_servers(source: Source, table: ServerTable) -> None:
    """Add the servers of a file to a table. Raises HostError `config/json`, `config/invalid` for a file that is not
    one of servers at all."""
    data, places = _parse(source)
    whole = Span(source, 0, 1)
    if not isinstance(data, dict):
        raise HostError("a file of MCP servers is a JSON object", code="config/invalid", span=whole)
    path: tuple[str, ...] = ()
    if "mcpServers" not in data and isinstance(data.get("mcp"), dict):  # VS Code's settings.json
        data, path = data["mcp"], ("mcp",)
    key = next((key for key in ("mcpServers", "servers") if key in data), None)
    if key is None and data.keys() == {"inputs"}:  # an editor's file without servers
        return
    if key is None:
        raise HostError(
            "this file names no MCP servers: neither mcpServers nor servers", code="config/invalid", span=whole
        )
    servers = data[key]
    if not isinstance(servers, dict):
        where = places.get((*path, key), whole)
        raise HostError(f"{key} is an object of servers by name", code="config/invalid", span=where)
    for name, entry in servers.items():
        table.add(name, entry, places.get((*path, key, name), whole))


def _checked(name: str, entry: Any, place: Span) -> dict[str, Any]:
    def wrong(message: str, hint: str | None = None) -> HostError:
        return HostError(f"the server {name!r}: {message}", code="config/invalid", span=place, hint=hint)

    if not name or not name.isprintable():
        raise wrong("a name is printable text")
    if not isinstance(entry, dict):
        raise wrong("a server is an object with url or command")
    fields = {key: value for key, value in entry.items() if key in _KEYS}
    address = next((entry[key] for key in _URLS if key in entry), None)
    if address is not None:
        fields["url"] = address
    kind = entry.get("type")
    if isinstance(kind, str) and kind not in _TYPES:
        raise wrong(f"the transport {kind!r} is not supported", f"there are {', '.join(_TYPES)}")
    if ("url" in fields) == ("command" in fields):
        raise wrong("either url or command, and not both")
    if isinstance(kind, str) and _TYPES[kind] not in fields:
        raise wrong(f"the type {kind} needs {_TYPES[kind]}")
    if kind == "sse":
        fields["transport"] = kind
    roots = fields.get("roots", [])
    if not isinstance(roots, list) or not all(isinstance(one, str) for one in roots):
        raise wrong("roots is a list of folders")
    if not isinstance(fields.get("session_restorable", False), bool):
        raise wrong("session_restorable is true or false")
    for key in ("url", "command", "cwd", "envFile", "protocol_version", "auth_env_var", "scope"):
        if key in fields and (not isinstance(fields[key], str) or not fields[key].strip()):
            raise wrong(f"{key} is a text")
    for key in ("headers", "env"):
        given = fields.get(key)
        if given is None:
            fields.pop(key, None)
            continue
        if not isinstance(given, dict) or not all(isinstance(value, (str, int, float)) for value in given.values()):
            raise wrong(f"{key} is an object of texts")
        fields[key] = {str(one): value if isinstance(value, str) else json.dumps(value) for one, value in given.items()}
    arguments = fields.get("args", [])
    if not isinstance(arguments, list) or not all(isinstance(one, str) for one in arguments):
        raise wrong("args is a list of texts")
    if "oauth" in fields:
        _check_oauth(fields, wrong)
    return fields


def _check_oauth(fields: dict[str, Any], wrong: Wrong) -> None:
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
    signs = "private_key_env" in oauth or "private_key_file" in oauth
    if grant == "client_credentials" and not (named and (signs or "client_secret_env" in oauth)):
        raise wrong(
            "client credentials need oauth.client_id (or client_id_env) and oauth.client_secret_env, or "
            "private_key_env, or private_key_file"
        )
    if signs and (not named or "issuer" not in oauth or "client_secret_env" in oauth):
        raise wrong("a private key needs oauth.client_id (or client_id_env) and oauth.issuer, and no secret")
    if grant == "workload_identity" and not (
        named and "issuer" in oauth and ("assertion_env" in oauth or "assertion_file" in oauth)
    ):
        raise wrong(
            "workload_identity needs oauth.issuer, client_id (or client_id_env) and assertion_env (or assertion_file)"
        )
    if grant == "enterprise_managed" and not (
        named
        and {"issuer", "idp_issuer", "id_token_env"} <= oauth.keys()
        and ("idp_client_id" in oauth or "idp_client_id_env" in oauth)
    ):
        raise wrong(
            "enterprise_managed needs oauth.issuer, client_id (or client_id_env), idp_issuer, idp_client_id (or "
            "idp_client_id_env) and id_token_env"
        )
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
