"""The table of special forms. A form is declared where it is analysed, with one decorator: shape, doc, example.

Knows nothing of how any form works. Invariant: a special form cannot exist without its shape and doc, and errors about
its shape are worded here, once. Shapes read like calls: `(if test then else?)`; a trailing `?` is optional, `…`
repeats.
"""

from __future__ import annotations

from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Analyse = Callable[..., Any]


MIXED_ARGUMENTS = "arguments are given by position or by keywords, not both; only a map and keywords go together"
"""The error of a `call` that has both; some cases show only when it runs."""


class SpecialForm:
    """`least`, `most`: how many forms may follow the name (most None: any number)."""

    __slots__ = ("analyse", "doc", "examples", "least", "most", "name", "shadowable", "shape")

    def __init__(
        self,
        name: str,
        shape: str,
        doc: str,
        examples: tuple[tuple[str, str], ...],
        analyse: Analyse,
        shadowable: bool,
    ) -> None:
        self.name = name
        self.shape = shape
        self.doc = doc
        self.examples = examples
        self.analyse = analyse
        self.shadowable = shadowable
        self.least, self.most = _counts(shape)

    def takes(self, count: int) -> bool:
        """Whether `count` forms can follow the name."""
        return self.least <= count and (self.most is None or count <= self.most)

    def check_shape(self, count: int) -> None:
        """Raise `form/shape` if `count` forms cannot follow the name."""
        if not (self.least <= count and (self.most is None or count <= self.most)):
            error = shape_error(self, f"`{self.name}` does not take {count} form{'' if count == 1 else 's'} here")
            if self.most is not None and count > self.most:
                error.hint = f"{error.hint}{_OTHERWISE.get(self.name, '')}"
            raise error


_OTHERWISE = {"deftype": "; a record is a map, {:x 1 :y 2}; (defstruct Name :field type …) makes one that is checked"}
"""Hints for forms that are written as in Clojure but have another meaning here."""

SPECIAL_FORMS: dict[str, SpecialForm] = {}
FUNCTION = object()
"""The meaning of a head that is the name of a standard function (see `Environment.meaning`)."""


def special_form(
    name: str, shape: str, doc: str, *examples: tuple[str, str], aliases: tuple[str, ...] = (), shadowable: bool = False
) -> Callable[[Analyse], Analyse]:
    """Declare a special form. `examples`: (expression, printed value). `shadowable`: a definition of the module may
    take the name over. The decorated function gets (analyser, form, scope, tail)."""

    def declare(analyse: Analyse) -> Analyse:
        declared = SpecialForm(name, shape, doc, examples, analyse, shadowable)
        SPECIAL_FORMS[name] = declared
        for alias in aliases:
            SPECIAL_FORMS[alias] = declared
        return analyse

    return declare


def shape_error(form: SpecialForm | str, message: str) -> CompileError:
    """The error for a form that is not written as its shape says."""
    declared = SPECIAL_FORMS.get(form) if isinstance(form, str) else form
    hint = f"write {declared.shape}" if declared is not None else None
    return CompileError("form/shape", message, hint=hint)


def _counts(shape: str) -> tuple[int, int | None]:
    """Read least and most off a shape: top-level words after the name."""
    least = most = 0
    unlimited = False
    for word in _words(shape[1:-1])[1:]:
        if word.endswith("…"):
            unlimited = True
        elif word.endswith("?"):
            most += 1
        else:
            least += 1
            most += 1
    return least, None if unlimited else most


def _words(text: str) -> list[str]:
    words: list[str] = []
    depth = 0
    current = ""
    for character in text:
        if character == " " and depth == 0:
            if current:
                words.append(current)
            current = ""
            continue
        depth += (character in "([{") - (character in ")]}")
        current += character
    if current:
        words.append(current)
    return words
