"""JSON both ways: `parse-json serialize-json serialize-json-pretty` (RFC 8259).

Must not know how texts are read and written (`rtfs.builtins.json_parser`, `rtfs.builtins.json_writer`, which are
loaded when one of the functions is first called).
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import need_string, type_error
from rtfs.builtins.declare import builtin
from rtfs.values import Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "parse-json",
    "(parse-json text options?)",
    "The value of a JSON text, with string keys; with {:keywords true} keys become keywords where they read back.",
    '(parse-json "{\\"a\\": [1, null]}")',
    '{"a" [1 nil]}',
    '(parse-json "{\\"a\\": 1}" {:keywords true})',
    "{:a 1}",
    aliases=("tool/parse-json",),
)
def parse_json(text: Any, options: Any = None, /) -> Any:
    need_string("parse-json", "text", text)
    from rtfs.builtins.json_parser import parse

    keywords = None
    if options.__class__ is Map:
        keywords = options.get(Keyword("keywords"))
    elif options is not None:
        raise type_error("parse-json", "the options", "a map", options)
    return parse(text, keywords is not None and keywords is not False)


@builtin(
    "serialize-json",
    "(serialize-json value)",
    "The value as compact JSON; keywords lose their colon, integer keys become text.",
    '(serialize-json {:a [1 nil "x"]})',
    '"{\\"a\\":[1,null,\\"x\\"]}"',
    aliases=("tool/serialize-json",),
)
def serialize_json(value: Any, /) -> str:
    from rtfs.builtins.json_writer import serialize

    return serialize(value)


@builtin(
    "serialize-json-pretty",
    "(serialize-json-pretty value)",
    "The value as JSON on several lines, two spaces a level.",
    "(serialize-json-pretty [1 2])",
    '"[\\n  1,\\n  2\\n]"',
    aliases=("tool/serialize-json-pretty",),
)
def serialize_json_pretty(value: Any, /) -> str:
    from rtfs.builtins.json_writer import serialize

    return serialize(value, 2, "serialize-json-pretty")
