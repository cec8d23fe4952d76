"""`Analysis`: everything that is known of one text.

Knows nothing of how it was found out. Invariant: `diagnostics` are in the order of the text.
"""

from __future__ import annotations

from rtfs.checker.diagnostics import Diagnostic
from rtfs.checker.facts import ANY, Fact
from rtfs.values import EvalError, HostError, TypeMismatch
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.checker.capability_calls import CallSite
    from rtfs.checker.plans import Plan
    from rtfs.compiler.gate import AnalysedForm
    from rtfs.source import Source, Span


class Analysis:
    """The result of analysing one text.

    source        the text
    diagnostics   what is wrong or doubtful, in the order of the text
    calls         the places that call a capability
    forms         the analysed top-level forms
    plan          what its `plan` form declares, or None
    modules       what the text says about modules (see `compiler.imports.apply_declaration`)
    complete      False if the text was too large to be looked at to its end
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.calls: list[CallSite] = []
        self.forms: list[AnalysedForm] = []
        self.plan: Plan | None = None
        self.modules: list[tuple[Any, ...]] = []
        self.complete = True
        self._facts: list[tuple[Span, Fact]] = []

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that keep the program from running."""
        return [one for one in self.diagnostics if one.is_error]

    @property
    def effects(self) -> list[str]:
        """Ids of the capabilities that the text calls, sorted; a computed id is not among them."""
        return sorted({call.id for call in self.calls if call.id is not None})

    def bound(self, id: str) -> int | None:
        """The highest number of calls of the capability in one run, or None if it is not known."""
        total = 0
        for call in self.calls:
            if call.id is None:
                return None
            if call.id == id:
                if call.at_most is None:
                    return None
                total += call.at_most
        return total

    def type_of(self, span: Span) -> Fact:
        """The fact about the value of the smallest form that covers a place."""
        best: tuple[int, Fact] | None = None
        for place, fact in self._facts:
            if place.start <= span.start and span.end <= place.end and place.source.name == span.source.name:
                size = place.end - place.start
                if best is None or size < best[0]:
                    best = size, fact
        return ANY if best is None else best[1]

    def error(self) -> UserError | None:
        """The first error as the exception that a run raises for it, with all the others as `others`; None if there is
        no error."""
        if not self.diagnostics:
            return None
        found = [as_error(one) for one in self.errors]
        if not found:
            return None
        found[0].others = tuple(found[1:])
        return found[0]


def as_error(one: Diagnostic) -> UserError:
    """A diagnostic as the exception that a run raises for it."""
    made: type[UserError] = TypeMismatch if one.code == "type/mismatch" else EvalError
    if one.code.startswith(("form/", "recur/", "macro/", "type/unknown", "module/")):
        made = CompileError
    if one.capability is not None and one.code.startswith("capability/"):
        return HostError(one.message, code=one.code, span=one.span, hint=one.hint, capability=one.capability)
    return made(one.code, one.message, span=one.span, hint=one.hint, notes=one.related, capability=one.capability)
