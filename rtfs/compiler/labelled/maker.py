"""The maker of labelled closures: a node becomes a closure by the function of its class.

Knows nothing of any node. A closure takes a frame and the state of its machine, and returns a pair of a value and its
tag. Frames have the layout of those of plain closures, but hold pairs. Invariant: a frame is changed only by the call
that it belongs to.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.frames import FILES
from rtfs.compiler.closures.maker import Maker
from rtfs.flow.label import NOTHING, join
from rtfs.flow.tag import Tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.flow.label import Label, Step
    from rtfs.flow.state import FlowState
    from rtfs.flow.tag import Pair

    Frame = list[Any]
    Labelled = Callable[[Frame, FlowState], Any]
    Make = Callable[["LabelledMaker", Any], Labelled]

LABELLED: dict[type[nodes.Node], Make] = {}


def labels(kind: type[nodes.Node]) -> Callable[[Make], Make]:
    """Declare the function that makes nodes of a class labelled closures. It gets (maker, node)."""

    def declare(make: Make) -> Make:
        LABELLED[kind] = make
        FILES.add(make.__code__.co_filename)
        return make

    return declare


class LabelledMaker(Maker):
    """Makes the labelled closures of one top-level form. constant: the tag of its literals. defines: whether there are
    definitions inside of it."""

    __slots__ = ("constant", "defines")

    def __init__(self, analyser: Analyser, literal: Label) -> None:
        super().__init__(analyser)
        self.constant = Tag(literal)
        self.defines = False

    def make(self, node: nodes.Node) -> Any:
        """The closure of a node."""
        return LABELLED[node.__class__](self, node)

    def make_all(self, parts: list[nodes.Node]) -> list[Any]:
        return [LABELLED[part.__class__](self, part) for part in parts]

    def step(self, name: str, at: int) -> Step:
        """The `Step` that records this place of the text."""
        return (name, self.filename, at)


class Again:
    """The message of a `recur` to its loop: the pairs to bind the variables to, and the label of what decided that it
    runs."""

    __slots__ = ("by", "pairs")

    def __init__(self, pairs: list[Pair], by: Label) -> None:
        self.pairs = pairs
        self.by = by


def decided(result: Any, by: Label) -> Any:
    """The value of a closure that a labelled value selected."""
    if by is NOTHING:
        return result
    if result.__class__ is tuple:
        value, tag = result
        return value, tag.decided(by)
    result.pairs = [(value, tag.decided(by)) for value, tag in result.pairs]
    result.by = join(result.by, by)
    return result


def under(by: Label, closure: Labelled, f: Frame, s: FlowState) -> Any:
    """The value of a closure that runs because of a labelled value."""
    outer = s.pc
    if by is not NOTHING:
        s.pc = join(outer, by)
        s.run.branch(by)
    try:
        return decided(closure(f, s), by)
    finally:
        s.pc = outer
