"""The `;; optional` comments of schemas: files in the wild mark a key of a schema map so, and the comment counts.

Must not know types beyond how an optional key is written. Invariant: only a comment that trails its entry on the same
line marks it; a schema without the reader's note (`.info`) has no comments and stays as it is.
"""

from __future__ import annotations

from rtfs.values import Keyword, Map, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEPTH = 100


def optional_keys(form: Any) -> list[Any]:
    """The keys of a schema form that a trailing `; optional` comment marks, in order.

    form: a schema map `{:k T …}` or a `[:map [:k T] …]` vector as read (with `.info`); anything else has none.
    """
    info = getattr(form, "info", None)
    if info is None or not info.kids:
        return []
    if form.__class__ is Map:
        keys, step = list(form.keys()), 2
        if len(keys) * 4 != len(info.kids):  # a key written twice: places can no longer be told
            return []
    elif form.__class__ is Vector:
        keys, step = [item[0] if item.__class__ is Vector and len(item) else None for item in form], 1
    else:
        return []
    marked = []
    for index, key in enumerate(keys):
        end = info.kids[2 * (index * step + step - 1) + 1]
        if key is not None and _marked(info.source.text, end):
            marked.append(key)
    return marked


def apply_comments(form: Any, depth: int = 0) -> Any:
    """The schema form with every key that a comment marks made optional (`T?` or `[:k T ?]`), at any depth."""
    if depth > _DEPTH or not isinstance(form, (Map, Vector)):
        return form
    keys = optional_keys(form)
    if isinstance(form, Vector):
        items = [apply_comments(item, depth + 1) for item in form]
        if not keys and all(new is old for new, old in zip(items, form, strict=True)):
            return form
        return Vector(
            Vector([item[0], item[1], Symbol("?")])
            if item.__class__ is Vector and len(item) == 2 and item[0] in keys
            else item
            for item in items
        )
    pairs = [(key, apply_comments(value, depth + 1)) for key, value in form.items()]
    if not keys and all(new is old for (_, new), old in zip(pairs, form.values(), strict=True)):
        return form
    short = [(key, _optional_type(value) if key in keys else value) for key, value in pairs]
    if all(value is not None for _, value in short):
        return Map(short)
    entries = [Vector([key, value, Symbol("?")]) if key in keys else Vector([key, value]) for key, value in pairs]
    return Vector([Keyword("map"), *entries])


def _marked(text: str, start: int) -> bool:
    """Whether the rest of the line after an entry is a comment whose first word is `optional`."""
    line_end = text.find("\n", start)
    rest = text[start : line_end if line_end >= 0 else len(text)].lstrip(" \t,")
    if not rest.startswith(";"):
        return False
    words = rest.lstrip("; \t(").split(None, 1)
    return bool(words) and words[0].rstrip(".,:;)").lower() == "optional"


def _optional_type(value: Any) -> Any:
    """`:int` → `:int?`; None where a type has no such short form."""
    if value.__class__ is Keyword or value.__class__ is Symbol:
        return value if value.name.endswith("?") else value.__class__(value.name + "?")
    return None
