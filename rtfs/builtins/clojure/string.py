"""clojure.string: the functions of Clojure's namespace, with its arguments and results.

Must not know the functions of the language's own names but to share their work. Invariants: white space is what Java's
`Character.isWhitespace` says; results are bounded as those of `rtfs.builtins.strings`.
"""

from __future__ import annotations

from rtfs.builtins import long_text
from rtfs.builtins.argument_errors import (
    MAX_TEXT,
    need_int,
    need_string,
    size_error,
    type_error,
)
from rtfs.builtins.calling import call_with
from rtfs.builtins.declare import builtin
from rtfs.builtins.long_text import LONG
from rtfs.builtins.regex import replace_by, split_at, split_by
from rtfs.builtins.strings import concatenated, join, replace, str1
from rtfs.values import Map, Regex, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

WHITESPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a"
    "\u2028\u2029\u205f\u3000"
)
"""Characters that Java's Character.isWhitespace accepts, which excludes no-break spaces."""


def _to_string(name: str, value: Any) -> str:
    """The text that Clojure's `.toString` returns: any value but nil has a text."""
    if value is None:
        raise type_error(name, "text", "a string", value)
    return str1(value)


@builtin(
    "clojure.string/upper-case",
    "(clojure.string/upper-case text)",
    "The text in capital letters; a keyword or symbol becomes text first.",
    '(str/upper-case "añb")',
    '"AÑB"',
)
def upper_case(text: Any, /) -> str:
    return long_text.upper(_to_string("clojure.string/upper-case", text))


@builtin(
    "clojure.string/lower-case",
    "(clojure.string/lower-case text)",
    "The text in small letters; a keyword or symbol becomes text first.",
    '(str/lower-case "ABC")',
    '"abc"',
)
def lower_case(text: Any, /) -> str:
    return long_text.lower(_to_string("clojure.string/lower-case", text))


@builtin(
    "clojure.string/capitalize",
    "(clojure.string/capitalize text)",
    "The first character in capitals, the rest in small letters.",
    '(str/capitalize "hELLO wORLD")',
    '"Hello world"',
)
def capitalize(text: Any, /) -> str:
    whole = _to_string("clojure.string/capitalize", text)
    return whole[:1].upper() + long_text.lower(whole[1:])


@builtin(
    "clojure.string/blank?",
    "(clojure.string/blank? text)",
    "Is it nil, empty, or nothing but white space?",
    '(str/blank? " \\n")',
    "true",
    "(str/blank? nil)",
    "true",
)
def is_blank(text: Any, /) -> bool:
    return text is None or not long_text.strip(need_string("clojure.string/blank?", "text", text), WHITESPACE)


@builtin(
    "clojure.string/trim",
    "(clojure.string/trim text)",
    "The text without white space at its ends.",
    '(str/trim "  a b ")',
    '"a b"',
)
def trim(text: Any, /) -> str:
    return long_text.strip(need_string("clojure.string/trim", "text", text), WHITESPACE)


@builtin(
    "clojure.string/triml",
    "(clojure.string/triml text)",
    "The text without white space at its start.",
    '(str/triml "  a ")',
    '"a "',
)
def triml(text: Any, /) -> str:
    return long_text.lstrip(need_string("clojure.string/triml", "text", text), WHITESPACE)


@builtin(
    "clojure.string/trimr",
    "(clojure.string/trimr text)",
    "The text without white space at its end.",
    '(str/trimr "  a ")',
    '"  a"',
)
def trimr(text: Any, /) -> str:
    return long_text.rstrip(need_string("clojure.string/trimr", "text", text), WHITESPACE)


@builtin(
    "clojure.string/trim-newline",
    "(clojure.string/trim-newline text)",
    "The text without the line ends at its end.",
    '(str/trim-newline "line\\r\\n")',
    '"line"',
)
def trim_newline(text: Any, /) -> str:
    return long_text.rstrip(need_string("clojure.string/trim-newline", "text", text), "\r\n")


@builtin(
    "clojure.string/join",
    "(clojure.string/join separator? coll)",
    "The elements of a collection as text, with the separator between them.",
    '(str/join ", " [1 :k "s"])',
    '"1, :k, s"',
    "(str/join [1 2])",
    '"12"',
)
def join_(separator: Any, coll: Any = ..., /) -> str:
    if coll is ...:
        return join("", separator)
    return join(_to_string("clojure.string/join", separator), coll)


@builtin(
    "clojure.string/reverse",
    "(clojure.string/reverse text)",
    "The characters in reverse order.",
    '(str/reverse "abc")',
    '"cba"',
)
def reverse(text: Any, /) -> str:
    return long_text.reversed_text(need_string("clojure.string/reverse", "text", text))


@builtin(
    "clojure.string/includes?",
    "(clojure.string/includes? text part)",
    "Does the part occur in the text?",
    '(str/includes? "hello" "ell")',
    "true",
)
def includes(text: Any, part: Any, /) -> bool:
    whole = need_string("clojure.string/includes?", "text", text)
    wanted = need_string("clojure.string/includes?", "the part", part)
    return wanted in whole if len(whole) <= LONG else long_text.find(whole, wanted) >= 0


@builtin(
    "clojure.string/starts-with?",
    "(clojure.string/starts-with? text part)",
    "Does the text start so?",
    '(str/starts-with? "hello" "he")',
    "true",
)
def starts_with(text: Any, part: Any, /) -> bool:
    whole = need_string("clojure.string/starts-with?", "text", text)
    return whole.startswith(need_string("clojure.string/starts-with?", "the part", part))


@builtin(
    "clojure.string/ends-with?",
    "(clojure.string/ends-with? text part)",
    "Does the text end so?",
    '(str/ends-with? "hello" "lo")',
    "true",
)
def ends_with(text: Any, part: Any, /) -> bool:
    whole = need_string("clojure.string/ends-with?", "text", text)
    return whole.endswith(need_string("clojure.string/ends-with?", "the part", part))


@builtin(
    "clojure.string/index-of",
    "(clojure.string/index-of text part from?)",
    "Where the part first occurs, at `from` or later; nil if it does not.",
    '(str/index-of "hello" "l")',
    "2",
    '(str/index-of "hello" "z")',
    "nil",
)
def index_of(text: Any, part: Any, start: Any = 0, /) -> int | None:
    whole = need_string("clojure.string/index-of", "text", text)
    wanted = need_string("clojure.string/index-of", "the part", part)
    first = max(0, need_int("clojure.string/index-of", "from", start))
    found = long_text.find(whole, wanted, min(first, len(whole)))
    return None if found < 0 else found


@builtin(
    "clojure.string/last-index-of",
    "(clojure.string/last-index-of text part from?)",
    "Where the part last occurs, at `from` or before; nil if it does not.",
    '(str/last-index-of "hello" "l")',
    "3",
)
def last_index_of(text: Any, part: Any, start: Any = None, /) -> int | None:
    whole = need_string("clojure.string/last-index-of", "text", text)
    wanted = need_string("clojure.string/last-index-of", "the part", part)
    if start is None:
        found = long_text.rfind(whole, wanted)
    else:
        last = need_int("clojure.string/last-index-of", "from", start)
        found = long_text.rfind(whole, wanted, last + len(wanted)) if last >= 0 else -1
    return None if found < 0 else found


@builtin(
    "clojure.string/split",
    "(clojure.string/split text separator limit?)",
    "The parts between the separators, without empty ones at the end; at most `limit` parts, all if it is negative.",
    '(str/split "a,b,,c,," ",")',
    '["a" "b" "" "c"]',
    '(str/split "a,b,c" "," 2)',
    '["a" "b,c"]',
)
def split(text: Any, separator: Any, limit: Any = 0, /) -> Vector:
    name = "clojure.string/split"
    whole = need_string(name, "text", text)
    if separator.__class__ is not str:
        return split_by(name, whole, separator, limit)
    return split_at(name, whole, _literal_spans(separator, whole), limit)


def _literal_spans(separator: str, text: str) -> Iterator[tuple[int, int]]:
    """The spans where a text occurs; the empty text occurs between all characters."""
    if not separator:
        yield from ((at, at) for at in range(len(text)))
        return
    at = text.find(separator)
    while at >= 0:
        yield at, at + len(separator)
        at = text.find(separator, at + len(separator))


@builtin(
    "clojure.string/split-lines",
    "(clojure.string/split-lines text)",
    "The lines of the text, without empty ones at the end.",
    '(str/split-lines "a\\nb\\r\\nc")',
    '["a" "b" "c"]',
)
def split_lines(text: Any, /) -> Vector:
    whole = need_string("clojure.string/split-lines", "text", text)
    return split(whole.replace("\r\n", "\n"), "\n")


@builtin(
    "clojure.string/replace",
    "(clojure.string/replace text part replacement)",
    'Every occurrence replaced: of a text by a text, of a #"…" by a text with $1 or by what a function makes of it.',
    '(str/replace "a-b-c" "-" "+")',
    '"a+b+c"',
)
def replace_(text: Any, part: Any, replacement: Any, /) -> str:
    whole = need_string("clojure.string/replace", "text", text)
    if part.__class__ is Regex:
        return replace_by("clojure.string/replace", whole, part, replacement)
    made: str = replace(whole, part, replacement)
    return made


@builtin(
    "clojure.string/replace-first",
    "(clojure.string/replace-first text part replacement)",
    "The first occurrence replaced, as `replace` replaces all.",
    '(str/replace-first "banana" "an" "AN")',
    '"bANana"',
)
def replace_first(text: Any, part: Any, replacement: Any, /) -> str:
    name = "clojure.string/replace-first"
    whole = need_string(name, "text", text)
    if part.__class__ is str:
        need_string(name, "replacement", replacement)
        if len(whole) + len(replacement) > MAX_TEXT:
            raise size_error(name)
        return whole.replace(part, replacement, 1)
    return replace_by(name, whole, part, replacement, most=1)


@builtin(
    "clojure.string/escape",
    "(clojure.string/escape text replacements)",
    "Each character replaced by what a map (or function) of characters has for it, if it has something.",
    '(str/escape "a<b" {"<" "&lt;"})',
    '"a&lt;b"',
)
def escape(text: Any, replacements: Any, /) -> str:
    name = "clojure.string/escape"
    whole = need_string(name, "text", text)
    if replacements.__class__ is Map:
        found = {one: replacements.get(one) for one in set(whole)}
        parts = [one if found[one] is None else str1(found[one]) for one in whole]
    else:
        parts = []
        for one in whole:
            made = call_with(replacements, (one,))
            parts.append(one if made is None else str1(made))
    return concatenated(name, parts)


@builtin(
    "clojure.string/re-quote-replacement",
    "(clojure.string/re-quote-replacement text)",
    "A replacement in which `$` and `\\` are themselves.",
    '(str/re-quote-replacement "a$1")',
    '"a\\\\$1"',
)
def re_quote_replacement(text: Any, /) -> str:
    whole = need_string("clojure.string/re-quote-replacement", "text", text)
    return whole.replace("\\", "\\\\").replace("$", "\\$")
