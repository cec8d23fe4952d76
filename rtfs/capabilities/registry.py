"""The registry: which capabilities a runtime knows, under which id, from whom.

Must not know policy, sessions or any provider's name. Invariant: an id is replaced only by the rules of `declare`; a
less trusted source never replaces what a more trusted one registered. An `Entry` never changes, so whatever is derived
from one (a decision, a route) may be kept as long as the entry is the current one.
"""

from __future__ import annotations

from rtfs.capabilities.metadata import wants_session
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.capabilities.manifest import CapabilityManifest
    from rtfs.capabilities.permit import Permit
    from rtfs.capabilities.signature import Signature
    from rtfs.source import Span
    from rtfs.types.type import Type

UNDECLARED = "declare it with (capability …), or load its declaration: --load FILE, or `load:` in --config FILE"
"""The hint about an id that is like no other."""
_SHOWN = 6
"""Ids that are proposed at most."""

PLAN, FILE, CONFIG, EMBEDDER, BUILTIN = 0, 1, 2, 3, 4
"""Origins of a declaration, by growing trust: a running plan, a loaded file, the configuration, the embedding
program, this package."""
ORIGINS = ("plan", "file", "config", "embedder", "builtin")

INLINE, THREAD, ASYNC, GUEST, SESSION, NOWHERE, BRANCHES, FIBER, PERSON, OUTSIDE = range(10)
"""How a call is carried out: a Python function here and now; one in a thread; a coroutine function; an RTFS function
in a separate machine; through a session; not at all (declared, but not implemented); its functions
concurrently; a coroutine function that waits as the host does; by asking the person; by waiting for what comes from
outside, a moment or a signal, with the run's journal."""


class Entry:
    """One registered capability.

    `signature`: names and order of the parameters, or None where arguments have no names of their own.
    `restore`: told arguments, value and permit of a call that a resumed run does not make again, to bring about what it
    did in this process. `check_input`, `check_output`: functions of (value, what) that give the value back, the
    latter with sets where the type wants them and an array came, raising TypeMismatch, or None where anything goes; the
    input's refuses keys that the schema does not name. `names_keys`: whether the output type says which keys
    maps have. `takes_sets`: whether the input type wants a set somewhere,
    which calls may give as an array.
    `needs`: function of the arguments giving the resource grants a call needs, or None where it needs none.
    `told`: the function takes the call's `Permit` as `permit`. `repeats`: whether a call with these arguments may be
    made twice, or None where the declaration's `:idempotent` says so. `keyed`: a call that is made again with the same
    idempotency key has no further effect. `prints`: whether its arguments are output, which
    runs have a limit for. `declared_tag`: under flow rules, where its implementation comes from and what decided that a
    plan declared it, or None. `loop`: the event loop that was running when an async function was registered. `manifest`
    builds the pydantic model. `checked`: what the checker takes of the declaration, where argument keys are refused
    that the schema does not name (True), and where not.
    """

    __slots__ = (
        "_argument_type", "_manifest", "_schemas", "check_input", "check_output", "checked", "declared_tag", "describe",
        "fields", "id", "keyed", "loop", "names_keys", "needs", "origin", "prints", "repeats", "restore", "route",
        "signature", "takes_nothing", "takes_sets", "told",
    )  # fmt: skip

    def __init__(self, fields: Fields, origin: int, route: int) -> None:
        self.id = fields.id
        self.fields = fields
        self.origin = origin
        self.route = route
        self.declared_tag: Any = None
        self.check_input: Callable[..., Any] | None = None
        self.check_output: Callable[..., Any] | None = None
        self.takes_sets = False
        if fields.input_type is not None:
            from rtfs.types.arrays import wants_sets

            self.check_input = self._check_closed
            self.takes_sets = wants_sets(fields.input_type)
        self.names_keys = False
        if fields.output_type is not None:
            from rtfs.types.json_keys import names_keys

            self.check_output = _result_check(fields.output_type)
            self.names_keys = names_keys(fields.output_type)
        self.needs: Callable[[tuple[Any, ...]], list[str]] | None = None
        self.describe: Callable[[], Fields] | None = None
        self.loop: Any = None
        self.restore: Callable[[tuple[Any, ...], Any, Permit], None] | None = None
        self.signature: Signature | None = None
        self.takes_nothing = False
        self.told = False
        self.repeats: Callable[[tuple[Any, ...]], bool] | None = None
        self.keyed = False
        self.prints = False
        self._manifest: CapabilityManifest | None = None
        self._argument_type: Type | None = None
        self._schemas: str | None = None
        self.checked: dict[bool, Any] = {}

    @property
    def manifest(self) -> CapabilityManifest:
        """The declaration as the public, validated model (pydantic is imported here, at the first use)."""
        if self._manifest is None:
            from rtfs.capabilities.manifest import from_fields

            fields = self.fields if self.describe is None else self.describe()
            self._manifest = from_fields(fields, ORIGINS[self.origin])
        return self._manifest

    def is_idempotent(self, arguments: tuple[Any, ...]) -> bool:
        """Whether a call with these arguments may be made twice without harm. Hints ask before they repeat a call whose
        outcome is unknown, journals when they resume one, the session pool when a request may have arrived."""
        return self.fields.idempotent is True if self.repeats is None else self.repeats(arguments)

    @property
    def argument_type(self) -> Type | None:
        """The type of the arguments, where keys that the schema does not name are refused; made when first needed."""
        if self._argument_type is None and self.fields.input_type is not None:
            from rtfs.types.closed_records import closed

            self._argument_type = closed(self.fields.input_type)
        return self._argument_type

    @property
    def schemas(self) -> str:
        """Both schemas as text, by which a changed declaration is known; made when first needed."""
        if self._schemas is None:
            from rtfs.syntax.printer import to_text

            self._schemas = f"{to_text(self.fields.input_schema)} {to_text(self.fields.output_schema)}"
        return self._schemas

    def _check_closed(self, value: Any, what: str) -> Any:
        type = self.argument_type
        if type is None:
            return value
        self.check_input = type.check
        return type.check(value, what)

    @property
    def through_session(self) -> bool:
        """Whether calls go through a session with a server."""
        return self.route == SESSION

    @property
    def function(self) -> Any:
        """The Python or RTFS function that implements the capability, or None."""
        return self.fields.implementation


def _result_check(type: Type) -> Callable[..., Any]:
    """The function that checks a result against its type and returns it; where the type has a set, an array becomes
    one."""
    from rtfs.types.arrays import arrays_as_sets, wants_sets

    check: Callable[..., Any] = type.check
    if not wants_sets(type):
        return check

    def read(value: Any, what: str = "value") -> Any:
        made = arrays_as_sets(type, value)
        if made is not value and value.info is not None:
            made = made.with_info(value.info)
        return check(made, what)

    return read


def _not_offered(id: str) -> bool:
    return False


def _no_suggestion(id: str) -> str | None:
    return None


class Registry:
    """`id → Entry`, with the rules for declaring an id twice.

    parent    where ids are looked up that are not here
    suggest   given an unknown id, how to declare it, or None
    recall    given an id that is not declared, or "" for all: declares what is known of it from earlier runs
    offered   given an id that is not declared: whether a server can be asked for it when it is called
    """

    __slots__ = ("entries", "offered", "parent", "recall", "suggest")

    def __init__(self, parent: Registry | None = None) -> None:
        self.entries: dict[str, Entry] = {}
        self.parent = parent
        self.suggest: Callable[[str], str | None] = _no_suggestion if parent is None else parent.suggest
        self.recall: Callable[[str], object] | None = None
        self.offered: Callable[[str], bool] = _not_offered if parent is None else parent.offered

    def declare(self, entry: Entry, replace: bool = False) -> Entry:
        """Register, and return what is registered now: the same content again is a no-op that keeps the earlier one.

        Raises HostError `capability/conflict` where the id is taken by something else, unless the earlier one came from
        the same kind of source and `:version` grows, or the caller, not less trusted, says `replace`.
        """
        earlier = self.find(entry.id)
        if earlier is not None:
            if same(earlier, entry):
                return earlier
            if not (replace and entry.origin >= min(earlier.origin, EMBEDDER)):
                self._may_replace(earlier, entry)
        self.entries[entry.id] = entry
        return entry

    def find(self, id: str) -> Entry | None:
        """The entry of an id, or None."""
        registry = self
        while True:
            entry = registry.entries.get(id)
            if entry is not None:
                return entry
            if registry.parent is None:
                break
            registry = registry.parent
        if registry.recall is not None:
            registry.recall(id)
            return registry.entries.get(id)
        return None

    def ids(self) -> list[str]:
        """All ids, sorted."""
        if self.recall is not None:
            self.recall("")
        known = set(self.entries)
        if self.parent is not None:
            known.update(self.parent.ids())
        return sorted(known)

    def snapshot(self) -> Registry:
        """A registry that sees everything of this one and keeps what is declared in it to itself."""
        return Registry(self)

    def unknown(self, id: str, span: Span | None = None) -> HostError:
        """The error of a call to an id that is not registered."""
        from rtfs.syntax.suggest import did_you_mean

        known = self.ids()
        near = did_you_mean(id, known)
        family = [one for one in known if one.rpartition(".")[0] == id.rpartition(".")[0] != ""]
        if near is not None:
            hint = f'did you mean "{near}"?'
        elif family:
            more = ", …" if len(family) > _SHOWN else ""
            hint = "there are " + ", ".join(f'"{one}"' for one in family[:_SHOWN]) + more
        else:
            hint = self.suggest(id) or UNDECLARED
        return HostError(
            f'there is no capability "{id}"', code="capability/unknown", span=span, hint=hint, capability=id
        )

    @staticmethod
    def _may_replace(earlier: Entry, entry: Entry) -> None:
        was, now = ORIGINS[earlier.origin], ORIGINS[entry.origin]
        if earlier.origin != entry.origin:
            raise HostError(
                f'"{entry.id}" is registered already, by the {was}; the {now} may not replace it',
                code="capability/conflict",
                span=entry.fields.span,
                hint="declare it under another id",
                capability=entry.id,
            )
        old, new = earlier.fields.version, entry.fields.version
        if not grows(old, new):
            raise HostError(
                f'"{entry.id}" is declared already, with different content',
                code="capability/conflict",
                span=entry.fields.span,
                hint=f':version has to grow to replace it (it is "{old}" now)' if old else "give both a :version",
                capability=entry.id,
            )


def same(earlier: Entry, entry: Entry) -> bool:
    """Whether two entries have the same content and the same kind of implementation, so that one is as good as the
    other."""
    return (
        earlier.route == entry.route
        and earlier.fields.content() == entry.fields.content()
        and same_function(earlier.function, entry.function)
    )


def same_function(one: Any, other: Any) -> bool:
    """One function, or two made from the same code over the same values (a file loaded twice)."""
    if one is other:
        return True
    code, closure = getattr(one, "__code__", None), getattr(one, "__closure__", None) or ()
    others = getattr(other, "__closure__", None) or ()
    if code is None or code != getattr(other, "__code__", None) or len(closure) != len(others):
        return False
    return all(a.cell_contents is b.cell_contents for a, b in zip(closure, others, strict=True))


def grows(old: str, new: str) -> bool:
    """Whether version `new` comes after `old`: dotted numbers compared part by part, a suffix before its release."""
    one, two = _version(old), _version(new)
    return one is not None and two is not None and two > one


def _version(text: str) -> tuple[tuple[int, ...], int, str] | None:
    release, _, suffix = text.strip().removeprefix("v").split("+")[0].partition("-")
    parts = release.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), 0 if suffix else 1, suffix


def entry_for(fields: Fields, origin: int, route: int | None = None) -> Entry:
    """The entry of a declaration: through a session if its metadata asks for one, else by its implementation."""
    if route is None:
        if wants_session(fields.flat_metadata):
            route = SESSION
        else:
            route = NOWHERE if fields.implementation is None else GUEST
    entry = Entry(fields, origin, route)
    code = getattr(fields.implementation, "__code__", None)
    entry.takes_nothing = code is not None and code.co_argcount == 0 and not code.co_flags & 0x04
    return entry


class Capabilities:
    """The value of `rt.capabilities`: a read-only mapping from id to `CapabilityManifest`."""

    __slots__ = ("_registry",)

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getitem__(self, id: str) -> CapabilityManifest:
        entry = self._registry.find(id)
        if entry is None:
            raise KeyError(id)
        return entry.manifest

    def get(self, id: str, default: Any = None) -> Any:
        """The manifest of an id, or the default."""
        entry = self._registry.find(id)
        return default if entry is None else entry.manifest

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._registry.find(id) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.ids())

    def __len__(self) -> int:
        return len(self._registry.ids())

    def unknown(self, id: str) -> HostError:
        """The error that names what is like an id that is not here."""
        return self._registry.unknown(id)

    def keys(self) -> list[str]:
        """All ids, sorted."""
        return self._registry.ids()

    def values(self) -> list[CapabilityManifest]:
        """All manifests, by id."""
        return [self[id] for id in self]

    def items(self) -> list[tuple[str, CapabilityManifest]]:
        """All (id, manifest) pairs, by id."""
        return [(id, self[id]) for id in self]
