"""The content and metadata that accompany a call's result: `content text meta`.

Must not know providers. Invariants: a value that is not the result of a call is its own content where it looks like
content, and has none otherwise; nothing here raises for a value of another shape.
"""

from __future__ import annotations

from rtfs.builtins.declare import builtin
from rtfs.values import Keyword, List, Map, Vector
from rtfs.values.info import result_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CONTENT, _TYPE, _TEXT, _RESOURCE, _CONTENTS = map(Keyword, ("content", "type", "text", "resource", "contents"))
_EMPTY = Vector(())


@builtin(
    "content",
    "(content result)",
    "The content blocks of a call's result: texts, images, audio, links, each a map with its :type.",
    '(content [{:type "text" :text "hi"}])',
    '[{:type "text" :text "hi"}]',
    "(content {:rows 3})",
    "[]",
)
def content(result: Any, /) -> Any:
    info = result_info(result)
    if info is not None:
        found = info.meta.get(_CONTENT)
        if found.__class__ is Vector:
            return found
    if result.__class__ is str:
        return Vector([Map([(_TYPE, "text"), (_TEXT, result)])])
    if result.__class__ is Map:
        if result.get(_TYPE).__class__ is str:
            return Vector([result])
        inner = result.get(_CONTENTS)  # what `resources/read` answers
        return inner if inner.__class__ is Vector else _EMPTY
    if result.__class__ in (Vector, List) and all(_is_block(one) for one in result):
        return result if result.__class__ is Vector else Vector(result)
    return _EMPTY


@builtin(
    "text",
    "(text result)",
    "The words of a call's result: the texts among its content, a line each; a string is given back.",
    '(text [{:type "text" :text "one"} {:type "image" :data "…"} {:type "text" :text "two"}])',
    '"one\\ntwo"',
    '(text "as it is")',
    '"as it is"',
)
def text(result: Any, /) -> str:
    if result.__class__ is str:
        return result
    parts = []
    for block in content(result):
        inner = block.get(_RESOURCE) if block.__class__ is Map else None
        holder = inner if inner.__class__ is Map else block
        words = holder.get(_TEXT) if holder.__class__ is Map else None
        if words.__class__ is str:
            parts.append(words)
    return "\n".join(parts)


@builtin(
    "meta",
    "(meta value)",
    "What came along with a call's result, a map with :content and :meta; nil for any other value.",
    "(meta {:rows 3})",
    "nil",
)
def meta(value: Any, /) -> Any:
    info = result_info(value)
    return None if info is None else info.meta


def _is_block(value: Any) -> bool:
    return value.__class__ is Map and value.get(_TYPE).__class__ is str
