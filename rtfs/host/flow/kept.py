"""Labels of values that are stored outside a run: in the key-value store, and in files.

Must not know rules. Invariants: labels belong to one value at one place: a value that something else stored there has
none; a value without known labels has the source `unknown`.
"""

from __future__ import annotations

from hashlib import blake2b

from rtfs.flow.label import OF_UNKNOWN, join
from rtfs.flow.tag import Tag, at_key, merged
from rtfs.host.durable.codec import encode
from rtfs.host.flow.patterns import field
from rtfs.host.flow.tag_text import decode_tag, encode_tag
from rtfs.host.scheduler.suspensions import InThread
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, Map
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from rtfs.host.flow.tag_text import Resolve
    from rtfs.machine import HostCall

    class LabelStore(Protocol):
        """A store of labels that outlives the process."""

        def remember_labels(self, place: str, digest: str, labels: str) -> None:
            """Keep the labels of the value with this digest."""

        def recall_labels(self, place: str, digest: str) -> str | None:
            """The labels of the value with this digest, or None."""


_KV = "ccos.state.kv."
_PUT, _GET, _DELETE = _KV + "put", _KV + "get", _KV + "delete"
_CHANGES = (_KV + "assoc", _KV + "dissoc", _KV + "conj")
_WRITE, _READ = "ccos.io.write-file", "ccos.io.read-file"
KEEPING = frozenset((_PUT, _GET, _DELETE, *_CHANGES, _WRITE, _READ))
"""The capabilities that store values, or return stored ones."""
_VERSIONS = 32
"""Values of one place whose labels are told apart in this process."""


class KeptLabels:
    """The labels of one runtime's store and files. store: a store that outlives the process, or None. own: whether
    nothing else writes to the key-value store."""

    __slots__ = ("_known", "_own", "_store")

    def __init__(self, store: LabelStore | None, own: bool) -> None:
        self._store = store
        self._own = own
        self._known: dict[str, dict[str, Tag]] = {}

    async def tag(
        self, call: HostCall, principal: str, arguments: Any, tag: Tag, value: Any, resolve: Resolve
    ) -> Tag | None:
        """The tag of the answer of a capability in `KEEPING`; None if no labels were stored. arguments, tag: its input
        in canonical form, and the input's tag. value: None if the call failed."""
        id = call.id
        if arguments.__class__ is not Map:
            return None
        if id in (_WRITE, _READ):
            place = "file " + _real(field(arguments, "path"))
            if id == _READ:
                found = await self._recall(place, value)
                return None if found is None else found.decided(tag.everything())
            content = field(arguments, "content")
            await self._remember(place, content, _part(arguments, tag, "content").decided(tag.control), resolve)
            return None
        key = _part(arguments, tag, "key").everything()
        place = f"kv {principal} {to_text(field(arguments, 'key'))}"
        if id in (_GET, _DELETE):
            found = await self._recall(place, value)
            if found is None and self._own:  # what was put there has labels: it is the default, or nil
                found = _part(arguments, tag, "default")
            return None if found is None else found.decided(join(key, tag.control))
        new = _part(arguments, tag, "value") if id == _PUT else self._changed(place, tag)
        new = new.decided(join(key, tag.control))
        await self._remember(place, value, new, resolve)
        return new

    def _changed(self, place: str, tag: Tag) -> Tag:
        """The tag of a value that was made of the one before and the arguments."""
        found = tag.everywhere()
        for known in self._known.get(place, {}).values():
            found = merged(found, known)
        return found if self._own else Tag(join(found.data, OF_UNKNOWN), found.control)

    async def _remember(self, place: str, value: Any, tag: Tag, resolve: Resolve) -> None:
        digest = _digest(value)
        if digest is None:
            return
        kept = decode_tag(encode_tag(tag, value, resolve))
        versions = self._known.setdefault(place, {})
        if digest in versions:
            kept = merged(versions[digest], kept)
        versions[digest] = kept
        if len(versions) > _VERSIONS:
            oldest, second = list(versions)[:2]
            versions[second] = merged(versions.pop(oldest), versions[second])
        store = self._store
        if store is not None:
            text = encode_tag(kept, value, resolve)
            await InThread(lambda: store.remember_labels(place, digest, text), ())

    async def _recall(self, place: str, value: Any) -> Tag | None:
        digest = _digest(value)
        if digest is None:
            return None
        known = self._known.get(place, {}).get(digest)
        store = self._store
        if known is not None or store is None:
            return known
        text = await InThread(lambda: store.recall_labels(place, digest), ())
        try:
            return None if text is None else decode_tag(text)
        except ValueError:
            return None


def _digest(value: Any) -> str | None:
    try:
        return blake2b(encode(value, results=False).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    except TypeError:
        return None


def _part(arguments: Map, tag: Tag, name: str) -> Tag:
    found = at_key(arguments, tag, encode_key(Keyword(name)))
    if found is None:
        found = at_key(arguments, tag, encode_key(name))
    return Tag(tag.data, tag.control) if found is None else found.decided(tag.control)


def _real(path: Any) -> str:
    from rtfs.host.policy.grants import real_path

    try:
        return real_path(str(path))
    except (OSError, ValueError):
        return str(path)
