"""Inlining `update`, `update-in` and `assoc-in` where the path is written out and the function is known.

Knows nothing of Python code. Invariant: an inlined call returns what the function of rtfs.builtins returns, errors
included: the arguments are evaluated first, then the path is followed, the function applied, and the levels are rebuilt
from the innermost on. Without a closure in it a loop keeps its variables, and may change its accumulator in place.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.annotations import return_type
from rtfs.compiler.analysis.destructure import hold, is_list_headed
from rtfs.compiler.analysis.inlined import CALLS, OPERATORS, PUTS
from rtfs.compiler.analysis.scope import Scope
from rtfs.compiler.forms.binding import bind_parameter, cast
from rtfs.compiler.forms.inlining import plain_parameters
from rtfs.values import Keyword, List, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.destructure import Bindings

    Apply = Callable[[list[nodes.Node], Bindings], nodes.Node]
    """Makes the node of the function's result for the operands; adds the bindings that it needs."""

LONGEST_PATH = 4
_SIMPLE = frozenset(("conj", "disj", "dissoc", "assoc", "max", "min", "merge", "concat", "str", "not"))
_SIMPLE |= frozenset(("pop", "peek", "rest", "next", "first", "last", "count", "subvec", "quot", "abs"))
"""Functions, besides operators, that call no function of the program."""


def analyse_update(a: Analyser, form: Any, name: str, scope: Scope) -> nodes.Node | None:
    """`(update coll key f & args)`, `(update-in coll [key …] f & args)`; None if it is not inlined."""
    if len(form) < 4:
        return None
    path = _path(form, name)
    if path is None:
        return None
    inner = Scope(scope)
    apply = _applied(a, form[3], len(form) - 3, scope, inner)
    called = _defined(a, form[3], scope) if apply is None else None
    if apply is None and called is None:
        return None
    at = a.at
    bindings: Bindings = []
    collection = _collection(a, form[1], scope, inner, bindings)
    keys = [_held(a, a.analyse(key, scope), inner, bindings) for key in path]
    if called is not None:
        called = _held(a, called, inner, bindings)  # looked up before the arguments are evaluated
    arguments = [_held(a, a.analyse(one, scope), inner, bindings) for one in form.raw()[4:]]
    a.at = at
    levels = _levels(a, name, collection, keys, inner, bindings)
    old = _entry(a, name, levels[-1], keys[-1], inner, bindings)
    if apply is not None:
        value = apply([old, *arguments], bindings)
    else:
        assert called is not None
        value = nodes.Invoke(at, called, [old, *arguments])
    a.at = at
    return nodes.Let(at, bindings, _rebuilt(a, name, levels, keys, value, inner, bindings))


def _defined(a: Analyser, form: Any, scope: Scope) -> nodes.Node | None:
    """The name of a function that this module has defined; None for any other form."""
    if form.__class__ is not Symbol or form.name not in a.module.defined:
        return None
    function = a.analyse(form, scope)
    if not isinstance(function, nodes.Global) or function.core or function.data:
        return None
    scope.function.ticks = True
    return function


def analyse_assoc_in(a: Analyser, form: Any, name: str, scope: Scope) -> nodes.Node | None:
    """`(assoc-in coll [key …] value)`; None if it is not inlined."""
    path = _path(form, name) if len(form) == 4 else None
    if path is None:
        return None
    at = a.at
    inner = Scope(scope)
    bindings: Bindings = []
    collection = _collection(a, form[1], scope, inner, bindings)
    keys = [_held(a, a.analyse(key, scope), inner, bindings) for key in path]
    value = _held(a, a.analyse(form[3], scope), inner, bindings)
    a.at = at
    levels = _levels(a, name, collection, keys, inner, bindings)
    return nodes.Let(at, bindings, _rebuilt(a, name, levels, keys, value, inner, bindings))


def _path(form: Any, name: str) -> list[Any] | None:
    if name == "update":
        return [form[2]]
    if form[2].__class__ is not Vector or not 0 < len(form[2]) <= LONGEST_PATH:
        return None
    return form[2].to_list()


def _held(a: Analyser, value: nodes.Node, scope: Scope, bindings: Bindings) -> nodes.Node:
    """A node that may be evaluated more than once, and later."""
    return value if isinstance(value, nodes.Const) else hold(a, value, scope, bindings)


def _levels(
    a: Analyser, name: str, collection: nodes.Node, keys: list[nodes.Node], scope: Scope, bindings: Bindings
) -> list[nodes.Node]:
    """The collections met when following all keys but the last."""
    levels = [collection]
    for key in keys[:-1]:
        levels.append(_entry(a, name, levels[-1], key, scope, bindings))
    return levels


def _collection(a: Analyser, form: Any, scope: Scope, inner: Scope, bindings: Bindings) -> nodes.Node:
    """The collection that is changed; what an inlined call binds to make it is bound beside what this one binds, so
    that its levels are known here."""
    made = a.analyse(form, scope)
    while isinstance(made, nodes.Let) and not any(binding.uses for binding, _ in made.bindings):
        bindings.extend(made.bindings)
        made = made.body
    return _held(a, made, inner, bindings)


def _entry(a: Analyser, name: str, level: nodes.Node, key: nodes.Node, scope: Scope, bindings: Bindings) -> nodes.Node:
    """The value at a key of a level, which a call inside this one may have put there."""
    found = nodes.Primitive(a.at, f"{name}/get", [level, key])
    values: dict[nodes.Binding, nodes.Node] = {}
    made: nodes.Node | None = level
    while isinstance(made, nodes.Local) and not made.binding.uses:
        values = values or dict(bindings)
        made = values.get(made.binding)
        if not (isinstance(made, nodes.Primitive) and made.operation in PUTS):
            break
        made, put_at, value = made.arguments
        if _is_same(put_at, key):
            nameless = isinstance(value, nodes.Local) and not value.binding.uses
            found.entry = value if nameless or isinstance(value, nodes.Const) else None
            break
        if not (_is_known(put_at) and _is_known(key)):
            break
    return _held(a, found, scope, bindings)


def _is_known(key: nodes.Node) -> bool:
    """True for a constant key that no other constant equals."""
    return isinstance(key, nodes.Const) and key.value.__class__ in (Keyword, str)


def _is_same(key: nodes.Node, other: nodes.Node) -> bool:
    """True if two keys surely are the same entry's."""
    if isinstance(key, nodes.Local) and isinstance(other, nodes.Local):
        return key.binding is other.binding and key.binding.definitions <= 1
    return _is_known(key) and _is_known(other) and key.value == other.value  # type: ignore[attr-defined]


def _rebuilt(
    a: Analyser,
    name: str,
    levels: list[nodes.Node],
    keys: list[nodes.Node],
    value: nodes.Node,
    scope: Scope,
    bindings: Bindings,
) -> nodes.Node:
    """The outermost level with the value at the end of the path."""
    for level, key in zip(reversed(levels), reversed(keys), strict=True):
        value = nodes.Primitive(a.at, f"{name}/put", [level, key, _held(a, value, scope, bindings)])
    return value


def _applied(a: Analyser, form: Any, count: int, scope: Scope, inner: Scope) -> Apply | None:
    """Code that applies the function `form` to `count` operands; None if it has to be called."""
    if is_list_headed(form, "fn", "lambda", "λ"):
        return _body(a, form, count, scope, inner)
    if is_list_headed(form, "fnil") and len(form) == 3 and scope.lookup("fnil") is None:
        head = a.analyse(form[0], scope)
        if not (isinstance(head, nodes.Global) and head.core):
            return None
        apply = _applied(a, form[1], count, scope, inner)
        if apply is None or form[2].__class__ in (List, Symbol):
            return None  # the default is evaluated before the collection is looked into: only what needs no evaluation
        default = a.analyse(form[2], scope)

        def with_default(operands: list[nodes.Node], bindings: Bindings) -> nodes.Node:
            at = operands[0].at
            missing = nodes.Invoke(at, nodes.Global(at, "nil?", True), [operands[0]])
            given = _held(a, nodes.If(at, missing, default, operands[0]), inner, bindings)
            return apply([given, *operands[1:]], bindings)

        return with_default
    if form.__class__ is not Symbol:
        return None
    function = a.analyse(form, scope)
    if not (isinstance(function, nodes.Global) and function.core):
        return None
    if function.name not in _SIMPLE and (function.name, count) not in OPERATORS:
        return None
    return lambda operands, bindings: nodes.Invoke(operands[0].at, function, operands)


def _body(a: Analyser, form: Any, count: int, scope: Scope, inner: Scope) -> Apply | None:
    """Code that evaluates the body of a function literal."""
    entries = plain_parameters(form, count, scope)
    if entries is None:
        return None

    def evaluate(operands: list[nodes.Node], bindings: Bindings) -> nodes.Node:
        body_scope = Scope(inner)
        prologue: Bindings = []
        for (pattern, type_form), operand in zip(entries, operands, strict=True):
            bindings.append((bind_parameter(a, pattern, type_form, body_scope, prologue), operand))
        a.at = a.locate(form)
        result_type, body_forms = return_type(form.raw()[2:], a.is_type)
        body = cast(a, a.body(body_forms, body_scope), result_type, "the result")
        return nodes.Let(a.at, prologue, body) if prologue else body

    return evaluate


CALLS.update({"update": analyse_update, "update-in": analyse_update, "assoc-in": analyse_assoc_in})
