"""The state of labelled code while it runs: of a run, and of each of its machines.

Knows nothing of programs or hosts. Invariants: code that carries no labels (a standard function, a library) has a
`Gathering` around it, with the labels of everything that it was given; a function of the program that it calls takes
its parameters' labels from there and leaves those of its value there.
"""

from __future__ import annotations

from rtfs.flow.label import LAZY, NOTHING, OF_INPUT, Label, join
from rtfs.flow.tag import Tag
from rtfs.values.lazy import hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Gathering:
    """Labels that only get more."""

    __slots__ = ("control", "data")

    def __init__(self, data: Label = NOTHING, control: Label = NOTHING) -> None:
        self.data = data
        self.control = control

    def add(self, data: Label, control: Label) -> None:
        self.data = join(self.data, data)
        self.control = join(self.control, control)

    def tag(self) -> Tag:
        """The tag of a value that may be made of all of it."""
        return Tag(self.data, self.control)


class RunFlow:
    """State that the machines of one run share. input: the label of its input. lazy: the sources of its lazy sequences.
    context: the values given to `with-context`. branched: the labels that have decided so far which code runs; names
    and keys of the store depend on them too, where other code would have changed them."""

    __slots__ = ("_last", "branched", "context", "input", "lazy")

    def __init__(self, input: Label = OF_INPUT) -> None:
        self.input = input
        self.lazy = Gathering()
        self.context = Gathering()
        self.branched = self._last = NOTHING

    def branch(self, by: Label) -> None:
        """Something with that label has decided which code runs."""
        if by is not self._last:
            self._last = by
            self.branched = join(self.branched, by)

    def resolve(self, data: Label, control: Label) -> tuple[Label, Label]:
        """Labels with what the lazy sequences in them are made of so far."""
        if LAZY in data.sources or LAZY in control.sources:
            data = join(data, self.lazy.data)
            control = join(control, self.lazy.control)
        return data, control


class FlowState:
    """Of one machine. pc: what decided that the code which runs now does. passed: the tags of the arguments of a call
    that is just being made. returned: the tag of the value that a function has just given. around: of the code without
    labels that runs now. trying: what contributed to whether the body of the innermost `try` fails; None outside."""

    __slots__ = ("around", "passed", "pc", "returned", "run", "trying")

    def __init__(self, run: RunFlow, pc: Label = NOTHING) -> None:
        self.run = run
        self.pc = pc
        self.passed: list[Tag] | None = None
        self.returned: Tag | None = None
        self.around: Gathering | None = None
        self.trying: Gathering | None = None

    def tried(self, tag: Tag) -> None:
        """Something was done with a value of that tag which may fail."""
        trying = self.trying
        if trying is not None:
            data, control = tag.flat()
            trying.add(data, join(control, self.pc))

    def given(self) -> Tag:
        """The tag of each argument of a function that code without labels calls."""
        around = self.around
        lazy = self.run.lazy
        data, control = (NOTHING, NOTHING) if around is None else (around.data, around.control)
        if hooks.made:
            data, control = join(data, lazy.data), join(control, lazy.control)
        return Tag(data, control)

    def leave(self, tag: Tag) -> None:
        """Return a value from a function that code without labels called. tag: of the value."""
        self.returned = tag
        data, control = tag.flat()
        if self.around is not None:
            self.around.add(data, control)
        if hooks.made:
            self.run.lazy.add(data, control)


_OUTSIDE = FlowState(RunFlow())


def current() -> FlowState:
    """The state of the machine that runs now; one that all share outside of machines."""
    machine: Any = hooks.owner
    if machine is hooks:
        return _OUTSIDE
    found: FlowState | None = machine.flow
    if found is None:
        found = machine.flow = FlowState(RunFlow())
    return found
