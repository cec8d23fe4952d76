"""Habits of other languages at the top level of a text that read as forms of this one: `1 + 2`, `f(x)`, `xs[0]`.

Knows nothing of names' meanings. Invariant: what it refuses would only be evaluated to be thrown away: an operator that
is not called, or a name or value with no white space before arguments or an index. Two calls may touch: `(f)(g)`.
"""

from __future__ import annotations

from rtfs.values import List, Map, Symbol, Vector
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Span

OPERATORS = frozenset(("+", "-", "*", "/", "<", ">", "<=", ">=", "=", "!=", "==", "%", "&&", "||", "and", "or"))


def check_top_level(forms: Any) -> None:
    """Look at the forms of a source. Raises CompileError `form/shape` at the first that is such a habit."""
    spans: list[Span] | None = None
    for index, form in enumerate(forms):
        kind = form.__class__
        if kind is Symbol and form.name in OPERATORS and 0 < index < len(forms) - 1:
            spans = spans or forms.spans
            raise _infix(form.name, spans, index)
        if index and (kind is List or kind is Vector):
            before = forms[index - 1]
            habit = before.__class__ is Symbol or (kind is Vector and len(form) == 1)
            if (
                habit
                and before.__class__ in (Symbol, Vector, List, Map)
                and forms.offsets[2 * index - 1] == forms.offsets[2 * index]
            ):
                spans = spans or forms.spans
                raise _adjacent(form, spans, index)


def _infix(operator: str, spans: list[Span], index: int) -> CompileError:
    left, right = (" ".join(spans[at].text.split()) for at in (index - 1, index + 1))
    if operator == "=":
        hint = f"define a name with (def {left} {right}), or compare with (= {left} {right})"
    else:
        hint = f"write the operator first: ({operator} {left} {right})"
    if len(hint) > 120:
        hint = f"write the operator first: ({operator} a b)"
    return CompileError("form/shape", f"`{operator}` is not called", span=spans[index], hint=hint)


def _adjacent(form: Any, spans: list[Span], index: int) -> CompileError:
    first, second = spans[index - 1].text, spans[index].text
    inner = " ".join(second[1:-1].replace(",", " ").split())
    if form.__class__ is Vector:
        message, hint = "an index is not written like this", f"(get {first} {inner})"
    else:
        message, hint = "a call is not written like this", f"({first} {inner})" if inner else f"({first})"
    if len(hint) > 120:
        hint = "(f argument …), (get coll index)"
    return CompileError("form/shape", message, span=spans[index], hint=f"write {hint}")
