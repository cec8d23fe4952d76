"""Inlining `map`, `reduce`, `every?` and their like when their function is written on the spot, or has a name.

Knows nothing of Python code. Invariant: an inlined call computes what the function of rtfs.builtins would, in the same
order; a function on the spot with a name, several arities, `&`, conditions or a `recur` is left alone.
"""

from __future__ import annotations

from rtfs.builtins.fixed_arity import EXACT
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.annotations import parameters, return_type
from rtfs.compiler.analysis.destructure import FUNCTIONS, Bindings, head_name
from rtfs.compiler.analysis.inlined import CALLS, DECIDING, OPERATORS, SELECTING
from rtfs.compiler.analysis.scope import LoopContext, Scope
from rtfs.compiler.forms.binding import bind_parameter, cast
from rtfs.values import Keyword, Map, Symbol, Vector
from rtfs.values.info import FormInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser

_PRE, _POST = Keyword("pre"), Keyword("post")
# Forms in the largest function that is inlined.
LARGEST = 1_000

# name -> (forms after the name, parameters of the function)
EACH = {**dict.fromkeys((*SELECTING, *DECIDING), (2, 1)), "map-indexed": (2, 2), "reduce": (3, 2)}


def analyse_each(a: Analyser, form: Any, name: str, scope: Scope) -> nodes.Node | None:
    """The inlined call, or None if the form is not one that is. The head means the standard function `name`."""
    forms, count = EACH[name]
    items = form.raw()
    if len(items) != forms + 1:
        return None
    function = items[1]
    if function.__class__ is Symbol or function.__class__ is Keyword:
        return _named(a, form, name, scope)
    entries = plain_parameters(function, count, scope) if head_name(function) in FUNCTIONS else None
    if entries is None:
        return None
    at = a.at
    initial = a.analyse(items[2], scope) if name == "reduce" else None
    collection = a.analyse(items[-1], scope)
    loop = LoopContext(0, scope.loop)
    inner = Scope(scope, loop=loop)
    prologue: Bindings = []
    bindings = [bind_parameter(a, pattern, type_form, inner, prologue) for pattern, type_form in entries]
    a.at = a.locate(function)
    result_type, body_forms = return_type(function.raw()[2:], a.is_type)
    body = cast(a, a.body(body_forms, inner), result_type, "the result")
    if prologue:
        body = nodes.Let(a.at, prologue, body)
    a.at = at
    accumulator = bindings[0] if count == 2 else None
    return nodes.Each(at, name, bindings[-1], accumulator, body, initial, collection, loop.closes)


def plain_parameters(function: Any, count: int, scope: Scope) -> list[tuple[Any, Any]] | None:
    """The parameters with their types of a function on the spot whose body can take the place of a call with `count`
    arguments: one arity of so many, without a name, `&`, conditions or `recur`; None of any other."""
    parts = function.raw()
    if len(parts) < 2 or parts[1].__class__ is not Vector or scope.lookup(parts[0].name) is not None:
        return None
    entries = parameters(parts[1].raw())
    if len(entries) != count:
        return None
    for one, _ in entries:
        if one.__class__ is Symbol and one.name == "&":
            return None
    return None if _has_conditions(parts) or _mentions_recur(function) else entries


def _has_conditions(parts: list[Any]) -> bool:
    """True if a map before the last form of a function's body asks for `:pre` or `:post`."""
    return len(parts) > 3 and any(one.__class__ is Map and (_PRE in one or _POST in one) for one in parts[2:-1])


def _named(a: Analyser, form: Any, name: str, scope: Scope) -> nodes.Node | None:
    """`(map inc xs)`, `(map :name xs)`, `(reduce step [] xs)`: the body calls the function, or looks the keyword up."""
    at = a.at
    if name == "reduce":
        function = a.analyse(form[1], scope)
        if not _is_called(a, function, 2, scope):
            return None
        initial = a.analyse(form[2], scope)
        collection = a.analyse(form[3], scope)
        item, accumulator = a.fresh("item", scope), a.fresh("accumulator", scope)
        if isinstance(function, nodes.Global) and function.core and function.name == "+":
            return nodes.Each(at, "sum", item, None, nodes.Const(at, None), initial, collection, False)
        operands: list[nodes.Node] = [nodes.Local(at, accumulator), nodes.Local(at, item)]
        body: nodes.Node = nodes.Invoke(at, function, operands)
        return nodes.Each(at, name, item, accumulator, body, initial, collection, False)
    if name == "map-indexed":
        return None
    if form[1].__class__ is Symbol:
        function = a.analyse(form[1], scope)
        if not _is_called(a, function, 1, scope):
            return None
        collection = a.analyse(form[2], scope)
        item = a.fresh("item", scope)
        body = nodes.Invoke(at, function, [nodes.Local(at, item)])
    else:
        collection = a.analyse(form[2], scope)
        item = a.fresh("item", scope)
        body = nodes.Primitive(at, "keyword_get", [nodes.Const(at, form[1]), nodes.Local(at, item)])
    return nodes.Each(at, name, item, None, body, None, collection, False)


def _is_called(a: Analyser, function: nodes.Node, count: int, scope: Scope) -> bool:
    """True for a name whose call costs less than passing the function does: a function of the program, or a standard
    one that has an operator, or a special version for this number of arguments."""
    if isinstance(function, nodes.Global) and function.core:
        return (function.name, count) in OPERATORS or (function.name, count) in EXACT
    if not isinstance(function, (nodes.Global, nodes.Local)):
        return False
    scope.function.ticks = True
    return True


def _mentions_recur(form: Any) -> bool:
    """True if `recur` occurs in the function's text (a loop inside counts too: that is no harm), or could: functions
    within functions would make looking at very large ones expensive."""
    info = form.info
    if info.__class__ is FormInfo:  # as it was read
        start, end = info.start, info.end
        if end - start < LARGEST and info.source.text.find("recur", start, end) < 0:
            return False
    pending = [form]
    left = LARGEST
    while pending:
        one = pending.pop()
        left -= 1
        if not left:
            return True
        if one.__class__ is Symbol:
            if one.name == "recur":
                return True
        elif hasattr(one, "to_list"):
            pending.extend(one)
        elif hasattr(one, "items"):
            pending.extend(value for _, value in one.items())
    return False


CALLS.update(dict.fromkeys(EACH, analyse_each))
