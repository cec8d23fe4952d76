"""The secrets that this process has used, and how they are kept out of what it says: errors, events, diagnostics.

Must not know who uses them. Invariant: a secret that `know` was told of is in no text that went through `redact`,
be it as it is, in base64 (within whatever longer text), in URL or hexadecimal spelling, in either case.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Pattern
    from typing import Any

    from rtfs.values import UserError

SHORTEST = 4
"""Shorter values are no secrets: they would take words out of every text."""
MASK = "«redacted»"
NAME = 200
"""Characters that are recorded of a name."""
LONG = 2_000
"""Characters from which on a text is first looked through by a faster matcher, which has to be loaded."""

_known: set[str] = set()
_pattern: Pattern[str] | None = None
_quick: Any = None


def know(secret: str) -> None:
    """Keep a value out of all texts from now on. Also known without an authorization scheme in front of it."""
    global _pattern, _quick
    parts = {secret, secret.strip(), *secret.split()[1:]}
    fresh = {part for part in parts if len(part) >= SHORTEST} - _known
    if fresh:
        _known.update(fresh)
        _pattern = _quick = None


def knows_any() -> bool:
    """Whether there is any secret to keep out of texts."""
    return bool(_known)


def redact(text: str) -> str:
    """The text without any known secret."""
    if not _known:
        return text
    global _pattern
    pattern = _pattern
    if pattern is None:
        import re

        spellings = {spelling for secret in tuple(_known) for spelling in _spellings(secret)}
        pattern = _pattern = re.compile("|".join(sorted(spellings, key=len, reverse=True)))
    if len(text) > LONG and not _may_hold(text, pattern):
        return text
    return pattern.sub(MASK, text)


def _may_hold(text: str, pattern: Pattern[str]) -> bool:
    global _quick
    if _quick is None:
        import re2

        _quick = re2.compile(pattern.pattern)
    try:
        return _quick.search(text) is not None
    except UnicodeEncodeError:  # a lone surrogate
        return True


def named(name: str) -> str:
    """A name that a program made up, as it may appear in a record."""
    return redact(name if len(name) <= NAME else name[:NAME] + "…")


def clean(error: UserError) -> None:
    """Take the known secrets out of everything an error says, and out of the errors behind it."""
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen and _known:
        seen.add(id(behind))
        for name in ("message", "hint"):
            said = getattr(behind, name, None)
            if said.__class__ is str and said:
                setattr(behind, name, redact(said))
        if hasattr(behind, "data"):
            behind.data = _clean_value(behind.data)
        behind.args = tuple(redact(part) if part.__class__ is str else part for part in behind.args)
        behind = behind.__cause__ or behind.__context__


def _clean_value(value: Any) -> Any:
    from rtfs.syntax.printer import to_text
    from rtfs.values import LimitError

    if value is None or value.__class__ in (int, float, bool):
        return value
    if value.__class__ is str:
        return redact(value)
    try:
        text = to_text(value)
    except LimitError:
        return value
    cleaned = redact(text)
    return value if cleaned == text else cleaned


def _spellings(secret: str) -> list[str]:
    """Regular expressions for a secret as it may appear in a text."""
    from json import dumps
    from re import escape
    from urllib.parse import quote, quote_plus

    data = secret.encode("utf-8", "surrogatepass")
    found = [escape(secret), escape(secret[::-1])]
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        found.append(_any_case_of_escapes(quoted))
    found.append(_percent(data))
    found.append("(?i:" + data.hex() + ")")
    found += [escape(dumps(secret, ensure_ascii=ascii)[1:-1]) for ascii in (True, False)]
    found += _base64(data)
    return [one for one in found if one]


def _percent(data: bytes) -> str:
    return "(?i:" + "".join(f"%{byte:02x}" for byte in data) + ")"


def _any_case_of_escapes(quoted: str) -> str:
    """A pattern for URL-quoted text whose `%2F` may be `%2f`."""
    from re import escape

    head, *rest = quoted.split("%")
    return escape(head) + "".join("%(?i:" + part[:2] + ")" + escape(part[2:]) for part in rest)


def _base64(data: bytes) -> list[str]:
    """The base64 fragments, in both alphabets, by which the secret can be recognised in the encoding of a longer
    text."""
    from base64 import b64encode
    from re import escape

    found = []
    for before in range(3):
        bits = (before + len(data)) * 8
        encoded = b64encode(b"\0" * before + data).decode("ascii").rstrip("=")
        whole = encoded[(before * 8 + 5) // 6 : bits // 6]  # characters that depend on the secret alone
        if len(whole) >= SHORTEST:
            found += [escape(whole) + "[A-Za-z0-9+/_-]?=*", escape(whole.replace("+", "-").replace("/", "_"))]
    return found
