"""`WWW-Authenticate` as a server says it: which parameters its Bearer challenge carries.

Must not know requests. Invariant: whatever the header says, parsing takes time in proportion to its length, which is
capped, and answers text only.

Source: RFC 9110 (11.6.1), RFC 6750 (3), RFC 9728 (5.1).
"""

from __future__ import annotations

import re

LONGEST = 8192
"""Characters of a header that are looked at."""

_PART = re.compile(r"""([\w!#$%&'*+.^`|~-]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?|.""", re.DOTALL | re.ASCII)


def bearer(header: str) -> dict[str, str]:
    """The parameters of the first Bearer challenge, names in lower case; {} if there is none."""
    found: dict[str, str] | None = None
    for match in _PART.finditer(header[:LONGEST]):
        name, valued, quoted, plain = match[1], match[2], match[3], match[4]
        if name is None:
            continue
        if valued is None:
            if found is not None and name.lower() != "bearer":
                break
            if found is None and name.lower() == "bearer":
                found = {}
        elif found is not None:
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
            found.setdefault(name.lower(), value)
    return found or {}


def scopes_of(text: str) -> list[str]:
    """The scopes of a space-separated list, each once; words that no scope can be are left out (RFC 6749, 3.3)."""
    words = [word for word in text.split() if re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", word)]
    return list(dict.fromkeys(words))
