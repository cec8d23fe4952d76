"""Keywords: interned names that evaluate to themselves (`:owner`, `:ns/name`).

Invariant: two keywords of one name are one object, in every thread, so that dicts find them by identity (no Python
`__hash__` or `__eq__` on the way). The table is weak: an unused keyword is forgotten.
"""

from __future__ import annotations

from _thread import RLock
from _weakref import ref

from rtfs.values.error import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_MISSING: Any = object()


class Keyword:
    """`Keyword("a")` is the keyword `:a`; the name carries no leading colon."""

    __slots__ = ("__weakref__", "name")
    name: str

    def __new__(cls, name: str) -> Keyword:
        entry = _table.get(name)
        if entry is not None:
            found = entry()
            if found is not None:
                return found
        if type(name) is not str:
            raise TypeError(f"a keyword's name is a str, not {type(name).__name__}")
        made = object.__new__(cls)
        object.__setattr__(made, "name", name)
        return _intern(made)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a keyword cannot be changed")

    def __call__(self, m: Any = _MISSING, default: Any = None, /, *more: Any) -> Any:
        """`(:k m default?)`: look the keyword up, as a program does."""
        if m.__class__ is Map:
            if not more:
                d = m._d
                return m.get(self, default) if d is None else d.get(self, default)
        elif m is not _MISSING and not more:
            return keyword_get(self, m, default)
        count = 2 + len(more) if more else 0
        raise EvalError("arity", f":{self.name} as a function takes 1 or 2 arguments, got {count}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Keyword, (self.name,)

    def __copy__(self) -> Keyword:
        return self

    def __deepcopy__(self, memo: object) -> Keyword:
        return self

    def __repr__(self) -> str:
        return f"Keyword({self.name!r})"

    def __str__(self) -> str:
        return ":" + self.name


_table: dict[str, ref[Keyword]] = {}
_lock = RLock()  # a finalizer that makes keywords may run while its thread holds it
_dead = [1000]  # size of the table at which the dead are looked for


def _intern(made: Keyword) -> Keyword:
    """The one keyword of the name of `made`: itself, if there is no other."""
    name = made.name
    entry = ref(made)
    with _lock:
        if len(_table) >= _dead[0]:
            for each, other in list(_table.items()):
                if other() is None:
                    del _table[each]
            _dead[0] = 2 * len(_table) + 1000
        earlier = _table.get(name)
        found = earlier() if earlier is not None else None
        if found is None:
            _table[name] = entry
    return found or made


_NAME = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.*+!?<>=$&%")


def is_keyword_name(text: str) -> bool:
    """True if `text` makes a keyword that anybody would write: letters, digits and `-_.*+!?<>=$&%`, no digit first, at
    most one `/` with such a name on either side. Whatever passes reads back as one keyword behind a colon."""
    namespace, slash, name = text.partition("/")
    return _is_name(namespace) and (not slash or _is_name(name))


def _is_name(text: str) -> bool:
    if not text or text[0].isdigit():
        return False
    return _NAME.issuperset(text) or all(c in _NAME or (c > "\x7f" and c.isalnum()) for c in text)


# Last, because these need the class above.
from rtfs.values.lookup import keyword_get  # noqa: E402
from rtfs.values.map import Map  # noqa: E402
