"""The bundled capabilities (`ccos.*`) of one runtime: which there are, what implements them, what they reach.

Must not know the programs that call them. Invariant: whatever leaves the process has `needs`, so that the policy asks
for its grant; the ids here and the declarations in stdlib/capabilities/*.rtfs are the same (a test compares them).
"""

from __future__ import annotations

from rtfs.capabilities.declaration import Fields
from rtfs.capabilities.registry import ASYNC, BRANCHES, BUILTIN, FIBER, INLINE, OUTSIDE, PERSON, THREAD, Entry
from rtfs.capabilities.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.permit import Permit
    from rtfs.capabilities.providers.state import Values
    from rtfs.capabilities.registry import Registry


_PATH = Signature(("path",), 1)
SIGNATURES = {
    "ccos.io.read-file": _PATH,
    "ccos.io.write-file": Signature(("path", "content"), 2),
    "ccos.io.write-bytes": Signature(("path", "base64"), 2),
    "ccos.io.file-exists": _PATH,
    "ccos.io.delete-file": _PATH,
    "ccos.system.get-env": Signature(("name", "default"), 1),
    "ccos.system.sleep-ms": Signature(("ms",), 1),
    "ccos.run.sleep-until": Signature(("until",), 1),
    "ccos.run.await-signal": Signature(("signal", "until", "default"), 1),
    "ccos.run.continue-as-new": Signature(("parameters",), 0),
    "ccos.user.ask": Signature(("prompt", "default"), 1),
    "ccos.network.http-fetch": Signature(("url", "method", "headers", "body", "timeout-ms"), 1),
    "ccos.state.kv.get": Signature(("key", "default"), 1, any_first=True, pair=True),
    "ccos.state.kv.put": Signature(("key", "value"), 2, any_first=True, pair=True),
    "ccos.state.kv.delete": Signature(("key",), 1, any_first=True),
    "ccos.state.kv.assoc": Signature(("key",), 1, rest="pairs", any_first=True),
    "ccos.state.kv.dissoc": Signature(("key",), 1, rest="keys", any_first=True),
    "ccos.state.kv.conj": Signature(("key",), 1, rest="items", any_first=True),
}
"""Parameters of the bundled capabilities; the others (printing, JSON, branches) take values without names."""

_PRINTING = ("ccos.io.println", "ccos.io.print", "ccos.io.log")
_FILES = tuple(f"ccos.io.{name}" for name in ("read-file", "write-file", "write-bytes", "file-exists", "delete-file"))


def install(registry: Registry, values: Values) -> None:
    """Register every bundled capability. The modules that implement them are imported when they are first called.
    values: where `ccos.state.kv.*` keeps them; elsewhere than in memory that may take a while."""
    from rtfs.capabilities.providers import console, state

    store = state.Store(values)
    in_memory = values.__class__ is state.InMemory
    kv, kept = "ccos.state.kv.", INLINE if in_memory else THREAD
    table: tuple[tuple[str, int, Any, Any], ...] = (
        ("ccos.io.println", INLINE, console.println, None),
        ("ccos.io.print", INLINE, console.print_, None),
        ("ccos.io.log", INLINE, console.log, None),
        ("ccos.io.read-file", INLINE, _later("files", "read_file"), _path("ccos.io.read-file", "read", "path")),
        (
            "ccos.io.write-file",
            INLINE,
            _later("files", "write_file"),
            _path("ccos.io.write-file", "write", "path", "content"),
        ),
        (
            "ccos.io.write-bytes",
            INLINE,
            _later("files", "write_bytes"),
            _path("ccos.io.write-bytes", "write", "path", "base64"),
        ),
        ("ccos.io.file-exists", INLINE, _later("files", "file_exists"), _path("ccos.io.file-exists", "read", "path")),
        (
            "ccos.io.delete-file",
            INLINE,
            _later("files", "delete_file"),
            _path("ccos.io.delete-file", "write", "path", itself=True),
        ),
        ("ccos.system.current-timestamp-ms", INLINE, _later("system", "current_timestamp_ms"), None),
        ("ccos.system.current-time-millis", INLINE, _later("system", "current_timestamp_ms"), None),
        ("ccos.system.current-time", INLINE, _later("system", "current_time"), None),
        ("ccos.system.get-env", INLINE, _later("system", "get_env"), _env),
        ("ccos.system.sleep-ms", FIBER, _sleep, None),
        ("ccos.run.sleep-until", OUTSIDE, _later("waiting", "sleep_until"), None),
        ("ccos.run.await-signal", OUTSIDE, _later("waiting", "await_signal"), None),
        ("ccos.run.continue-as-new", OUTSIDE, _later("waiting", "continue_as_new"), None),
        ("ccos.network.http-fetch", ASYNC, _fetch, _url),
        ("ccos.data.parse-json", INLINE, _core("parse-json"), None),
        ("ccos.data.serialize-json", INLINE, _core("serialize-json"), None),
        ("ccos.json.parse", INLINE, _core("parse-json"), None),
        ("ccos.json.stringify", INLINE, _core("serialize-json"), None),
        ("ccos.json.stringify-pretty", INLINE, _core("serialize-json-pretty"), None),
        ("ccos.user.ask", PERSON, None, None),
        (kv + "get", kept, store.get, None),
        (kv + "put", kept, store.put, None),
        (kv + "delete", kept, store.delete, None),
        (kv + "assoc", kept, store.assoc, None),
        (kv + "dissoc", kept, store.dissoc, None),
        (kv + "conj", kept, store.conj, None),
        ("ccos.concurrent/parallel", BRANCHES, None, None),
    )
    for id, route, function, needs in table:
        fields = Fields(id)
        fields.implementation = function
        fields.idempotent = id != kv + "conj" and route != PERSON
        entry = Entry(fields, BUILTIN, route)
        entry.needs = needs
        entry.signature = SIGNATURES.get(id)
        entry.takes_nothing = True
        entry.prints = id in _PRINTING
        entry.told = function is _fetch or id in _FILES or id in _PRINTING or id.startswith(kv)
        entry.repeats = _fetches_only if function is _fetch else None
        entry.keyed = id.startswith(kv)  # in a file by its key; what was in memory went with the process
        entry.describe = _description(entry)
        if in_memory and id.startswith(kv):
            entry.restore = _restoring(store, id.removeprefix(kv))
        registry.entries[id] = entry


def _restoring(store: Any, name: str) -> Callable[[tuple[Any, ...], Any, Permit], None]:
    """A function that restores the store to its state after a recorded operation."""
    return lambda arguments, value, permit: store.restore(name, arguments, value, permit)


def _later(module: str, name: str) -> Callable[..., Any]:
    """A function of a provider module that is imported at the first call."""

    def call(*arguments: Any, **told: Any) -> Any:
        return getattr(__import__("rtfs.capabilities.providers." + module, fromlist=(name,)), name)(*arguments, **told)

    return call


def _core(name: str) -> Callable[..., Any]:
    """A standard function, as a capability."""

    def call(*arguments: Any) -> Any:
        from rtfs.builtins import CORE

        return CORE[name](*arguments)

    return call


def _path(id: str, mode: str, *names: str, itself: bool = False) -> Callable[[tuple[Any, ...]], list[str]]:
    def needs(arguments: tuple[Any, ...]) -> list[str]:
        from rtfs.capabilities.providers.files import path_needs

        return path_needs(id, mode, names, itself)(arguments)

    return needs


def _env(arguments: tuple[Any, ...]) -> list[str]:
    from rtfs.capabilities.providers.system import env_needs

    return env_needs("ccos.system.get-env")(arguments)


def _url(arguments: tuple[Any, ...]) -> list[str]:
    from rtfs.capabilities.providers.network import url_of
    from rtfs.host.policy.grants import net_need

    return [net_need(url_of(arguments))]


async def _fetch(*arguments: Any, permit: Permit) -> Any:
    from rtfs.capabilities.providers.network import http_fetch

    return await http_fetch(*arguments, named=permit.names)


def _fetches_only(arguments: tuple[Any, ...]) -> bool:
    from rtfs.capabilities.providers.network import only_reads

    return only_reads(arguments)


async def _sleep(*arguments: Any) -> None:
    from rtfs.capabilities.providers.arguments import number, take
    from rtfs.host.scheduler.suspensions import Sleep

    id = "ccos.system.sleep-ms"
    await Sleep(number(id, "ms", take(id, arguments, ("ms",), 1)[0]) / 1000)


def _description(entry: Entry) -> Callable[[], Fields]:
    """The declaration of a bundled capability, read from stdlib/capabilities when its manifest is first used."""

    def describe() -> Fields:
        from rtfs.host.bundled.declarations import bundled

        fields = bundled().get(entry.id, entry.fields)
        fields.implementation = entry.fields.implementation
        fields.idempotent = entry.fields.idempotent
        return fields

    return describe
