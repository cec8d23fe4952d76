"""Names out of text, and the parts of names: `keyword symbol name namespace`.

Must not know programs. Invariant: a keyword or symbol made here reads back as itself (WORD in grammar/rtfs.lark).
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, shown, type_error
from rtfs.builtins.declare import MISSING, builtin
from rtfs.values import Keyword, Symbol
from rtfs.values.keyword import is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORBIDDEN = frozenset(' "(),;@[\\]^`{|}~') | frozenset(map(chr, range(0xFFF0, 0x10000)))
"""Characters that end a word or belong to none, besides those that cannot be printed."""


def reads_as_keyword(text: str) -> bool:
    """True if `text` behind a colon reads back as one keyword."""
    if is_keyword_name(text):
        return True
    if not text.isprintable() or not FORBIDDEN.isdisjoint(text):
        return False
    return all(part and part[0] not in "#'" for part in text.split(":"))


def reads_as_symbol(text: str) -> bool:
    """True if `text` reads back as one symbol, not as a number, `nil`, a timestamp …"""
    from rtfs.syntax.words import SYMBOL, WordError, classify

    if not reads_as_keyword(text):
        return False
    try:
        return classify(text) is SYMBOL
    except WordError:
        return False


def _qualified(function: str, namespace: Any, name: Any) -> Any:
    """`namespace/name` as text. nil means no namespace. Raises TypeMismatch."""
    for what, part in (("the namespace", namespace), ("the name", name)):
        if part.__class__ is not str and not (part is None and part is namespace):
            raise type_error(function, what, "a string", part)
    return name if namespace is None else f"{namespace}/{name}"


@builtin(
    "keyword",
    "(keyword namespace? name)",
    "The keyword of that name; a keyword is given back, nil for nil.",
    '(keyword "ns/a")',
    ":ns/a",
    '(keyword "ns" "a")',
    ":ns/a",
)
def keyword(name: Any, second: Any = MISSING, /) -> Keyword | None:
    if second is not MISSING:
        name = _qualified("keyword", name, second)
    kind = name.__class__
    if kind is Keyword or name is None:
        return name  # type: ignore[no-any-return]
    text = name.name if kind is Symbol else name
    if text.__class__ is not str:
        raise type_error("keyword", "the name", "a string, symbol or keyword", name)
    if text in _readable:
        return Keyword(text)
    if not reads_as_keyword(text):
        raise argument_error(
            "keyword", f"makes keywords that can be written in a program; {shown(name)} is not such a name"
        )
    if len(text) <= KEPT_LENGTH:
        if len(_readable) >= KEPT:
            _readable.clear()
        _readable.add(text)
    return Keyword(text)


KEPT, KEPT_LENGTH = 512, 64
"""Names that are remembered to make keywords, at most, and the characters that one of them has, at most."""
_readable: set[str] = set()


@builtin(
    "symbol",
    "(symbol namespace? name)",
    "The symbol of that name; a symbol is given back.",
    '(symbol "a")',
    "a",
    '(symbol "ns" "a")',
    "ns/a",
)
def symbol(name: Any, second: Any = MISSING, /) -> Symbol:
    if second is not MISSING:
        name = _qualified("symbol", name, second)
    kind = name.__class__
    if kind is Symbol:
        return name  # type: ignore[no-any-return]
    text = name.name if kind is Keyword else name
    if text.__class__ is not str:
        raise type_error("symbol", "the name", "a string, keyword or symbol", name)
    if not reads_as_symbol(text):
        raise argument_error(
            "symbol", f"makes symbols that can be written in a program; {shown(name)} is not such a name"
        )
    return Symbol(text)


def split_name(text: str) -> tuple[str | None, str]:
    """(namespace or None, name) of a name, divided at its first slash."""
    namespace, slash, name = text.partition("/")
    return (namespace, name) if slash and namespace and name else (None, text)


@builtin(
    "name",
    "(name value)",
    "The name of a keyword or symbol without its namespace; a string is given back.",
    "(name :ns/a)",
    '"a"',
)
def name_of(value: Any, /) -> str:
    if value.__class__ is str:
        return value
    if value.__class__ is Keyword or value.__class__ is Symbol:
        whole: str = value.name
        return split_name(whole)[1] if "/" in whole else whole
    raise type_error("name", "its argument", "a keyword, symbol or string", value)


@builtin(
    "namespace",
    "(namespace value)",
    "The part of a keyword's or symbol's name before the slash, or nil.",
    "(namespace :ns/a)",
    '"ns"',
    "(namespace :a)",
    "nil",
)
def namespace_of(value: Any, /) -> str | None:
    if value.__class__ is Keyword or value.__class__ is Symbol:
        return split_name(value.name)[0]
    raise type_error("namespace", "its argument", "a keyword or a symbol", value)


def _name_predicate(name: str, kinds: tuple[type, ...], qualified: bool | None, example: str) -> None:
    what = "a keyword or symbol" if len(kinds) == 2 else "a keyword" if kinds[0] is Keyword else "a symbol"
    ending = "" if qualified is None else " with a namespace" if qualified else " without a namespace"

    @builtin(name, f"({name} value)", f"Is it {what}{ending}?", f"({name} {example})", "true")
    def function(value: Any, /) -> bool:
        if not isinstance(value, (Keyword, Symbol)) or value.__class__ not in kinds:
            return False
        return qualified is None or (split_name(value.name)[0] is not None) is qualified


_name_predicate("ident?", (Keyword, Symbol), None, ":a")
_name_predicate("simple-ident?", (Keyword, Symbol), False, ":a")
_name_predicate("qualified-ident?", (Keyword, Symbol), True, ":a/b")
_name_predicate("simple-keyword?", (Keyword,), False, ":a")
_name_predicate("qualified-keyword?", (Keyword,), True, ":a/b")
_name_predicate("simple-symbol?", (Symbol,), False, "'a")
_name_predicate("qualified-symbol?", (Symbol,), True, "'a/b")
