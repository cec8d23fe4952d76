"""The base of vectors, lists, maps and sets: the language's equality and hash, and the reader's note.

Knows nothing of how elements are kept. Invariant: whatever compares equal has one hash, and neither recurses, so that
data nested a hundred thousand deep is compared and hashed like any other.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.values.info import FormInfo, ResultInfo


class Collection:
    """Base of `Vector`, `List`, `Map` and `Set`.

    info: the reader's note about the form, or None; equality ignores it.
    """

    __slots__ = ("info",)
    info: FormInfo | ResultInfo | None

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not equal(self, other)

    def __hash__(self) -> int:
        return hash_of(self)


# Last, because equality needs the collections, which need the class above.
from rtfs.values.equality import equal, hash_of  # noqa: E402
