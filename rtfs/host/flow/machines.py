"""The labels of a run's machines: the state that each starts with, and the tags of its results and requests.

Must not know rules, nor where the machines are: here, or in a worker process. Invariant: the result of a function or a
branch that has its own machine has the labels of everything that it may be made of.
"""

from __future__ import annotations

from rtfs.flow.label import NOTHING, OF_INPUT, OF_MODEL, OF_PLAN, join
from rtfs.flow.state import FlowState, Gathering, RunFlow
from rtfs.flow.tag import NO_TAG, UNKNOWN_TAG, Tag, at_key, joined
from rtfs.values import Keyword
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.flow.label import Label
    from rtfs.machine import HostCall


class MachineLabels:
    """author, inputs: as in `RunOptions`. labels: what the run's machines share. literal: the label of the constants in
    the program's text."""

    __slots__ = ("author", "inputs_of", "labels", "literal")

    def __init__(self, author: str = "plan", inputs: str = "input") -> None:
        self.author = author
        self.inputs_of = inputs
        self.literal = OF_MODEL if author == "model" else OF_PLAN
        self.labels = RunFlow(OF_MODEL if inputs == "model" else OF_INPUT)

    def program(self) -> FlowState:
        """The state of the machine of the program."""
        return FlowState(self.labels)

    def inputs(self, count: int) -> list[Tag]:
        """The tags of arguments that come from the embedding program."""
        return [Tag(self.labels.input)] * count

    def inner(self, outer: FlowState) -> FlowState:
        """The state of a machine that a call in another starts."""
        made = FlowState(self.labels, outer.pc)
        made.trying = Gathering()
        made.around = Gathering(*(NO_TAG if outer.around is None else outer.around.tag()).flat())
        return made

    @staticmethod
    def give(flow: FlowState, function: Any, tags: list[Tag]) -> None:
        """A machine is about to call a function with arguments of these tags. Code without labels has them around."""
        if getattr(function, "carries_labels", False):
            flow.passed = tags
        else:
            around = NO_TAG if flow.around is None else flow.around.tag()
            flow.around = Gathering(*joined([*tags, around]).flat())

    @staticmethod
    def answer_of(function: Any, flow: FlowState) -> Tag:
        """The tag of what a function gave that was the whole of a machine."""
        if getattr(function, "carries_labels", False) and flow.returned is not None:
            return flow.returned
        return UNKNOWN_TAG if flow.around is None else flow.around.tag()

    def gathered(self, thunks: tuple[Any, ...], flows: dict[int, FlowState], failed: bool) -> Tag:
        """The tag of the values of branches, or of the error of one that has failed. flows: the states of those that
        were started, by number from 1."""
        tags, tried = [], []
        for number, thunk in enumerate(thunks, 1):
            flow = flows.get(number)
            tags.append(NO_TAG if flow is None else self.answer_of(thunk, flow))
            if flow is not None and flow.trying is not None:
                tried.append(flow.trying.tag())
        return joined(tried) if failed else Tag(NOTHING, joined(tried).everything(), tags)

    def declared(self, call: HostCall, flow: FlowState | None) -> Tag | None:
        """The source of the implementation that a `(capability …)` form names, and the label of what decided about the
        form; None for nothing. A function of the program has its own labels inside."""
        by, found = self.decided_by(call.decided_by, flow), NO_TAG
        if call.labels and call.args:
            found = at_key(call.args[0], call.labels[0], encode_key(Keyword("implementation"))) or NO_TAG
        data, control = self.labels.resolve(*found.flat())
        control = join(control, by)
        return None if data is NOTHING and control is NOTHING else Tag(data, control)

    @staticmethod
    def leave(flow: FlowState | None, tag: Tag) -> None:
        """Note that code without labels made a call: its result has the labels of the answer."""
        if flow is not None and flow.around is not None:
            flow.around.add(*tag.flat())

    @staticmethod
    def plain_tags(flow: FlowState | None, count: int) -> list[Tag]:
        """The tags of the arguments of a call that code without labels makes."""
        around = None if flow is None else flow.around
        return [UNKNOWN_TAG if around is None else around.tag()] * count

    @staticmethod
    def decided_by(given: Label | None, flow: FlowState | None) -> Label:
        """The label of what decided that a call is made. given: the label from labelled code; for other code the state
        has it."""
        if given is not None:
            return given
        return NOTHING if flow is None else flow.pc
