"""The outcome of running a program: a value, or a request to the host with a way to resume.

Knows nothing of greenlets or of the host. Invariant: an outcome is one-shot: `resume`, `throw` or `close`, once, on the
thread that started the machine.
"""

from __future__ import annotations

from _thread import get_ident

from rtfs.values.error import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rtfs.flow.label import Label
    from rtfs.flow.tag import Tag
    from rtfs.machine.machine import Machine
    from rtfs.source import Span
    from rtfs.values.map import Map

    class Placed(Protocol):
        """An object that knows places by number: a `Unit`."""

        def span(self, index: int) -> Span | None:
            """The place of a number, if it has one."""


class Known:
    """A place that was found already, in the role of a unit."""

    __slots__ = ("_span",)

    def __init__(self, span: Span | None) -> None:
        self._span = span

    def span(self, index: int) -> Span | None:
        """The place, whatever its number."""
        return self._span


class HostCall:
    """A program's request to its host.

    kind: "call" (id: the capability; args: positional arguments, keyword arguments collected into one map, last),
    "capability" (declare id; args: the options map), "step-enter" (id: name; args: options map), "step-leave" (args:
    "ok" or "error"), "context" (id: the name of `@name`; args: for that spelling "own" or "other", whether the program
    has the name), "context-enter" (args: a map of values), "context-leave", "parallel" (args: functions of no
    arguments), "breathe" (the program used up a slice of steps; only if the driver asked for it), "wait" (args: a
    segment of a lazy sequence that another machine is computing; answered with nil once it may be free). hints: the
    call's metadata map, or None.
    given: `args` as the program gave them; a host may put its own form of them into `args`. labels, decided_by: under
    flow rules, the tags of `given` and what decided that the call is made, hint_labels that of the hints, where (unit
    and index of the place); answer_tag: the host's, of its answer; keep_labels: takes the text of that tag for the
    record of the run, if it has one that needs it; kept_labels: that text, of a call that was answered from the record.
    unit, at: where the program asks, as the unit knows it.
    """

    __slots__ = (
        "_at", "_unit", "answer_tag", "args", "decided_by", "given", "hint_labels", "hints", "id", "keep_labels",
        "kept_labels", "kind", "labels", "where",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        id: str,
        args: tuple[Any, ...] = (),
        hints: Map | None = None,
        unit: Placed | None = None,
        at: int = 0,
    ) -> None:
        self.kind = kind
        self.id = id
        self.args = args
        self.given = args
        self.hints = hints
        self._unit = unit
        self._at = at
        self.labels: list[Tag] | None = None
        self.decided_by: Label | None = None
        self.hint_labels: Tag | None = None
        self.answer_tag: Tag | None = None
        self.keep_labels: Callable[[str], None] | None = None
        self.kept_labels: str | None = None
        self.where: tuple[str, int] | None = None

    @property
    def span(self) -> Span | None:
        """The place of the request in the program, if known."""
        return None if self._unit is None else self._unit.span(self._at)

    def __repr__(self) -> str:
        return f"HostCall({self.kind!r}, {self.id!r}, {self.args!r})"


class Complete:
    """The program ended with a value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Complete({self.value!r})"


class RequiresHost:
    """The program waits for the host to answer `call`."""

    __slots__ = ("_machine", "call")

    def __init__(self, call: HostCall, machine: Machine) -> None:
        self.call = call
        self._machine: Machine | None = machine

    @property
    def machine(self) -> Machine | None:
        """The machine that waits; None once the outcome has been used."""
        return self._machine

    def _take(self) -> Machine:
        machine = self._machine
        if machine is None:
            raise InternalError("an outcome can be resumed once")
        if machine.thread != get_ident():
            raise InternalError("an outcome belongs to the thread that started its machine")
        self._machine = None
        return machine

    def resume(self, value: Any) -> Outcome:
        """Go on with the host's answer, an RTFS value. Raises UserError if the program ends with an error."""
        machine = self._machine
        if machine is None or machine.thread != get_ident():
            machine = self._take()  # raises
        self._machine = None
        return machine.resume(value)

    def throw(self, error: BaseException) -> Outcome:
        """Go on as if the call had raised `error`. Raises it (or another) if the program does not catch it."""
        try:
            return self._take().throw(error, self.call)
        finally:
            del error  # its traceback has this call

    def close(self, later: bool = False) -> None:
        """Abandon the program: nothing of it runs any more, not even a `finally`. later: see `Machine.close`."""
        if self._machine is not None:
            self._take().close(later)

    def __repr__(self) -> str:
        return f"RequiresHost({self.call!r})"


Outcome = Complete | RequiresHost
