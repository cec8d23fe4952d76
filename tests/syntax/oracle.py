"""A second reader, written for comparison: recursive descent, one character at a time, no Lark and no shared code.

It answers plain Python data (`show` gives the same for forms of the real reader), or raises `Unreadable`. It knows
nothing of places, and of errors only that there is one.
"""

from __future__ import annotations

from typing import Any

from rtfs.values import Keyword, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.keyword import is_keyword_name

_WHITE = " \t\r\n,"
_DIGITS = "0123456789"
_HEX = _DIGITS + "abcdefABCDEF"
_INVISIBLE = [
    (0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F),
    (0x205F, 0x206F), (0x3000, 0x3000), (0xD800, 0xDFFF), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFF),
]  # fmt: skip


class Unreadable(Exception):
    pass


def show(form: Any) -> Any:
    """A form as plain data that Python compares exactly: kinds told apart, map order kept."""
    if isinstance(form, Symbol):
        return ("symbol", form.name)
    if isinstance(form, Keyword):
        return ("keyword", form.name)
    if isinstance(form, List):
        return ("list", *map(show, form))
    if isinstance(form, Vector):
        return ("vector", *map(show, form))
    if isinstance(form, Map):
        return ("map", *((show(k), show(v)) for k, v in form.items()))
    if isinstance(form, Set):
        return ("set", *map(show, form))
    if isinstance(form, Regex):
        return ("regex", form.pattern)
    return (type(form).__name__, repr(form))


def read(text: str) -> list[Any]:
    """All forms of `text`, as `show` gives them. Raises Unreadable."""
    for char in text:
        code = ord(char)
        control = (code < 0x20 and char not in "\t\r\n") or 0x7F <= code < 0xA0
        if control or 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE:
            raise Unreadable("character")
    if text.startswith("\ufeff"):
        text = text[1:]
    if text.startswith("#!"):
        text = text[text.find("\n") :] if "\n" in text else ""
    return _Reader(text).forms("")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.arguments: list[str] | None = None

    def look(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def skip(self) -> None:
        while self.at < len(self.text):
            if self.look() in _WHITE:
                self.at += 1
            elif self.look() == ";":
                while self.look() not in ("\n", ""):
                    self.at += 1
            elif self.look(2) == "#|":
                depth = 0
                while True:
                    if self.look() == "":
                        raise Unreadable("comment")
                    if self.look(2) == "#|":
                        depth += 1
                        self.at += 2
                    elif self.look(2) == "|#":
                        depth -= 1
                        self.at += 2
                        if depth == 0:
                            break
                    else:
                        self.at += 1
            elif self.look(2) == "#_":
                self.at += 2
                self.form()
            else:
                return

    def forms(self, closer: str) -> list[Any]:
        found = []
        while True:
            self.skip()
            char = self.look()
            if char == closer:
                self.at += 1
                return found
            if char in ("", ")", "]", "}"):
                raise Unreadable("bracket")
            found.append(self.form())

    def form(self) -> Any:
        self.skip()
        char = self.look()
        if char == "(":
            self.at += 1
            return ("list", *self.forms(")"))
        if char == "[":
            self.at += 1
            return ("vector", *self.forms("]"))
        if char == "{":
            self.at += 1
            return self.pairs(self.forms("}"))
        if self.look(2) == "#(":
            return self.function()
        if self.look(2) == "#{":
            self.at += 2
            return self.elements(self.forms("}"))
        if self.look(2) == '#"':
            self.at += 1
            return self.regex()
        if self.look(2) == "#:":
            return self.namespaced()
        if char == "\\":
            return self.character()
        for text, name in (
            ("'", "quote"), ("`", "quasiquote"), ("~@", "unquote-splicing"), ("~", "unquote"), ("@", "deref")
        ):  # fmt: skip
            if self.look(len(text)) == text:
                self.at += len(text)
                return ("list", ("symbol", name), self.form())
        if char == "^":
            self.at += 1
            if self.form()[0] not in ("map", "keyword", "symbol", "str"):
                raise Unreadable("metadata")
            return self.form()
        if char == '"':
            return self.string()
        if self.look(2) == "##":
            self.at += 2
            word = ""
            while self.look() and self.look() != ":" and _inner(self.look()):
                word += self.look()
                self.at += 1
            if word not in ("Inf", "-Inf", "NaN"):
                raise Unreadable("symbolic")
            return ("float", word.lower())
        return self.atom(self.word())

    def pairs(self, items: list[Any]) -> Any:
        if len(items) % 2:
            raise Unreadable("odd")
        entries: list[list[Any]] = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            for entry in entries:
                if _equal(entry[0], key):
                    entry[1] = value
                    break
            else:
                entries.append([key, value])
        return ("map", *map(tuple, entries))

    def elements(self, items: list[Any]) -> Any:
        for place, item in enumerate(items):
            if any(_equal(item, earlier) for earlier in items[:place]):
                raise Unreadable("duplicate")
        return ("set", *items)

    def regex(self) -> Any:
        start = self.at + 1
        self.at = start
        while (char := self.look()) != '"':
            if char == "":
                raise Unreadable("regex")
            self.at += 2 if char == "\\" else 1
        self.at += 1
        return ("regex", self.text[start : self.at - 1])

    def namespaced(self) -> Any:
        end = self.text.find("{", self.at)
        namespace = self.text[self.at + 2 : max(end, self.at + 2)]
        if not is_keyword_name(namespace) or "/" in namespace:
            raise Unreadable("namespace")
        self.at = end + 1
        items = self.forms("}")
        for place in range(0, len(items), 2):
            kind, *rest = items[place]
            if kind not in ("keyword", "symbol"):
                continue
            before, slash, name = rest[0].partition("/")
            if not (before and slash and name):
                items[place] = (kind, f"{namespace}/{rest[0]}")
            elif before == "_":
                items[place] = (kind, name)
        return self.pairs(items)

    def character(self) -> Any:
        self.at += 1
        name = self.look()
        if name == "" or ord(name) <= 0x20 or 0x7F <= ord(name) <= 0xA0:
            raise Unreadable("character")
        self.at += 1
        while (
            (char := self.look())
            and char not in '"(),:;@[\\]^`{|}~'
            and not (ord(char) <= 0x20 or 0x7B <= ord(char) <= 0xA0)
        ):
            name += char
            self.at += 1
        named = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "backspace": "\b", "formfeed": "\f"}
        if len(name) == 1 or name in named:
            return ("str", repr(named.get(name, name)))
        digits = name[1:]
        if name[0] == "u" and len(digits) == 4 and all(digit in _HEX for digit in digits):
            if not 0xD800 <= int(digits, 16) < 0xE000:
                return ("str", repr(chr(int(digits, 16))))
        elif name[0] == "o" and 0 < len(digits) <= 3 and all(c in _HEX[:8] for c in digits) and int(digits, 8) < 256:
            return ("str", repr(chr(int(digits, 8))))
        raise Unreadable("character")

    def function(self) -> Any:
        if self.arguments is not None:
            raise Unreadable("nested")
        self.at += 2
        self.arguments = []
        body = ("list", *self.forms(")"))
        used, self.arguments = self.arguments, None
        highest = max([int(name[1:]) for name in used if name != "%&"], default=0)
        names = [("symbol", f"%{number + 1}") for number in range(highest)]
        if "%&" in used:
            names += [("symbol", "&"), ("symbol", "%&")]
        return ("list", ("symbol", "fn"), ("vector", *names), body)

    def string(self) -> Any:
        self.at += 1
        text = ""
        while (char := self.look()) != '"':
            if char == "":
                raise Unreadable("string")
            self.at += 1
            if char != "\\":
                text += char
                continue
            letter = self.look()
            self.at += 1
            if letter == "u":
                text += chr(self.unit())
            elif letter in ("n", "t", "r", "\\", '"'):
                text += {"n": "\n", "t": "\t", "r": "\r"}.get(letter, letter)
            else:
                raise Unreadable("escape")
        self.at += 1
        return ("str", repr(text))

    def unit(self) -> int:
        code = self.hexadecimal()
        if 0xDC00 <= code < 0xE000:
            raise Unreadable("surrogate")
        if 0xD800 <= code < 0xDC00:
            if self.look(2) != "\\u":
                raise Unreadable("surrogate")
            self.at += 2
            low = self.hexadecimal()
            if not 0xDC00 <= low < 0xE000:
                raise Unreadable("surrogate")
            return 0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00
        return code

    def hexadecimal(self) -> int:
        digits = self.look(4)
        if len(digits) != 4 or any(digit not in _HEX for digit in digits):
            raise Unreadable("escape")
        self.at += 4
        return int(digits, 16)

    def word(self) -> str:
        word = ""
        while (char := self.look()) and _inner(char):
            if char == ":":
                following = self.text[self.at + 1 : self.at + 2]
                if not following or not _inner(following) or following in ":'#":
                    break
            word += char
            self.at += 1
        if word == "" and self.look() == ":" and self.look(2) != "::":
            self.at += 1
            return ":"
        if word == "" or word[0] in "'#":
            raise Unreadable("character")
        return word

    def atom(self, word: str) -> Any:
        if word == ":":
            return ("symbol", ":")
        if word[0] == ":":
            return ("keyword", word[1:])
        if word in ("nil", "true", "false"):
            return ("NoneType", "None") if word == "nil" else ("bool", word.capitalize())
        parts = word.split("-")
        if [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(c in _HEX for c in "".join(parts)):
            return ("str", repr(word))
        if word.startswith("resource://"):
            if word == "resource://":
                raise Unreadable("resource")
            return ("str", repr(word))
        unsigned = word[1:] if word[0] in "+-" else word
        first = unsigned.removeprefix(".")[:1]
        if first and first in _DIGITS:
            return self.number(word, unsigned)
        if self.arguments is not None and word[0] == "%":
            if word == "%":
                word = "%1"
            if word != "%&" and not (word[1:].isascii() and word[1:].isdigit() and 0 < int(word[1:]) <= 20):
                raise Unreadable("argument")
            if word != "%&":
                word = f"%{int(word[1:])}"
            self.arguments.append(word)
        return ("symbol", word)

    def number(self, word: str, unsigned: str) -> Any:
        if all(char in _DIGITS for char in unsigned):
            octal = unsigned[0] == "0" and all(char in _HEX[:8] for char in unsigned)
            if octal and int(unsigned, 8) != int(unsigned):
                raise Unreadable("octal")
            return ("int", repr(int(word)))
        for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
            if unsigned.startswith(prefix):
                digits = unsigned[2:].removesuffix("N")
                if digits and all(c in _HEX[: base if base < 16 else None] for c in digits):
                    return ("int", repr(int(digits, base) * (-1 if word[0] == "-" else 1)))
                raise Unreadable("number")
        if unsigned == word and _timestamp(word):
            return ("str", repr(word))
        if word[-1] == "N" and not set(word[:-1].lower()) & set(".er"):
            return self.number(word[:-1], unsigned[:-1])
        if word[-1] == "M" and unsigned[:2] not in ("0x", "0o", "0b"):
            _, text = self.number(word[:-1], unsigned[:-1])
            return ("float", repr(float(text)))
        for letter in "rR":
            base, found, digits = unsigned.partition(letter)
            if found and base.isascii() and base.isdigit() and len(base) <= 2 and digits.isascii() and digits.isalnum():
                try:
                    return (
                        "int",
                        repr(int(digits, int(base) if int(base) > 1 else 99) * (-1 if word[0] == "-" else 1)),
                    )
                except ValueError:
                    raise Unreadable("number") from None
        mantissa, exponent = unsigned, "0"
        for letter in "eE":
            if letter in mantissa:
                mantissa, exponent = mantissa.split(letter, 1)
        exponent = exponent[1:] if exponent[:1] in ("+", "-") else exponent
        pieces = [*mantissa.split("."), exponent]
        if len(pieces) > 3 or any(not piece or any(c not in _DIGITS for c in piece) for piece in pieces):
            raise Unreadable("number")
        if abs(float(word)) == float("inf"):
            raise Unreadable("number")
        return ("float", repr(float(word)))


def _inner(char: str) -> bool:
    if char in '"(),;@[\\]^`{|}~':
        return False
    return not any(low <= ord(char) <= high for low, high in _INVISIBLE)


def _timestamp(word: str) -> bool:
    shape = "".join("9" if char in _DIGITS else char for char in word)
    if shape == "9999-99-99T99:99:99Z":
        return True
    head, tail = shape[:20], shape[20:]
    if head not in ("9999-99-99T99:99:99.", "9999-99-99T99:99:99_"):
        return False
    return tail[-1:] == "Z" and set(tail[:-1]) == {"9"}


def _equal(a: Any, b: Any) -> bool:
    """RTFS equality on what `show` gives."""
    if a[0] in ("list", "vector") and b[0] in ("list", "vector"):
        return len(a) == len(b) and all(map(_equal, a[1:], b[1:]))
    if a[0] == "set" and b[0] == "set":
        return len(a) == len(b) and all(any(_equal(one, other) for other in b[1:]) for one in a[1:])
    if a[0] == "map" and b[0] == "map":
        return len(a) == len(b) and all(
            any(_equal(key, other) and _equal(value, found) for other, found in b[1:]) for key, value in a[1:]
        )
    if a == ("float", "nan") or b == ("float", "nan"):
        return False
    if a[0] == b[0] == "float":
        return float(a[1]) == float(b[1])
    return bool(a == b)
