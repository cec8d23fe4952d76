"""Calls whose value differs from Clojure's on purpose: warnings, as docs/divergences.md lists the differences.

Tables of standard functions; each says of the arguments of a call whether they are such that the value is another one
than in Clojure. Invariant: a warning is given only where that is certain, and changes nothing.
"""

from __future__ import annotations

from rtfs.checker.facts import UNKNOWN, Fact
from rtfs.values import Regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.checker.inference import Inference
    from rtfs.compiler.analysis import nodes

    Difference = tuple[str, str]
    """The difference, and the text to write instead."""

CODE = "lint/clojure"
BITS = 63
"""Places of a long of Clojure's that a shift by one can reach."""


def warn_of_difference(inference: Inference, name: str, node: nodes.Invoke, arguments: list[Fact]) -> None:
    """Warn of a call with another result than in Clojure."""
    if not inference.detailed or inference.silent:
        return
    name = name.rpartition("clojure.core/")[2]
    found: Difference | None = None
    if name in _DIFFERENCES:
        found = _DIFFERENCES[name](arguments)
    elif name in _WRITTEN_DIFFERENCES:
        found = _WRITTEN_DIFFERENCES[name](arguments, _written(inference, node))
    if found is not None:
        inference.warn(CODE, found[0], node.at, hint=found[1])


def warn_of_folding(inference: Inference, node: nodes.Each, initial: Fact) -> None:
    """Warn of `(reduce conj () coll)`: each round adds to a list."""
    if not inference.detailed or inference.silent or not initial.only("list"):
        return
    from rtfs.compiler.analysis.nodes import Global, If, Invoke, Let, Local

    pending: list[nodes.Node] = [node.body]
    while pending:
        one = pending.pop()
        if isinstance(one, If):
            pending += (one.then, one.orelse)
        elif isinstance(one, Let):
            pending.append(one.body)
        elif isinstance(one, Invoke) and isinstance(one.function, Global):
            first = one.arguments[0] if one.arguments else None
            if one.function.core and one.function.name == "conj" and isinstance(first, Local):
                if first.binding is node.accumulator or one.at == node.at:
                    inference.warn(
                        CODE,
                        "conj appends to a list here; in Clojure it puts in front, so that this would reverse",
                        one.at,
                        hint="write (reverse coll) for that, (reduce conj [] coll) to keep the order",
                    )
                return


def _written(inference: Inference, node: nodes.Invoke) -> list[str]:
    """The texts of the arguments if they are written in the call itself; a constant alone has no place."""
    from rtfs.syntax.lexemes import CLOSE, COMMENT, OPEN, PREFIX, lexemes

    whole = inference.span_at(node.at)
    if whole is None or not whole.text.startswith("("):
        return []
    text = whole.text
    depth = 0
    parts: list[str] = []
    for one in lexemes(text):
        if one.kind in (COMMENT, PREFIX):
            continue
        if one.kind == CLOSE:
            depth -= 1
        elif depth == 1:
            parts.append(text[one.start : one.end])
        if one.kind == OPEN:
            depth += 1
    return parts[1:]


def _ints(arguments: list[Fact]) -> list[int] | None:
    values = [one.value for one in arguments]
    return [value for value in values if value.__class__ is int] if all(v.__class__ is int for v in values) else None


def _divide(arguments: list[Fact]) -> Difference | None:
    values = _ints(arguments)
    if not values or 0 in values[1:]:
        return None
    if len(values) == 1:
        differs = abs(values[0]) != 1
        return ("(/ n) is n here; in Clojure it is the ratio 1/n", "write (/ 1 n) for it") if differs else None
    top = values[0]
    for one in values[1:]:
        if top % one:
            return (
                "there are no ratios: this is a fraction, rounded to a float",
                "write (quot a b) for the whole part, or numbers with a point to say that a float is meant",
            )
        top //= one
    return None


def _conj(arguments: list[Fact]) -> Difference | None:
    if len(arguments) > 1 and arguments[0].only("list"):
        return "conj appends to a list here; in Clojure it puts in front", "write (cons item list) to put in front"
    return None


def _into(arguments: list[Fact]) -> Difference | None:
    if len(arguments) > 1 and arguments[0].only("list"):
        return "into appends to a list here; in Clojure it puts in front, one after the other", "write (into [] coll)"
    return None


def _contains(arguments: list[Fact]) -> Difference | None:
    if arguments and arguments[0].only("vector"):
        return (
            "contains? asks here whether the value is in the vector; in Clojure, whether there is such an index",
            "write (< -1 n (count v)) to ask for an index, (some #{x} v) in both languages for a value",
        )
    return None


def _ex_info(arguments: list[Fact]) -> Difference | None:
    if arguments and arguments[0].value == "" and arguments[0].only("string"):
        return (
            "ex-message gives nil for an error whose message is empty; in Clojure it gives the empty text",
            "write a message, or look at (:message e)",
        )
    return None


def _int(arguments: list[Fact], written: list[str]) -> Difference | None:
    if written and written[0].startswith("\\") and str(arguments[0].value).isdigit():
        return "int reads the digit as a number; in Clojure it gives the character's code", "write (char-code c) for it"
    return None


def _equal(arguments: list[Fact], written: list[str]) -> Difference | None:
    if sum(isinstance(one.value, Regex) for one in arguments) > 1 or sum(one.startswith('#"') for one in written) > 1:
        return "patterns are equal by their text here; in Clojure each is equal only to itself", "compare their (str …)"
    if any(one.startswith("\\") for one in written) and any(one.startswith('"') for one in written):
        return "a character is a text of length 1 here; in Clojure it equals no text", "write both as texts"
    return None


def _is_string(arguments: list[Fact], written: list[str]) -> Difference | None:
    if written and written[0].startswith("\\"):
        return "a character is a text of length 1 here, so this is true; in Clojure it is false", "write it as a text"
    return None


def _compare(arguments: list[Fact]) -> Difference | None:
    if len(arguments) == 2 and all(one.only("vector") for one in arguments):
        lengths = [None if one.items is None else len(one.items) for one in arguments]
        if None in lengths or lengths[0] != lengths[1]:
            return (
                "vectors compare element by element here; in Clojure the shorter one comes first",
                "compare counts first",
            )
    return None


def _format(arguments: list[Fact]) -> Difference | None:
    if any(one.only("nil") for one in arguments[1:]):
        return 'nil is formatted as "nil"; in Clojure as "null"', "write (or x …) for what should be there instead"
    return None


def _shift(arguments: list[Fact]) -> Difference | None:
    values = _ints(arguments)
    if (
        values is not None
        and len(values) == 2
        and 0 <= values[1] < 10_000
        and (values[0] << values[1]).bit_length() > BITS
    ):
        return "ints have any size here; in Clojure 64 bits are kept", "write (bit-and x mask) to keep some bits"
    return None


def _write_json(arguments: list[Fact]) -> Difference | None:
    text = arguments[0].value if arguments else None
    if text.__class__ is str and ("/" in str(text) or not str(text).isascii()) and len(arguments) == 1:
        return (
            "`/` and what is not ASCII are written as they are; clojure.data.json escapes them",
            "write :escape-slash true, :escape-unicode true for that",
        )
    return None


def _str(arguments: list[Fact]) -> Difference | None:
    for one in arguments:
        value = one.value
        if value.__class__ is float and (abs(value) >= 1e7 or 0 < abs(value) < 1e-3 or value != value):
            return "floats are written in their shortest form; Clojure writes 1.0E10 and Infinity", "write (format …)"
        if one.only("map") and one.closed and one.fields is not None and len(one.fields) > 1:
            return (
                "entries of a map are written without commas between them; Clojure writes {:a 1, :b 2}",
                "write the entries with str/join where the text matters",
            )
    return None


def _parse_long(arguments: list[Fact]) -> Difference | None:
    text = arguments[0].value if arguments else UNKNOWN
    if text.__class__ is str and str(text).lstrip("+-").isdigit() and not -(2**63) <= int(str(text)) < 2**63:
        return "ints have any size here; in Clojure a number beyond 64 bits is nil", "compare the number with a limit"
    return None


def _pattern(arguments: list[Fact], written: list[str]) -> Difference | None:
    text = arguments[1].value if len(arguments) == 2 else None
    if text.__class__ is not str or not str(text).endswith("\n"):
        return None
    for one in written:
        if one.startswith('#"') and one.endswith('$"') and not one.endswith('\\$"') and "(?m" not in one:
            return (
                "`$` is the very end of a text here; in Clojure it fits before a last line break too",
                "write \\n?$ to allow one",
            )
    return None


_DIFFERENCES: dict[str, Callable[[list[Fact]], Difference | None]] = {
    "ex-info": _ex_info,
    "/": _divide,
    "conj": _conj,
    "into": _into,
    "contains?": _contains,
    "compare": _compare,
    "format": _format,
    "bit-shift-left": _shift,
    "clojure.data.json/write-str": _write_json,
    "str": _str,
    "pr-str": _str,
    "parse-long": _parse_long,
}
_WRITTEN_DIFFERENCES: dict[str, Callable[[list[Fact], list[str]], Difference | None]] = {
    "int": _int,
    "=": _equal,
    "string?": _is_string,
    **dict.fromkeys(("re-find", "re-matches", "re-seq"), _pattern),
}
"""Differences that depend on how the arguments are written."""
