"""Labels over the pipe: of the arguments of calls and of what they answer, both ways, as text.

Must not know what is done with them. Invariant: a text that comes out of the pipe becomes tags, or is a `Nonsense`.
"""

from __future__ import annotations

from rtfs.flow.label import NOTHING
from rtfs.flow.tag import NO_TAG, Tag
from rtfs.host.flow.tag_text import decode_tag, encode_tag
from rtfs.host.isolation.wire import Nonsense
from rtfs.values import Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.flow.label import Label, Source, Step
    from rtfs.flow.state import RunFlow

LARGEST = 8 << 20
"""Characters of the labels of one message."""


class LabelTexts:
    """The labels of one run, as one end of the pipe writes and reads them. shared: what lazy sequences are made of."""

    __slots__ = ("_known", "_shared", "_steps")

    def __init__(self, shared: RunFlow) -> None:
        self._shared = shared
        self._known: dict[Any, Source] = {}
        self._steps: set[Step] = set()

    def text(self, tag: Tag, value: Any) -> str:
        """The text of the tag of a value."""
        return encode_tag(tag, value, self._shared.resolve, LARGEST, self._steps)

    def tag(self, text: Any) -> Tag:
        """The tag of a text. Raises Nonsense."""
        try:
            return decode_tag(text, self._known)
        except ValueError as error:
            raise Nonsense(str(error)) from None

    def text_of_all(self, tags: list[Tag], values: tuple[Any, ...], by: Label = NOTHING) -> str:
        """The text of the tags of several values. by: what decided about all of them."""
        return self.text(Tag(NOTHING, by, list(tags)), Vector(values))

    def tags(self, text: Any, count: int) -> tuple[list[Tag], Label]:
        """The tags of so many values, and what decided about all of them. Raises Nonsense."""
        whole = self.tag(text)
        kids = whole.kids
        if kids.__class__ is list and len(kids) == count:
            return list(kids), whole.control
        if count and kids is not None:
            raise Nonsense("labels of other values")
        return [whole if kids is None else NO_TAG] * count, whole.control

    def new_steps(self) -> set[Step]:
        """The steps of the values of the texts since the last call."""
        found, self._steps = self._steps, set()
        return found
