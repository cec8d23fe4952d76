"""The JSON reader behind `parse-json`: texts to values (RFC 8259).

Must not know hosts or schemas. Invariants: refuses what RFC 8259 does not have (`NaN`, `Infinity`) and nesting beyond
`MAX_DEPTH`, which would eat C stack in Python's parser; keeps the order of keys; the value is the same whichever parser
reads a text. What pydantic's does not take is read by Python's, which also words the errors.
"""

from __future__ import annotations

from rtfs.values import EvalError
from rtfs.values.convert import from_python, to_python
from rtfs.values.plain_data import Adoption, KeywordAdoption, Names, TooDeep
from rtfs.values.step_account import in_stretches, look, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

MAX_DEPTH = 512
"""Arrays and objects inside each other that `parse-json` takes."""


def parse(text: str, keywords: bool = False) -> Any:
    """The RTFS value of a JSON text; `keywords`: keys become keywords where they read back as such.

    Raises EvalError `json/parse` (with line and column) or `json/depth`, LimitError for an integer beyond the cap.
    """
    spend(len(text) >> 6)
    slow = _is_slow(text)
    read = None if slow else _quick.parser(len(text))
    if read is not None:
        try:
            # CPython would keep the UTF-8 of a text that is not ASCII for as long as the text
            data = read(text if text.isascii() else text.encode(), allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            pass
        else:
            try:
                return _adopted(data, keywords)
            except TooDeep:
                pass
    depth = min(text.count("[") + text.count("{"), _SHALLOW)
    if depth == _SHALLOW:
        depth = _depth(text)
    if depth > MAX_DEPTH:
        raise EvalError("json/depth", f"(parse-json …) takes up to {MAX_DEPTH} arrays and objects inside each other")
    halves = "\\" in text and ("\\ud" in text or "\\uD" in text)
    if depth <= _SHALLOW:
        data = _read(text, _pacing() if len(text) > LONG else None, slow)
        if halves:
            _check_surrogates(data)
        return _adopted(data, keywords)
    value = from_python(_read(text, _renaming(Names()) if keywords else _pacing()))
    if halves:
        _check_surrogates(to_python(value))
    return value


def _adopted(data: Any, keywords: bool) -> Any:
    return (KeywordAdoption if keywords else Adoption)(_SHALLOW).value(data)


LONGEST = 1 << 21
"""Characters of a text that pydantic's parser reads at most: some hundredths of a second, in which nothing looks at the
clock."""
MUCH = 1 << 22
"""Characters that are read in all before that parser is imported, which takes as long as is saved with some of them."""


class _Quick:
    """Access to the parser of pydantic, which takes two thirds of the time of Python's. read: the characters so far."""

    __slots__ = ("missing", "read")

    def __init__(self) -> None:
        self.missing = False
        self.read = 0

    def parser(self, length: int) -> Callable[..., Any] | None:
        """The parser for a text of this length; None where Python's is to be used."""
        if length > LONGEST or self.missing:
            return None
        from sys import modules

        module = modules.get("pydantic_core")
        if module is None:
            self.read += length
            if self.read < MUCH:
                return None
            try:
                import pydantic_core as module
            except (ImportError, OSError):  # an isolated worker cannot import it any more
                self.missing = True
                return None
        return getattr(module, "from_json", None)


_quick = _Quick()

LONG = 1 << 20
"""Characters of a text from which on the machine looks at the clock while Python's parser reads it."""


LENGTHY, LONGEST_WHOLE = 1 << 19, 1 << 23
"""Characters of a text with few objects from which on it is read in pieces: of one that is full of small lists or of
members, and of any."""


def _is_slow(text: str) -> bool:
    """True if both parsers would take long for the text without calling a hook for objects. Pieces cost numbers and
    texts a tenth to a half more, lists and members hardly anything."""
    size = len(text)
    if size <= LENGTHY or text.count("{") << 10 >= size:
        return False
    return size > LONGEST_WHOLE or text.count("[") + text.count(":") > size >> 4


def _read(text: str, hook: Callable[[dict[str, Any]], Any] | None, in_pieces: bool = False) -> Any:
    """The Python data of a JSON text, read by Python's parser. hook: called with each object, for what takes its
    place. in_pieces: if that works."""
    import json
    import sys

    own_ints = sys.get_int_max_str_digits() == 0
    try:
        while True:
            options: Any = {"parse_constant": _refuse, "parse_int": _parse_int if own_ints else None}
            try:
                if in_pieces:
                    from rtfs.builtins import json_pieces

                    try:
                        return json_pieces.read(text, json.JSONDecoder(**options).raw_decode)
                    except json_pieces.InOnePiece:
                        in_pieces = False
                return json.loads(text, object_hook=hook, **options)
            except json.JSONDecodeError:
                raise
            except ValueError:
                if own_ints:
                    raise
                own_ints = True
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise EvalError("json/parse", f"(parse-json …): {_reason(error.msg)} at {where}") from None


def _pacing() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A hook that changes nothing, and lets the machine look at the clock now and then."""
    count = 0

    def passed(read: dict[str, Any]) -> dict[str, Any]:
        nonlocal count
        count += 1
        if not count & 0xFF:
            look()
        return read

    return passed


def _renaming(names: Names) -> Callable[[dict[str, Any]], dict[Any, Any]]:
    """A hook that gives objects keywords as keys, and costs no steps: the other parser has none."""
    passed = _pacing()

    def renamed(read: dict[str, Any]) -> dict[Any, Any]:
        passed(read)
        return {names[name]: item for part in in_stretches(read.items()) for name, item in part}

    return renamed


def _reason(message: str) -> str:
    if message.startswith("Expecting value"):
        return "a value is expected"
    return message[:1].lower() + message[1:]


def _refuse(constant: str) -> NoReturn:
    raise EvalError("json/parse", f"(parse-json …): JSON has no {constant}")


def _parse_int(text: str) -> int:
    from rtfs.builtins.number_text import digits_to_int

    return -digits_to_int(text[1:]) if text[0] == "-" else digits_to_int(text)


_OTHERS = bytes(code for code in range(256) if chr(code) not in "[]{}")
_NEITHER = bytes(code for code in _OTHERS if chr(code) != '"')
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_SHALLOW = 100
"""How deep a text may nest that is made into values while it is read, with a few Python calls for each level."""
_USUAL_DEPTH = 12


def _depth(text: str) -> int:
    """The nesting depth of brackets of both kinds outside strings."""
    from itertools import accumulate

    brackets = text.encode("utf-8", "surrogatepass").translate(_BRACKETS, _NEITHER).replace(b'""', b"")
    if b'"' in brackets or "\\" in text:  # a string has brackets, else each run of quotes would be even and be gone
        import re

        text = re.sub(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', "", text, flags=re.DOTALL)
        brackets = text.encode("utf-8", "surrogatepass").translate(_BRACKETS, _OTHERS)
    for depth in range(_USUAL_DEPTH):
        if not brackets:
            return depth
        brackets = brackets.replace(b"[]", b"")  # the innermost level goes
    return _USUAL_DEPTH + max(accumulate([1 if one == 91 else -1 for one in brackets]), default=0)


def _check_surrogates(value: Any) -> None:
    """EvalError `json/parse` if a string in the parsed JSON has half a surrogate pair, which is not a text."""
    import json

    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "(parse-json …): a string has half a surrogate pair (\\uD800 to \\uDFFF)"
        raise EvalError("json/parse", message) from None
