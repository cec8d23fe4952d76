"""The `rtfs.yaml` and the files of MCP servers of the working folder: found there, used once a person trusts them.

Must not know terminals: the function that asks is passed in. Invariants: nothing that a found file names is started,
loaded or granted before a person has said yes to its exact contents (until then the text is only read and checked); one
question covers all files; if no person can be asked, HostError `config/untrusted` is raised.
"""

from __future__ import annotations

import os
from _collections_abc import Iterator, Mapping  # `collections` costs a millisecond or two

from rtfs.host.config.names import CONFIG, SERVERS
from rtfs.host.config.trust import Trust, digest_of
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rtfs.capabilities.sessions.mcp.server_files import ServerTable

    Servers = Mapping[str, Mapping[str, Any]]
else:
    Servers = Mapping

VARIABLE = "RTFS_CONFIG"
"""Names a configuration that is used without a question; if it is set and empty, nothing is looked for."""


class Found:
    """The files of a folder that are used by default. config: a path or None. servers: paths."""

    __slots__ = ("config", "servers", "trust")

    def __init__(self, config: str | None, servers: list[str]) -> None:
        self.config = config
        self.servers = servers
        self.trust = Trust()

    @property
    def paths(self) -> list[str]:
        """The files, the configuration first."""
        return [*([] if self.config is None else [self.config]), *self.servers]

    @property
    def trusted(self) -> bool:
        """Whether a person has said yes to all of them as they are now."""
        return all(self.trust.holds(path, self._digest(path)) for path in self.paths)

    def accept(self) -> str:
        """Remember a yes to the files as they are now; "" or why it cannot be kept."""
        return next((why for path in self.paths if (why := self.trust.keep(path, self._digest(path)))), "")

    def _digest(self, path: str) -> str:
        """A digest of a file, and of the files that the configuration loads or reads: the commands that they name are
        started too."""
        if path != self.config:
            return digest_of([path])
        from rtfs.host.config.config import read_config

        return digest_of([path, *read_config(path).files()])

    def says(self) -> list[str]:
        """The effects of trusting the files, one line each, for the person who is asked. Raises HostError `config/…`
        for invalid files."""
        lines: list[str] = []
        table: ServerTable | None = None
        if self.config is not None:
            from rtfs.host.config.config import read_config

            config = read_config(self.config)
            if config.settings.allow:
                lines.append("grants    " + " ".join(config.settings.allow))
            if config.settings.load:
                lines.append("loads     " + " ".join(config.settings.load))
            table = config.servers(self.servers)
        elif self.servers:
            table = read_table(self.servers)
        width = max((len(name) for name in table or ()), default=0)
        return lines + [f"server    {name:<{width}}  {_target(table, name)}" for name in table or ()]


def look(folder: str = ".", *, config: bool = True, servers: bool = True) -> Found | None:
    """The files of a folder, as far as they are wanted; None if there are none."""

    def there(name: str) -> str | None:
        path = name if folder == "." else os.path.join(folder, name)
        return path if os.path.isfile(path) else None

    files = [path for name in SERVERS if servers and (path := there(name)) is not None]
    found = Found(there(CONFIG) if config else None, files)
    return found if found.paths else None


def untrusted(found: Found) -> HostError:
    """The error for files that no person has agreed to."""
    *others, last = found.paths
    names = f"{', '.join(others)} and {last}" if others else last
    verb = "are" if len(found.paths) > 1 else "is"
    one = "them" if len(found.paths) > 1 else "it"
    named = " ".join(f"--mcp-config {path}" for path in found.servers)
    if found.config is not None:
        named = f"--config {found.config}"
    return HostError(
        f"{names} in this folder {verb} not trusted yet (or changed since)",
        code="config/untrusted",
        hint=f"look at {one}, then say yes with --trust, or name {one} with {named}; {VARIABLE}= looks for none",
    )


def read_table(paths: Sequence[str]) -> ServerTable:
    """The servers of files. Of several files one that is wrong as a whole is in the table under its path, with its
    problem, and leaves the others usable. Raises HostError `config/…` for a single one."""
    from rtfs.capabilities.sessions.mcp.server_files import ServerTable, read_servers
    from rtfs.host.files import read_source

    table = ServerTable()
    for path in paths:
        try:
            read_servers(read_source(path, "config/missing"), table)
        except HostError as error:
            if len(paths) == 1:
                raise
            table.refuse(path, error)
    return table


class FoundServers(Servers):
    """The servers of files that were found: names can be seen, a server can be used once the files are trusted.

    ask(found): True for yes, otherwise HostError `config/untrusted` is raised; None: no person can be asked.
    """

    def __init__(self, found: Found, ask: Callable[[Found], bool] | None) -> None:
        self.found = found
        self._ask = ask
        self._table: ServerTable | None = None
        self._trusted = False

    @property
    def ready(self) -> bool:
        """Whether the servers can be used without a question."""
        if not self._trusted:
            self._trusted = self.found.trusted
        return self._trusted

    def open(self) -> None:
        """Ask a person to agree, unless someone has agreed already. Raises HostError `config/untrusted`."""
        if self.ready:
            return
        if self._ask is None or not self._ask(self.found):
            raise untrusted(self.found)
        self.found.accept()
        self._trusted = True

    @property
    def table(self) -> ServerTable:
        """The servers in the files. Raises HostError `config/…` for an invalid file."""
        if self._table is None:
            self._table = read_table(self.found.servers)
        return self._table

    def problem(self, name: str) -> HostError | None:
        """Why a server cannot be used, or None."""
        return self.table.problem(name) or (None if self.ready else untrusted(self.found))

    def disabled(self, name: str) -> bool:
        """Whether the entry itself says that it is not to be used."""
        return self.table.disabled(name)

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in self.table:
            raise KeyError(name)
        if not self.ready:
            raise untrusted(self.found)
        return self.table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)

    def __bool__(self) -> bool:
        return True  # also where the file is wrong: that is an error once a server is needed

    def __contains__(self, name: object) -> bool:
        return name in self.table


def _target(table: ServerTable | None, name: str) -> str:
    """The command that starts a server, or its address, for people."""
    from rtfs.capabilities.sessions.handler import one_line

    assert table is not None
    problem = table.problem(name)
    if problem is not None:
        return "(disabled)" if table.disabled(name) else f"(not usable: {one_line(problem.message, 80)})"
    fields = table.raw(name)
    if "url" in fields:
        return one_line(str(fields["url"]).partition("?")[0], 120)
    return one_line(" ".join((str(fields["command"]), *map(str, fields.get("args", ())))), 160)
