"""Grants: what a run may reach. `mcp.github.*` (ids), `net:HOST[:PORT]`, `env:NAME`, `fs:read:PATH`, `fs:write:PATH`,
`exec:COMMAND`.

Must not know who asks or why. Invariant: matching never allows more than the text of a grant says; an unreadable grant
is an error, never a wide grant. A needed resource has the same syntax as the grant that allows it.
"""

from __future__ import annotations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RESOURCES = ("net", "env", "fs", "exec")
_MEANT = {
    "http": "net:HOST", "https": "net:HOST", "host": "net:HOST", "network": "net:HOST", "url": "net:HOST",
    "read": "fs:read:PATH", "file": "fs:read:PATH", "write": "fs:write:PATH", "command": "exec:COMMAND",
}  # fmt: skip
"""Kinds of grants that do not exist, and the grant that is probably meant."""


class Grants:
    """A set of grants, in the order given. Immutable; `texts` is what was given."""

    __slots__ = ("_env", "_exact", "_exec", "_fs", "_ids", "_net", "texts")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = (texts,) if isinstance(texts, str) else tuple(texts)
        self._exact: set[str] = set()
        self._ids: list[str] = []
        self._net: list[tuple[str, str]] = []
        self._env: list[str] = []
        self._exec: list[str] = []
        self._fs: list[tuple[str, str]] = []
        for text in self.texts:
            self._add(text)

    def _add(self, text: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise _bad(text, "a grant is a text such as mcp.github.* or net:api.example.com")
        text = text.strip()
        kind, colon, rest = text.partition(":")
        if colon and kind in _MEANT:
            raise _bad(text, f"write {_MEANT[kind]}")
        if not colon or kind not in RESOURCES:
            if "*" in text:
                self._ids.append(text)
            else:
                self._exact.add(text)
        elif not rest:
            raise _bad(text, f"what may be reached is missing after {kind}:")
        elif kind == "net":
            self._net.append(host_port(rest))
        elif kind == "env":
            self._env.append(rest)
        elif kind == "exec":
            self._exec.append(rest)
        else:
            mode, colon, path = rest.partition(":")
            if mode not in ("read", "write") or not path:
                raise _bad(text, "a file grant is fs:read:PATH or fs:write:PATH")
            if "*" in path:
                raise _bad(text, "a file grant is for a file, or for a folder with all that is in it, without *")
            self._fs.append((mode, real_path(path)))

    def id(self, id: str) -> bool:
        """Whether a grant names this capability id."""
        return id in self._exact or any(glob(pattern, id) for pattern in self._ids)

    def resource(self, need: str) -> bool:
        """Whether a needed resource (`net:HOST:PORT`, `env:NAME`, `fs:read:PATH`, `exec:COMMAND`) is granted. A path is
        taken as it is, as `real_path` made it: it is decided about and reached, not resolved again."""
        kind, _, rest = need.partition(":")
        if kind == "net":
            host, port = host_port(rest)
            return any(_host(pattern, host) and wanted in ("", port) for pattern, wanted in self._net)
        if kind == "env":
            return any(glob(pattern, rest) for pattern in self._env)
        if kind == "exec":
            return any(pattern == "*" or pattern == rest for pattern in self._exec)
        mode, _, path = rest.partition(":")
        if not _plain(path) or _never(path):
            return False
        return any(mode == granted and _inside(path, root) and _may_lead(path, root) for granted, root in self._fs)

    def names(self, need: str) -> bool:
        """Whether a grant names the host of `net:HOST:PORT` as it is, not by a wildcard."""
        host, port = host_port(need.partition(":")[2])
        return any(pattern == host and wanted in ("", port) for pattern, wanted in self._net)

    def __repr__(self) -> str:
        return f"Grants({list(self.texts)!r})"


_NO_HOST = frozenset("/?#@\\ ")
"""Characters of a URL that no host has."""


def host_port(text: str) -> tuple[str, str]:
    """`host:port`, `[::1]:port`, `host` → (host in lower case without brackets or final dot, port or "")."""
    text = text.strip()
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    if not host or _NO_HOST & set(host) or (port and not (port.isascii() and port.isdigit())):
        raise _bad("net:" + text, "a network grant is net:HOST or net:HOST:PORT, without a scheme or a path")
    return host.lower().rstrip("."), port


def net_need(url: str) -> str:
    """The resource that a request to `url` needs: `net:HOST:PORT`. Raises HostError `argument` for any other URL than
    http(s)."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise HostError(f"this is not an http or https URL: {url[:200]!r}", code="argument/url")
    shown = f"[{host}]" if ":" in host else host
    return f"net:{shown}:{port or (443 if parts.scheme == 'https' else 80)}"


def shown(need: str) -> str:
    """A need as the grant to recommend: without default ports, and without the way to the folder we are in."""
    if need.startswith("fs:"):
        return _from_here(need)
    return need.removesuffix(":443").removesuffix(":80") if need.startswith("net:") else need


def _from_here(need: str) -> str:
    import os

    kind, mode, path = need.split(":", 2)
    try:
        here = os.getcwd()
    except OSError:
        return need
    path = "." if path == here else path.removeprefix(here + "/")
    return f"{kind}:{mode}:{path}" if here != "/" else need


def real_path(path: str) -> str:
    """The absolute path with symbolic links resolved, so that no `..` and no link leads out of a grant."""
    import os

    return os.path.realpath(os.path.expanduser(path))


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root if root.endswith("/") else root + "/")


SYSTEM = ("/proc", "/sys", "/dev")
"""Folders of the system's own: what is in them is granted only where the grant begins there too."""


def _may_lead(path: str, root: str) -> bool:
    """Whether a grant of `root` covers `path`: not if the path leads into the system's own folders on the way."""
    return all(not _inside(path, folder) or (_inside(root, folder) and root != folder) for folder in SYSTEM)


def _never(path: str) -> bool:
    """Whether a path is a process's environment, which holds credentials: those are granted by name only."""
    return _inside(path, "/proc") and path.endswith("/environ")


def _plain(path: str) -> bool:
    import os

    return os.path.isabs(path) and os.path.normpath(path) == path and not path.startswith("//")


def _host(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def glob(pattern: str, text: str) -> bool:
    """A pattern in which `*` matches any characters and every other character matches itself."""
    parts = pattern.split("*")
    if len(parts) == 1:
        return pattern == text
    if not text.startswith(parts[0]) or len(text) < len(parts[0]) + len(parts[-1]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return text.endswith(parts[-1]) and len(text) - len(parts[-1]) >= at


def _bad(text: object, why: str) -> HostError:
    return HostError(f"{text!r} is not a grant: {why}", code="config/grant")
