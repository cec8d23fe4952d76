"""The parts of a runtime that a shell may inspect and change at a user's request: grants, declarations, sessions.

Must not know terminals. Invariant: nothing here can be reached by a program; only `grant` widens anything.
"""

from __future__ import annotations

from rtfs.capabilities.registry import FILE, ORIGINS, SESSION
from rtfs.host.policy.grants import Grants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.capabilities.registry import Entry
    from rtfs.host.policy.policy import Decision
    from rtfs.host.runtime import Runtime


def prepare(runtime: Runtime) -> None:
    """Load the reader and the standard macros, while nothing is being compiled. From any thread, once the environment
    is there."""
    from rtfs.syntax.reader import incomplete

    incomplete("")
    with runtime._executor.compiling:
        runtime.environment.core_macros()


def declared(runtime: Runtime, id: str) -> Fields | None:
    """The declaration of a capability, without building its manifest; None for an unknown id."""
    entry = runtime._registry.find(id)
    if entry is None:
        return None
    return entry.fields if entry.describe is None else entry.describe()


def find_capability(runtime: Runtime, id: str) -> Entry:
    """The capability of an id that a person has named, `SERVER.TOOL` for short; its server is asked if it is not known.
    Raises HostError `capability/unknown`, `session/…`, `config/…`."""
    undeclared = runtime._pipeline.undeclared
    assert undeclared is not None
    entry: Entry = runtime._executor.aside(lambda frame: undeclared.find_named(id, frame))
    return entry


def origin(runtime: Runtime, id: str) -> str:
    """The origin of a registered capability's declaration: plan, file, config, embedder or builtin."""
    entry = runtime._registry.find(id)
    return "" if entry is None else ORIGINS[entry.origin]


def rights(runtime: Runtime) -> dict[str, Any]:
    """grants: in order. level: security level. principal. guarded: whether the embedder's own policy decides."""
    return {
        "grants": runtime._executor.grants.texts,
        "level": runtime.options.level,
        "principal": runtime.options.principal,
        "guarded": runtime._pipeline.guard is not None,
    }


def context_names(runtime: Runtime) -> list[str]:
    """The names that `@name` answers in every run, sorted."""
    return sorted(runtime.options.context)


def grant(runtime: Runtime, text: str) -> None:
    """Add a grant for the runs that start from now on. Raises HostError `config/grant`."""
    runtime._executor.grants = Grants((*runtime._executor.grants.texts, text))


def revoke(runtime: Runtime, text: str) -> bool:
    """Take a grant back for the runs that start from now on; False if there is none like it."""
    texts = [one for one in runtime._executor.grants.texts if one != text]
    found = len(texts) < len(runtime._executor.grants.texts)
    runtime._executor.grants = Grants(texts)
    return found


def decision(runtime: Runtime, id: str) -> Decision | None:
    """The policy's current decision about a call of a capability without arguments; None for an unknown id."""
    from rtfs.host.policy.context import RuntimeContext

    entry = runtime._registry.find(id)
    if entry is None:
        return None
    context = RuntimeContext(
        principal=runtime.options.principal, grants=(runtime._executor.grants,), level=runtime.options.level
    )
    return runtime._pipeline.decide(entry, (), context)


def session_statistics(runtime: Runtime) -> dict[str, Any] | None:
    """`SessionPool.stats()`, or None if no call has needed a session yet."""
    pool = runtime._sessions._pool
    if pool is None:
        return None
    if not runtime._engine.in_use or runtime._engine.is_running_here():  # nothing changes meanwhile
        return pool.stats()
    from asyncio import run_coroutine_threadsafe

    async def ask() -> dict[str, Any]:
        return pool.stats()

    return run_coroutine_threadsafe(ask(), runtime._engine.loop()).result(5)


def forget(runtime: Runtime, name: str) -> dict[str, Any]:
    """Drop what the file `name` declared, so that it can be loaded again; returns what was dropped, for `restore`."""
    entries = runtime._registry.entries
    dropped = {
        id: entry
        for id, entry in entries.items()
        if entry.origin == FILE and entry.fields.span is not None and entry.fields.span.source.name == name
    }
    for id in dropped:
        del entries[id]
    return dropped


def restore(runtime: Runtime, dropped: dict[str, Any]) -> None:
    """Bring back those of the dropped declarations that nothing has taken the place of."""
    for id, entry in dropped.items():
        runtime._registry.entries.setdefault(id, entry)


def session_entries(runtime: Runtime) -> list[Entry]:
    """The capabilities that a session serves, by id."""
    entries = [runtime._registry.find(id) for id in runtime._registry.ids()]
    return [entry for entry in entries if entry is not None and entry.route == SESSION]


class Server:
    """A server that capabilities need. provider: name of the handler. entries: its capabilities. credentials: the
    environment variables that may hold its credential, with whether each is set. login: how long the stored login at
    it lasts, None without one."""

    __slots__ = ("credentials", "entries", "label", "login", "metadata", "provider")

    def __init__(self, provider: str, label: str, metadata: dict[str, Any]) -> None:
        self.provider = provider
        self.label = label
        self.metadata = metadata
        self.entries: list[Entry] = []
        self.credentials: list[tuple[str, bool]] = []
        self.login: str | None = None


def servers(runtime: Runtime, trouble: Callable[[str, Exception], None]) -> list[Server]:
    """The servers of the registered capabilities and of the configuration, each once. trouble(name, error): told of
    those that cannot even be named."""
    from collections.abc import Mapping

    from rtfs.values import UserError

    sessions = runtime._sessions
    found: dict[Any, Server] = {}
    for entry in session_entries(runtime):
        try:
            name = sessions.provider(entry)
            _add(runtime, found, name, entry.fields.flat_metadata, entry)
        except UserError as error:
            trouble(entry.id, error)
    for name in sessions.with_servers():
        configured = sessions.servers(name)
        usable = isinstance(configured, Mapping) and getattr(configured, "ready", True)
        for server in configured if usable else ():
            flat = {f"{name}_server_name": server, f"{name}_requires_session": "auto"}
            try:
                _add(runtime, found, name, flat, None)
            except UserError as error:
                trouble(server, error)
    return list(found.values())


def found_files(runtime: Runtime) -> tuple[list[str], bool, list[str]] | None:
    """The files of servers that were found in the working folder, not named: their paths, whether they are trusted, and
    the servers in them. Raises HostError `config/…` for a file that is wrong."""
    from os.path import abspath

    for name in runtime._sessions.with_servers():
        servers = runtime._sessions.servers(name)
        found = getattr(servers, "found", None)
        if found is not None:
            return [abspath(path) for path in found.servers], bool(servers.ready), list(servers)
    return None


def _add(
    runtime: Runtime, found: dict[Any, Server], provider: str, metadata: dict[str, Any], entry: Entry | None
) -> None:
    sessions = runtime._sessions
    handler = sessions.handler(provider)
    key = handler.session_key(_probing(runtime, provider, metadata, None))
    server = found.get(key)
    if server is None:
        server = found[key] = Server(provider, key.server, metadata)
        ask = getattr(handler, "credential_env", None)
        names = () if ask is None else ask(metadata)
        server.credentials = [(name, bool(sessions.environ(name))) for name in names]
        login = getattr(handler, "login", None)
        server.login = None if login is None else login(metadata, runtime.options.principal)
    if entry is not None:
        server.entries.append(entry)


def _probing(runtime: Runtime, provider: str, metadata: dict[str, Any], deadline: float | None) -> Any:
    from rtfs.capabilities.sessions.handler import Credential, SessionCall
    from rtfs.values import Map

    sessions = runtime._sessions
    ask = getattr(sessions.handler(provider), "credential_env", None)
    held = next(((name, value) for name in (ask(metadata) if ask else ()) if (value := sessions.environ(name))), None)
    credential = None if held is None else Credential(held[1], held[0])
    return SessionCall(
        "", metadata, Map(), principal=runtime.options.principal, credential=credential, deadline=deadline, logins=True
    )


def probe(runtime: Runtime, server: Server, seconds: float) -> Future[Any]:
    """Begin to open a session with a server, or find the open one; what comes of it: the session, which stays the
    pool's, or HostError `session/…`. Raises HostError for a server that cannot be tried."""
    from asyncio import run_coroutine_threadsafe
    from time import monotonic

    call = _probing(runtime, server.provider, server.metadata, monotonic() + seconds)

    async def ask() -> Any:
        return await runtime._sessions.pool().get_or_create_session(server.provider, call)

    return run_coroutine_threadsafe(ask(), runtime._engine.loop())
