"""Values as text and back: `read-string prn-str print-str println-str`.

Must not know programs: the text is read as data and never run. Invariant: `read-string` of `pr-str` returns the value,
for every value that has a literal.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import need_string
from rtfs.builtins.declare import builtin
from rtfs.builtins.strings import concatenated, pr_str
from rtfs.syntax.printer import display
from rtfs.values import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def first_form(name: str, text: str, end: Any = None) -> Any:
    """The first form of a text, `end` if there is none. Raises EvalError `argument/invalid` for other text."""
    from rtfs.source import Source
    from rtfs.syntax.reader import read_forms
    from rtfs.values.error import ReaderError

    try:
        forms = read_forms(Source(text, "<text>"))
    except ReaderError as error:
        raise EvalError("argument/invalid", f"({name} …) cannot read the text: {error.message}") from None
    return forms[0] if forms else end


@builtin(
    "read-string",
    "(read-string text)",
    "The first form of a text, as data that is not evaluated.",
    '(read-string "[1 :a (+ 1 2)]")',
    "[1 :a (+ 1 2)]",
)
def read_string(text: Any, /) -> Any:
    return first_form("read-string", need_string("read-string", "the text", text))


@builtin(
    "prn-str",
    "(prn-str & values)",
    "What `prn` would write: the values as text that reads back, and a line end.",
    '(prn-str "a" 1)',
    '"\\"a\\" 1\\n"',
)
def prn_str(*values: Any) -> str:
    return pr_str(*values) + "\n"


@builtin(
    "print-str",
    "(print-str & values)",
    "What `print` would write: the values as text, strings as they are, with spaces between.",
    '(print-str "a" nil 1)',
    '"a nil 1"',
)
def print_str(*values: Any) -> str:
    return concatenated("print-str", [value if value.__class__ is str else display(value) for value in values], " ")


@builtin(
    "println-str",
    "(println-str & values)",
    "What `println` would write: `print-str` and a line end.",
    '(println-str "a" 1)',
    '"a 1\\n"',
)
def println_str(*values: Any) -> str:
    return print_str(*values) + "\n"
