"""The servers of a runtime by name: those of its configuration, and those that a program adds while it lives.

Must not know the wire. Invariant: adding a server starts and asks nothing; it is asked for tools when a call needs one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.runtime import Runtime

PROVIDER = "mcp"


class ServerInfo:
    """name. target: what is started, or the address; "" for a server that cannot be used. problem: why it cannot be, or
    None. tools: ids of its tools that are known."""

    __slots__ = ("name", "problem", "target", "tools")

    def __init__(self, name: str, target: str, problem: HostError | None, tools: tuple[str, ...]) -> None:
        self.name = name
        self.target = target
        self.problem = problem
        self.tools = tools

    def __repr__(self) -> str:
        return f"<server {self.name}: {self.target or self.problem}>"


class Servers(Mapping[str, ServerInfo]):
    """The value of `rt.servers`: a read-only mapping from name to `ServerInfo`."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __getitem__(self, name: str) -> ServerInfo:
        runtime = self._runtime
        table = runtime._sessions.servers(PROVIDER) or {}
        if name not in table:
            raise KeyError(name)
        handler = runtime._sessions.handler(PROVIDER)
        undeclared = runtime._pipeline.undeclared
        assert undeclared is not None
        tools = tuple(id for id in runtime._registry.ids() if undeclared.server_of(id) == name)
        metadata = {f"{PROVIDER}_server_name": name, f"{PROVIDER}_requires_session": "auto"}
        try:
            return ServerInfo(name, handler.target("", metadata).label, None, tools)
        except HostError as error:
            return ServerInfo(name, "", error, tools)

    def __iter__(self) -> Iterator[str]:
        return iter(self._runtime._sessions.servers(PROVIDER) or ())

    def __len__(self) -> int:
        return len(self._runtime._sessions.servers(PROVIDER) or ())


def ask_server(runtime: Runtime, name: str) -> tuple[str, ...]:
    """Ask a server for its tools, and declare them as they are pinned; the ids of all that are known. Waits for it; not
    for an event loop's thread. Raises HostError `session/…`, `config/…`."""
    undeclared = runtime._pipeline.undeclared
    assert undeclared is not None
    handler = runtime._sessions.handler(PROVIDER)
    id = next(iter(runtime.servers[name].tools), f"{PROVIDER}.{handler_name(name)}._")
    metadata = handler.undeclared(id)
    runtime._executor.aside(lambda frame: undeclared.ask(id, PROVIDER, metadata, frame))
    return runtime.servers[name].tools


def handler_name(server: str) -> str:
    """A server's name as its tools' ids spell it."""
    from rtfs.capabilities.sessions.mcp.tool_declarations import safe_name

    return safe_name(server)


def add_server(runtime: Runtime, name: str, entry: dict[str, Any]) -> None:
    """Name a server. Raises HostError `config/invalid`, also for a name that is taken."""
    from rtfs.capabilities.sessions.mcp.server_files import ServerTable

    sessions = runtime._sessions
    table = sessions.servers(PROVIDER)
    if table is not None and name in table:
        raise HostError(f"there is a server {name!r} already", code="config/invalid")
    if not hasattr(table, "put"):
        made = ServerTable()
        for known, fields in (table or {}).items():
            made.put(known, fields)
        table = made
        sessions.set_servers(PROVIDER, table)
    table.put(name, entry)
