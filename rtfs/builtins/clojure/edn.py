"""clojure.edn: data out of text.

Must not know programs: what is read is never run. Invariant: a text is read as the language reads data.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import need_string, type_error
from rtfs.builtins.declare import builtin
from rtfs.builtins.printing import first_form
from rtfs.values import Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "clojure.edn/read-string",
    "(clojure.edn/read-string options? text)",
    "The first form of a text, as data; nil for an empty text. Options: {:eof value}.",
    '(edn/read-string "{:a [1 2]}")',
    "{:a [1 2]}",
)
def read_string(options: Any, text: Any = ..., /) -> Any:
    name = "clojure.edn/read-string"
    if text is ...:
        options, text = None, options
    elif options.__class__ is not Map:
        raise type_error(name, "the options", "a map", options)
    if text is None:
        return None
    need_string(name, "text", text)
    return first_form(name, text, None if options is None else options.get(Keyword("eof")))
