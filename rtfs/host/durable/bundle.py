"""`Bundle`: the texts of a program that runs elsewhere, named by their digest.

Must not know stores, nor compile anything. Invariant: equal bundles have equal digests, in every process and on every
machine; a text that was changed has another.
"""

from __future__ import annotations

from hashlib import blake2b
from json import JSONDecodeError, dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = ("name", "text", "loaded", "files", "versions")
"""The facts of a run that make up its program. name, text: of its source. loaded: names and texts of what its runtime
had loaded, in order. files: texts of the module files that it loads, by name. versions: what replaying depends on."""


class Bundle:
    """fields: the facts of `FIELDS`, as a journal keeps them."""

    __slots__ = ("fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = {name: fields[name] for name in FIELDS}

    @property
    def text(self) -> str:
        """The bundle in JSON."""
        return dumps(self.fields, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """BLAKE2b-256 of the text, in hexadecimal."""
        return blake2b(self.text.encode("ascii"), digest_size=32).hexdigest()


def read_bundle(text: str, digest: str) -> Bundle:
    """The bundle of a text. Raises ValueError for one that has another digest."""
    try:
        bundle = Bundle(loads(text))
    except (JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"this is not a program: {error}") from None
    if bundle.digest != digest:
        raise ValueError("it was changed: it has another digest")
    return bundle
