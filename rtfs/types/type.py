"""The base class of types: an immutable object with a form, a fast test, and a slow search for the part that does not
fit.

A type is used in two ways. `accepts`/`check` run closures compiled on first use (`_fast`), one function call for simple
types. When a value does not fit, `find` looks for the offending part with an explicit stack, so the depth of a value
never becomes depth of Python's stack. Knows no text of programs, no compiler, no JSON.
Invariants: `_fast(v)` is true exactly if `find(type, v)` is None; no type refers to itself but through an `Alias`.
"""

from __future__ import annotations

from rtfs.values import LimitError, Map, TypeMismatch, Vector
from rtfs.values.keyword import Keyword
from rtfs.values.lazy import hooks, realised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from rtfs.types.basic import FnType

    Steps = Generator[tuple["Type", Any], "Misfit | None", "Misfit | None"]

MISSING: Any = object()
_set = object.__setattr__


class Misfit:
    """The part of a value that does not fit a type. `path`: nested pairs (key, rest), outermost first, or None.
    `unknown`: a 1-tuple of the key that a closed record does not know, or None."""

    __slots__ = ("expected", "got", "note", "path", "type", "unknown")

    def __init__(
        self,
        type: Type,
        got: Any,
        *,
        expected: str = "",
        note: str = "",
        path: Any = None,
        unknown: tuple[Any] | None = None,
    ) -> None:
        self.type = type
        self.got = got
        self.expected = expected
        self.note = note
        self.path = path
        self.unknown = unknown

    def under(self, part: Any) -> Misfit:
        """The same misfit, seen from the value that holds the part at `part`."""
        path = (part, self.path)
        return Misfit(self.type, self.got, expected=self.expected, note=self.note, path=path, unknown=self.unknown)

    def keys(self) -> list[Any]:
        keys, rest = [], self.path
        while rest is not None:
            keys.append(rest[0])
            rest = rest[1]
        return keys


def settled(misfit: Misfit | None) -> Steps:
    """The steps of a type that asks for no part to be checked."""
    yield from ()
    return misfit


class Type:
    """A type expression, parsed. Compare with `==`; immutable.

    accepts(value) -> bool. check(value, what="value") -> the value itself, or TypeMismatch `type/mismatch` whose
    message names `what`, the path, what was expected and what came, and whose `data` is the map
    {:expected form, :got type name, :path vector, :what text}. `called`: the function type that calls of a value of
    this type must keep to, or None. `classes`: if the class of a value alone decides, the Python classes that fit; else
    None. `form`: the expression as a value; `parse_type(t.form) == t`.
    """

    __slots__ = ("_fast", "_plain", "accepts", "called", "check")
    classes: tuple[type, ...] | None = None
    if TYPE_CHECKING:
        _fast: Callable[[Any], bool]
        _plain: bool
        accepts: Callable[[Any], bool]
        called: FnType | None

        def check(self, value: Any, what: str = "value") -> Any: ...

        # What every type brings.
        @property
        def form(self) -> Any: ...

        def describe(self, plural: bool = False) -> str:
            """The type in words: "a vector of integers", in the plural "vectors of integers"."""

        def _compile(self) -> Callable[[Any], bool]: ...

        def _steps(self, value: Any) -> Steps:
            """Ask for the parts to be checked, as (type, part), and return the misfit or None."""

    def children(self) -> tuple[Type, ...]:
        """The types this one consists of (of an alias: none)."""
        return ()

    def with_optional(self, keys: Any, nullable: bool = False) -> Type:
        """The same type with keys of a record made optional; other types stay as they are. See `Record`."""
        return self

    def _key(self) -> Any:
        return ()

    def _called(self) -> FnType | None:
        return None

    def _member(self, value: Any) -> Misfit | None:
        """The misfit of a value whose class alone decides."""
        classes = self.classes
        return None if classes is not None and value.__class__ in classes else Misfit(self, value)

    def __getattr__(self, name: str) -> Any:
        # Only reached while a slot is empty: validators are compiled on first use.
        made: Any
        if name == "_fast":
            made = self._compile()
        elif name == "_plain":
            from rtfs.types.alias import is_plain

            made = is_plain(self)
        elif name == "accepts":
            made = self._fast if self.classes is not None else _guarded(self)
        elif name == "called":
            made = self._called()
        elif name == "check":
            made = _checker(self)
        else:
            raise AttributeError(name)
        _set(self, name, made)
        return made

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a type cannot be changed")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return other.__class__ is self.__class__ and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self.__class__.__name__, self._key()))

    def __repr__(self) -> str:
        from rtfs.syntax.printer import to_text

        return f"<type {to_text(self.form)}>"

    def __reduce__(self) -> Any:
        raise TypeError("types are not pickled; keep the form")


def by_class(classes: tuple[type, ...]) -> Callable[[Any], bool]:
    """A test by class alone."""
    if len(classes) == 1:
        (only,) = classes
        return lambda value: value.__class__ is only
    if len(classes) == 2:
        one, two = classes
        return lambda value: value.__class__ is one or value.__class__ is two
    return lambda value: value.__class__ in classes


def _guarded(type: Type) -> Callable[[Any], bool]:
    fast = type._fast

    def accepts(value: Any) -> bool:
        try:
            fits = fast(value)
        except RecursionError:
            fits = _slow(type, value) is None
        return fits or (hooks.made and (whole := realised(value)) is not value and accepts(whole))

    return accepts


def _checker(type: Type) -> Callable[..., Any]:
    classes = type.classes
    if classes is not None and len(classes) == 1:
        (only,) = classes

        def check_one(value: Any, what: str = "value") -> Any:
            if value.__class__ is only:
                return value
            raise mismatch(type, value, what)

        return check_one
    if classes is not None:
        some = classes

        def check_some(value: Any, what: str = "value") -> Any:
            if value.__class__ in some:
                return value
            raise mismatch(type, value, what)

        return check_some
    fast = type._fast

    def check(value: Any, what: str = "value") -> Any:
        try:
            fits = fast(value)
        except RecursionError:
            fits = _slow(type, value) is None
        if fits:
            return value
        if hooks.made:  # a structure is checked, and kept, with the elements of lazy sequences in it
            whole = realised(value)
            if whole is not value:
                return check(whole, what)
        raise mismatch(type, value, what)

    return check


def _slow(type: Type, value: Any) -> Misfit | None:
    try:
        return find(type, value, shortcuts=False)
    except RecursionError:
        raise LimitError("limit/depth", "there is no stack left to check a value against its type") from None


def find(type: Type, value: Any, shortcuts: bool = True) -> Misfit | None:
    """The first part of a value that does not fit, or None. Needs constant stack whatever the depth of the value.

    shortcuts: parts whose types are free of tangled aliases are tried with their compiled test first.
    """
    from rtfs.types.alias import Alias

    if type.classes is not None:
        return type._member(value)
    # What an alias said of a value is kept (with the value, for its id): overlapping unions stay linear.
    known: dict[tuple[int, int], tuple[Misfit | None, Any]] = {}
    frames: list[tuple[Any, tuple[int, int] | None, Any]] = [(type._steps(value), None, value)]
    answer: Misfit | None = None
    while True:
        steps, memo, whole = frames[-1]
        try:
            part_type, part = steps.send(answer)
        except StopIteration as stop:
            answer = stop.value
            if memo is not None:
                known[memo] = (answer, whole)
            frames.pop()
            if not frames:
                return answer
            continue
        if part_type.classes is not None:
            answer = part_type._member(part)
        elif shortcuts and part_type._plain and part_type._fast(part):
            answer = None
        else:
            memo = (id(part_type), id(part)) if part_type.__class__ is Alias else None
            if memo in known:
                answer = known[memo][0]
            else:
                frames.append((part_type._steps(part), memo, part))
                answer = None


def mismatch(type: Type, value: Any, what: str = "value") -> TypeMismatch:
    """The error for a value that does not fit; LimitError `limit/depth` if no stack is left to look for the part."""
    from rtfs.types.show import clip, kind_name, shorten, shorten_path

    try:
        misfit = find(type, value)
    except RecursionError:
        misfit = _slow(type, value)
    if misfit is None:
        misfit = Misfit(type, value)
    keys = misfit.keys()
    place = f" at {shorten_path(keys)}" if keys else ""
    expected = clip(misfit.expected or misfit.type.describe())
    hint = None
    if misfit.unknown is not None:
        got = "unknown key"
        keys.append(misfit.unknown[0])
        text = f"{what}: there is no key {shorten(misfit.unknown[0])} at {shorten_path(keys)}"
        hint = _known_keys(misfit.type, misfit.unknown[0])
    elif misfit.got is MISSING:
        got, text = "nothing", f"{what}: expected {expected}{place}, but the key is missing"
    else:
        got = kind_name(misfit.got)
        shown = shorten(misfit.got)
        text = f"{what}: expected {expected}{place}, got {shown if shown == got else f'{got} {shown}'}"
    if misfit.note:
        text += f" ({misfit.note})"
    data = Map(
        [
            (Keyword("expected"), misfit.type.form),
            (Keyword("got"), got),
            (Keyword("path"), Vector(keys)),
            (Keyword("what"), what),
        ]
    )
    return TypeMismatch("type/mismatch", text, data=data, hint=hint)


def _known_keys(record: Any, key: Any) -> str:
    """The key that was meant instead of an unknown one, or those that there are."""
    from rtfs.syntax.suggest import did_you_mean
    from rtfs.types.show import clip, shorten

    known = {field.name: field.key for field in record.fields}
    near = did_you_mean(getattr(key, "name", None) or str(key), list(known))
    if near is not None:
        return f"did you mean {shorten(known[near])}?"
    return clip("it takes " + ", ".join(shorten(one) for one in known.values()) if known else "it takes no arguments")
