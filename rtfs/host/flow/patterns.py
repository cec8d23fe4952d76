"""Patterns of sources, as flow rules name them: `plan`, `bank.*`, `bank.get_transactions[sender=me].recipient`.

Must not know rules or calls. Invariant: a pattern with a field or a condition never fits a source of which only the
capability is known.
"""

from __future__ import annotations

import re

from rtfs.host.policy.grants import glob
from rtfs.values import HostError, Keyword, List, Set, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs.flow.label import Source

_PARTS = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]*)\]")
ME = "me"


class SourcePattern:
    """text: as written. head: the capability's id, or `plan`, `model`, `input`, `unknown`, `trusted`, with `*`. parts:
    fields of its result (texts) and conditions on the object there (dicts)."""

    __slots__ = ("head", "parts", "text")

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str) or not text.strip():
            raise HostError(f"a source is a text such as plan or bank.*, not {text!r}", code="config/invalid")
        self.text = text
        self.head, bracket, rest = text.partition("[")
        self.parts: list[str | dict[str, str]] = []
        rest = bracket + rest
        end = 0
        for found in _PARTS.finditer(rest):
            if found.start() != end:
                break
            end = found.end()
            field, condition = found.groups()
            if field is not None:
                self.parts.append(field)
            elif condition not in ("", "*"):
                self.parts.append(_condition(condition, text))
        if end != len(rest) or not self.head:
            raise HostError(
                f"{text!r} is not a pattern of sources",
                code="config/invalid",
                hint="bank.get_transactions[sender=me].recipient: a capability, conditions in brackets, fields",
            )

    @property
    def uses_me(self) -> bool:
        """Whether a condition names `me`."""
        return any(ME in part.values() for part in self.parts if isinstance(part, dict))

    def fits(self, source: Source, me: frozenset[str]) -> bool:
        """Whether a source is one of these. me: what `me` means."""
        if self.head == "trusted":
            return source.trusted
        if glob(self.head, source.id):
            parts = self.parts
        elif "*" not in self.head and self.head.startswith(source.id + "."):
            parts = [*self.head[len(source.id) + 1 :].split("."), *self.parts]
        else:
            return False
        if not parts:
            return True
        if source.whole:
            return False
        depth = 0
        for part in parts:
            if isinstance(part, str):
                if depth >= len(source.path) or not glob(part, source.path[depth]):
                    return False
                depth += 1
            elif not _holds(part, source, depth, me):
                return False
        return True


def _condition(text: str, pattern: str) -> dict[str, str]:
    found = {}
    for one in text.split(","):
        name, equals, wanted = one.partition("=")
        if not equals or not name.strip() or not wanted.strip():
            raise HostError(
                f"{text!r} in {pattern!r} is not a condition", code="config/invalid", hint="write [sender=me]"
            )
        if name.strip() in found:
            raise HostError(
                f"{text!r} in {pattern!r} names {name.strip()!r} more than once",
                code="config/invalid",
                hint="one pattern has one condition for a field; a list of patterns allows several",
            )
        found[name.strip()] = wanted.strip()
    return found


def _holds(condition: dict[str, str], source: Source, depth: int, me: frozenset[str]) -> bool:
    """Whether the object at a depth of the source's path has these fields."""
    objects = [value for level, value in source.objects if level == depth]
    if not objects:
        return False
    for name, wanted in condition.items():
        given = {text for one in fields(objects[-1], name) for text in texts(one)}
        if not given or not all(one in me if wanted == ME else glob(wanted, one) for one in given):
            return False
    return True


def keys_of(name: str) -> tuple[Any, ...]:
    """The keys of a map that a Python function or a server reads as one name."""
    return Keyword(name), name, Symbol(name)


def fields(value: Any, name: str) -> list[Any]:
    """The values of a map's keys of that name, however they are spelled."""
    return [value.get(key) for key in keys_of(name) if key in value]


def field(value: Any, name: str) -> Any:
    """The value of a map's key of that name, keyword or text; nil for none."""
    found = value.get(Keyword(name))
    return value.get(name) if found is None else found


def texts(value: Any) -> Iterator[str]:
    """The texts of a scalar or a collection of them."""
    if value.__class__ in (Vector, List, Set):
        for one in value:
            yield from texts(one)
    elif value.__class__ in (Keyword, Symbol):
        yield value.name
    elif value.__class__ is str:
        yield value
    elif value.__class__ is bool:
        yield "true" if value else "false"
    elif value is not None:
        yield str(value)
