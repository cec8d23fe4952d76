"""`array`: a list as PostgreSQL writes an array, for a parameter with a type: `unnest(%s::text[])`.

Must not know tables. Invariant: the server reads back what was given. psycopg looks for the type of each list by its
elements, which takes longer than all else about a commit; here the statement says it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def array(items: Sequence[str | bytes | int | float | bool | None]) -> str:
    """The text of an array of one dimension."""
    kind = type(items[0]) if items else str
    if kind is str:
        try:
            joined = _BETWEEN.join(items)  # type: ignore[arg-type]
        except TypeError:  # NULL among them
            return _by_element(items)
        if items and joined.count(_BETWEEN) == len(items) - 1:
            if '"' in joined or "\\" in joined:
                joined = joined.replace("\\", "\\\\").replace('"', '\\"')
            return '{"' + joined.replace(_BETWEEN, '","') + '"}'
    elif kind is int and None not in items:
        return "{" + str([*items])[1:-1] + "}"
    return _by_element(items)


_BETWEEN = "\0"
"""No text of PostgreSQL has it."""


def _by_element(items: Sequence[str | bytes | int | float | bool | None]) -> str:
    return "{" + ",".join([_element(item) for item in items]) + "}"


def _element(item: str | bytes | float | None) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, str):
        return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(item, bytes):
        return '"\\\\x' + item.hex() + '"'
    return repr(item)  # a number, or a truth value in words that the server knows: True
