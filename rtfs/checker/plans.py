"""The interface that a `plan` form declares, with its types, known before it runs.

Must not know running, nor the callers of plans. Invariant: `fitted` returns the parameters that were passed, converted
only if the declared type needs it; values that do not fit are left for the plan itself to refuse.
"""

from __future__ import annotations

from rtfs.compiler.analysis.annotations import ABSENT
from rtfs.types import Field, Record
from rtfs.types.arrays import arrays_as_sets
from rtfs.values import Keyword, Map, UserError
from rtfs.values.keyword import is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analyse import AnalysedProgram
    from rtfs.types import Type


class Plan:
    """A declared plan.

    name     as the file says
    text     what it is for, or ""
    input    the type of its parameters, a record; defaults and texts are in its fields' `about`
    result   the type of its result, or None
    """

    __slots__ = ("input", "name", "result", "text")

    def __init__(self, name: str, text: str, input: Record, result: Type | None) -> None:
        self.name = name
        self.text = text
        self.input = input
        self.result = result

    def fitted(self, given: Map) -> Map:
        """Given parameters as the types want them: texts as keywords, arrays as sets, where nothing else fits."""
        found = []
        for key, value in given.items():
            field = self.input.field(key)
            found.append((key, value if field is None else _fitted(field.type, value)))
        return Map(found)


def declared_plan(program: AnalysedProgram) -> Plan | None:
    """The plan of an analysed text; None without one, or where the form is wrong (the program's errors say so)."""
    head = program.plan
    if head is None:
        return None
    environment = program.environment
    module = environment.module("user")
    try:
        fields = []
        for one in head.parameters:
            about = {"description": one.text} if one.text else {}
            if one.default is not ABSENT and one.default is not None:
                about["default"] = one.default
            type_ = environment.check_type(one.type, module)
            fields.append(Field(Keyword(one.name), type_, one.default is not ABSENT, about))
        result = None if head.result is ABSENT else environment.check_type(head.result, module)
    except UserError:
        return None
    return Plan(head.name, head.text, Record(fields), result)


def _fitted(type: Type, value: Any) -> Any:
    if type.accepts(value):
        return value
    if value.__class__ is str and is_keyword_name(value) and type.accepts(Keyword(value)):
        return Keyword(value)
    return arrays_as_sets(type, value)
