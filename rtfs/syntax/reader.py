"""From text to forms: the public face of reading.

Knows nothing of what forms mean; imports Lark only when something is read. Invariant: whatever the text, the outcome
is forms or one `ReaderError` that carries all further ones in `others`, in the order of their places.
"""

from __future__ import annotations

from rtfs.deferred import Deferred
from rtfs.source import Source, Span
from rtfs.values.error import ReaderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.syntax import parser
else:
    parser = Deferred("rtfs.syntax.parser")

_AT_END = {"reader/unclosed", "reader/unterminated-string", "reader/unterminated-comment"}


class Forms(list):  # type: ignore[type-arg]
    """The top-level forms of a source, in order.

    source: where they come from. offsets: start and end of each, flat. duplicates: places of map keys that a later,
    equal key of the same map display overrides (of equal keys the last wins).
    """

    __slots__ = ("duplicates", "offsets", "source")

    def __init__(
        self,
        source: Source,
        forms: list[Any] | tuple[()] = (),
        offsets: tuple[int, ...] = (),
        duplicates: tuple[Span, ...] = (),
    ) -> None:
        super().__init__(forms)
        self.source = source
        self.offsets = offsets
        self.duplicates = duplicates

    @property
    def spans(self) -> list[Span]:
        """The span of each form."""
        source, offsets = self.source, self.offsets
        return [Span(source, offsets[i], offsets[i + 1]) for i in range(0, len(offsets), 2)]


def read_forms(source: Source) -> Forms:
    """All forms of `source`, none evaluated; empty for a text without any.

    Raises ReaderError: the first error, with the further ones in `.others`.
    """
    forms, errors = _read(source)
    if errors:
        first = errors[0]
        first.others = tuple(errors[1:])
        raise first
    return forms


def read_tolerantly(source: Source) -> tuple[Forms, list[ReaderError]]:
    """The top-level forms of `source` that no error touches, and all errors in the order of their places."""
    forms, errors = _read(source, tolerant=True)
    places = [error.span for error in errors if error.span is not None]
    whole = [
        number
        for number, span in enumerate(forms.spans)
        if not any(span.start <= place.end and place.start <= span.end for place in places)
    ]
    offsets = tuple([offset for number in whole for offset in forms.offsets[2 * number : 2 * number + 2]])
    return Forms(source, [forms[number] for number in whole], offsets, forms.duplicates), errors


def read_value(source: Source) -> Any:
    """The one form of `source`, as data. Raises ReaderError, also (`reader/no-form`, `reader/extra-form`) if there is
    not exactly one."""
    forms = read_forms(source)
    if len(forms) == 1:
        return forms[0]
    if not forms:
        end = len(source.text)
        raise ReaderError("reader/no-form", "the text holds no form", span=Span(source, end, end))
    raise ReaderError("reader/extra-form", "more than one form where one is read", span=forms.spans[1])


def incomplete(text: str) -> bool:
    """Whether more text could make `text` readable: only a bracket, string, comment or operand is missing at its end.

    False for a complete text and for one that is wrong whatever follows.
    """
    errors = _read(Source(text, "<input>"))[1]
    if not errors:
        return False
    for error in errors:
        if error.code in _AT_END:
            continue
        if error.code != "reader/missing-form" or error.span is None:
            return False
        if _closes_what_was_open(text[error.span.end :]):
            return False
    return True


def _closes_what_was_open(rest: str) -> bool:
    """Whether a text closes more brackets than it opens (metadata has brackets too)."""
    depth = 0
    for char in rest:
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return True
    return False


def _read(source: Source, tolerant: bool = False) -> tuple[Forms, list[ReaderError]]:
    items, reading = parser.parse_source(source)
    errors = reading.errors
    if errors:
        errors.sort(key=_start)
        if not tolerant:
            return Forms(source), errors
    values = items[::3]
    del items[::3]
    return Forms(source, values, tuple(items), tuple(reading.duplicates)), errors


def _start(error: ReaderError) -> int:
    return error.span.start if error.span is not None else 0
