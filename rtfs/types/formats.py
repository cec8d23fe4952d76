"""The texts that predicates know: URLs and e-mail addresses. Generous where the standards are, no look-ups.

Sources: RFC 3986 (generic syntax), the WHATWG HTML standard's rule for e-mail addresses, with letters of any script.
"""

from __future__ import annotations

_OPAQUE = ("mailto:", "urn:", "data:", "tel:", "file:")
_ATOM = frozenset(".!#$%&'*+/=?^_`{|}~-")
_NO_URL = frozenset('<>"{}|\\^`')


def is_url(text: str) -> bool:
    """`scheme://something`, or `mailto: urn: data: tel: file:` and something; no white space."""
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not scheme[:1].isalpha() or not scheme.isascii():
        return False
    if any(not (char.isalnum() or char in "+.-") for char in scheme):
        return False
    if any(char.isspace() or char in _NO_URL or char < " " for char in rest):
        return False
    if rest.startswith("//"):
        host = rest[2:].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
        return bool(host) or scheme.lower() == "file"
    return (scheme.lower() + ":") in _OPAQUE


def is_email(text: str) -> bool:
    """`local@domain`: dot-and-word characters, then labels of letters, digits and inner hyphens."""
    local, at, domain = text.rpartition("@")
    if not at or not local or len(local) > 64 or len(domain) > 253:
        return False
    if any(not (char.isalnum() or char in _ATOM) for char in local):
        return False
    return all(_is_label(label) for label in domain.split("."))


def _is_label(label: str) -> bool:
    if not label or len(label) > 63 or label[0] == "-" or label[-1] == "-":
        return False
    return all(char.isalnum() or char == "-" for char in label)
