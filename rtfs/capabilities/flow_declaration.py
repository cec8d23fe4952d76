"""`:flow` of a declaration: whether a capability's answers are trusted, whose they are, and who may read them.

Must not know rules. Invariant: a declaration that is read is valid; what is wrong with it is said in words.

    :flow {:trust :trusted, :arguments :dropped, :endorses true, :readers :public,
           :result {[* :body] {:source-of :sender, :readers [:sender :recipients]}}}

A path is a vector of keys from the answer down, `*` for every element of a vector. The fields that `:source-of` and
`:readers` name are those of the innermost map around the value, or of one further out.
"""

from __future__ import annotations

from rtfs.flow.label import NOTHING, Label, join
from rtfs.values import Keyword, List, Map, Set, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PUBLIC = "public"
_KEYS = ("trust", "arguments", "endorses", "readers", "result")


class FlowDeclaration:
    """trusted: sources of it are `trusted`. drops: the answer has nothing of the arguments. endorses: the answer is
    taken for declassified: it has neither the arguments' sources nor their readers. readers: of all of the answer; None
    for everybody. result: path → (fields that say whose it is, fields that say who may read; None: everybody)."""

    __slots__ = ("drops", "endorses", "readers", "result", "trusted")

    def __init__(self, form: Any) -> None:
        """Raises ValueError for what is not a `:flow`."""
        options = _options(form, _KEYS, ":flow")
        trust = _word(options.get("trust"))
        if trust not in (None, "trusted", "untrusted"):
            raise ValueError(f":trust is :trusted or :untrusted, not {trust}")
        arguments = _word(options.get("arguments"))
        if arguments not in (None, "dropped", "kept"):
            raise ValueError(f":arguments is :dropped or :kept, not {arguments}")
        endorses = options.get("endorses")
        if endorses not in (None, True, False):
            raise ValueError(":endorses is true or false")
        self.trusted = trust == "trusted"
        self.endorses = endorses is True
        self.drops = arguments == "dropped" or self.endorses
        readers = options.get("readers")
        self.readers: frozenset[str] | None = None
        if readers is not None and _word(readers) != PUBLIC:
            self.readers = frozenset(_names(readers, ":readers"))
        self.result: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...] | None]] = {}
        result = options.get("result")
        if result is not None:
            if result.__class__ is not Map:
                raise ValueError(":result is a map of paths")
            for path, what in result.items():
                self.result[_path(path)] = _what(what)

    def here(
        self, place: tuple[str, ...], value: Any, objects: Any, readers: Label, origin: tuple[str, ...] | None
    ) -> tuple[Label, tuple[str, ...] | None]:
        """The readers of the value at a place, joined with those of the values around it, and its owner. objects: the
        maps around it."""
        if not place and self.readers is not None:
            readers = join(readers, Label({}, self.readers))
        said = self.result.get(place)
        if said is None:
            return readers, origin
        owners, names = said
        if names is not None:
            readers = join(readers, Label({}, frozenset(_fields(objects, value, names))))
        if owners:
            origin = tuple(_fields(objects, value, owners))
        return (readers if readers is not NOTHING else NOTHING), origin


def _fields(objects: Any, value: Any, names: tuple[str, ...]) -> Iterator[str]:
    """The texts of fields, each of the innermost map that has it."""
    maps = [one for _, one in objects]
    if value.__class__ is Map and (not maps or maps[-1] is not value):
        maps.append(value)
    for name in names:
        for one in reversed(maps):
            found = one.get(Keyword(name))
            if found is None:
                found = one.get(name)
            if found is not None:
                yield from _texts(found)
                break


def _texts(value: Any) -> Iterator[str]:
    if value.__class__ in (Vector, List, Set):
        for one in value:
            yield from _texts(one)
    elif value.__class__ in (Keyword, Symbol):
        yield value.name
    else:
        yield str(value)


def _options(form: Any, known: tuple[str, ...], what: str) -> dict[str, Any]:
    if form.__class__ is not Map:
        raise ValueError(f"{what} is a map")
    options = {}
    for key, value in form.items():
        name = _word(key)
        if name not in known:
            raise ValueError(f"{what} has no {name!r}; it has {', '.join(known)}")
        options[name] = value
    return options


def _word(value: Any) -> Any:
    return value.name if value.__class__ in (Keyword, Symbol) else value


def _names(value: Any, what: str) -> tuple[str, ...]:
    items = list(value) if value.__class__ in (Vector, List, Set) else [value]
    names = [_word(one) for one in items]
    if any(name.__class__ is not str for name in names):
        raise ValueError(f"{what} names fields")
    return tuple(names)


def _path(path: Any) -> tuple[str, ...]:
    if path.__class__ not in (Vector, List):
        raise ValueError("a path of :result is a vector of keys, `*` for every element")
    items = path.to_list()
    found: list[str] = []
    for number, key in enumerate(items):
        name = _word(key)
        if getattr(key, "__name__", None) == "*":  # the function of that name, where the declaration is evaluated
            name = "*"
        if name == "vector" and number + 1 < len(items) and found == []:
            continue  # [:vector *], as the type is written
        if name.__class__ is not str:
            raise ValueError("a path of :result is a vector of keys, `*` for every element")
        found.append(name)
    return tuple(found)


def _what(form: Any) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    options = _options(form, ("source-of", "readers"), "a path of :result")
    owners = () if options.get("source-of") is None else _names(options["source-of"], ":source-of")
    readers = options.get("readers")
    return owners, None if readers is None or _word(readers) == PUBLIC else _names(readers, ":readers")
