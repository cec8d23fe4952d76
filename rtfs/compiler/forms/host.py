"""Special forms that reach the host: call, capability, step and its kin, `@name`.

Knows nothing of what a host does with them. Invariant: these are the only forms that make a `HostRequest`.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.nodes import Const, HostRequest, Local, MapDisplay, Node, Primitive
from rtfs.compiler.analysis.scope import FunctionContext, LoopContext, Scope
from rtfs.compiler.analysis.special_forms import MIXED_ARGUMENTS, shape_error, special_form
from rtfs.compiler.mangling import id_of_keyword
from rtfs.values import Keyword, Map, Symbol
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser


@special_form(
    "call",
    "(call id argument…)",
    "Ask the host to perform a capability; trailing `:key value` pairs become one map.",
    ('(call "ccos.data.parse-json" "[1, 2]")', "[1 2]"),
)
def analyse_call(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    scope.function.ticks = True
    items = form.raw()
    id_node = _capability_id(a, items[1], scope)
    positional: list[Node] = []
    index = 2
    while index < len(items) and items[index].__class__ is not Keyword:
        positional.append(a.analyse(items[index], scope))
        index += 1
    if index < len(items):
        pairs = items[index:]
        if len(pairs) == 1 and not positional:
            positional.append(a.analyse(pairs[0], scope))  # (call "id" :word): one argument, a keyword
        else:
            keywords = _keyword_arguments(a, pairs, scope)
            positional = [keywords] if not positional else [_together(a, positional, keywords)]
    hints = _hints(a, form, scope)
    return HostRequest(at, "call", id_node, positional, hints)


def _capability_id(a: Analyser, form: Any, scope: Scope) -> Node:
    if form.__class__ is str:
        return Const(a.at, form)
    if form.__class__ is Keyword:
        return Const(a.at, id_of_keyword(form))
    return Primitive(a.at, "capability_id", [a.analyse(form, scope)])


def _together(a: Analyser, positional: list[Node], keywords: Node) -> Node:
    """One map of a map and keyword arguments; other mixtures have no meaning that everybody would agree on."""
    first = positional[0]
    if len(positional) > 1 or (isinstance(first, Const) and first.value.__class__ is not Map):
        raise shape_error("call", MIXED_ARGUMENTS)
    return Primitive(a.at, "with_keywords", [first, keywords])


def _keyword_arguments(a: Analyser, pairs: list[Any], scope: Scope) -> Node:
    parts: list[Node] = []
    if len(pairs) % 2:
        raise shape_error("call", "keyword arguments come in pairs; the last key has no value")
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if key.__class__ is not Keyword:
            raise shape_error("call", "positional arguments come before keyword arguments")
        parts.append(Const(a.at, key))
        parts.append(a.analyse(value, scope))
    return MapDisplay(a.at, parts)


def _hints(a: Analyser, form: Any, scope: Scope) -> Node | None:
    meta = getattr(form.info, "meta", None)
    if meta is None or not len(meta):
        return None
    return a.analyse(meta, scope)


@special_form(
    "capability",
    "(capability id option…)",
    "Declare a capability; the value is its id. Options are `:key value` pairs.",
    ('(capability "demo.echo" :description "d" :implementation (fn [input] input))', '"demo.echo"'),
)
def analyse_capability(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    items = form.raw()[1:]
    if items[0].__class__ is Keyword:
        id = items[0].name
    elif items[0].__class__ is str:
        id = items[0]
    else:
        raise CompileError("capability/invalid", "a capability's id is a string or a keyword")
    options = items[1:]
    if len(options) == 1 and options[0].__class__ is Map:
        options = [part for pair in options[0].items() for part in pair]
    if len(options) % 2:
        raise CompileError("capability/invalid", "options come in pairs; the last key has no value")
    parts: list[Node] = []
    for key, value in zip(options[::2], options[1::2], strict=True):
        if key.__class__ is not Keyword:
            raise a.error(CompileError("capability/invalid", "an option is a keyword and a value"), key)
        parts.append(Const(at, key))
        # a schema is a type expression: data, never evaluated
        if key.name.replace("_", "-") in ("input-schema", "output-schema"):
            from rtfs.types.comments import apply_comments

            parts.append(Const(at, apply_comments(value)))
        else:
            parts.append(a.analyse(value, scope))
    scope.function.ticks = True
    return a.declaring(HostRequest(at, "capability", Const(at, id), [MapDisplay(at, parts)]))


# ---------------------------------------------------------------------- steps
@special_form(
    "step",
    "(step name body…)",
    "Mark a step in the ledger; the value of the body.",
    ('(step "add" (+ 1 2))', "3"),
    shadowable=True,
)
def analyse_step(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    items = form.raw()[1:]
    name, items = a.analyse(items[0], scope), items[1:]
    options: list[Node] = []
    while len(items) >= 2 and items[0].__class__ is Keyword and items[0].name in _STEP_OPTIONS:
        options += [Const(at, items[0]), a.analyse(items[1], scope)]
        items = items[2:]
    scope.function.ticks = True
    enter = HostRequest(at, "step-enter", Primitive(at, "step_name", [name]), [MapDisplay(at, options)])
    return _between(a, enter, items, "step-leave", scope)


def _between(a: Analyser, enter: Node, items: list[Any], leave: str, scope: Scope) -> Node:
    """The value of a body between two requests, the second made however the body ends."""
    at = a.at
    value = a.fresh("value", scope)
    error = a.fresh("error", scope)
    done = HostRequest(at, leave, Const(at, ""), [Const(at, "ok")])
    failed = HostRequest(at, leave, Const(at, ""), [Const(at, "error")])
    rethrow = Primitive(at, "throw", [Local(at, error)])
    body = nodes.Try(at, a.body(items, scope), [nodes.Handler(None, error, nodes.Do(at, [failed, rethrow]))], None)
    return nodes.Do(at, [enter, nodes.Let(at, [(value, body)], nodes.Do(at, [done, Local(at, value)]))])


_STEP_OPTIONS = ("params", "expose-context", "context-keys")


@special_form(
    "step-parallel",
    "(step-parallel form…)",
    "Evaluate forms concurrently; a vector of the values in order. The first error cancels the rest.",
    ("(step-parallel (+ 1 1) (+ 2 2))", "[2 4]"),
    shadowable=True,
)
def analyse_step_parallel(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    scope.function.ticks = True
    thunks: list[Node] = []
    for item in form.raw()[1:]:
        context = FunctionContext(scope.function)
        inner = Scope(scope, function=context)
        body = a.analyse(item, inner)
        thunks.append(nodes.Fn(at, "branch", [nodes.Arity(at, [], None, body)], None, True))
    return HostRequest(at, "parallel", Const(at, ""), thunks)


@special_form(
    "parallel*",
    "(parallel* functions)",
    "Call functions of no arguments concurrently; a vector of their values in order. What `pmap` is made of.",
    ("(parallel* [(fn [] 1) (fn [] 2)])", "[1 2]"),
)
def analyse_parallel(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    scope.function.ticks = True
    return Primitive(a.at, "parallel", [a.analyse(form[1], scope)])


@special_form(
    "step-loop",
    "(step-loop test body…)",
    "Evaluate the body while the test is truthy, at most 10,000 rounds; the last value.",
    ("(step-loop false 1)", "nil"),
    shadowable=True,
)
def analyse_step_loop(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    target = LoopContext(2, scope.loop)
    inner = Scope(scope, loop=target)
    rounds, value = a.fresh("rounds", inner), a.fresh("value", inner)
    test = a.analyse(form[1], inner)
    body = a.body(form.raw()[2:], inner)
    again = nodes.Recur(at, target, [Primitive(at, "count_round", [Local(at, rounds)]), body])
    loop = nodes.If(at, test, again, Local(at, value))
    return nodes.Loop(at, target, [rounds, value], [Const(at, 0), Const(at, None)], loop, target.closes)


# ---------------------------------------------------------------------- context
@special_form(
    "with-context",
    "(with-context map body…)",
    "The value of the body, in which the run's context has the values of the map too.",
    ('(with-context {:user "Ann"} @user)', '"Ann"'),
    shadowable=True,
)
def analyse_with_context(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    scope.function.ticks = True
    values = a.analyse(form[1], scope)
    enter = HostRequest(a.at, "context-enter", Const(a.at, ""), [values])
    return _between(a, enter, form.raw()[2:], "context-leave", scope)


@special_form("deref", "(deref name)", "`@name`: a value of the run's context, or nil.", ("@missing", "nil"))
def analyse_deref(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if form[1].__class__ is not Symbol:
        raise shape_error("deref", "`@` takes a name")
    name = form[1].name
    own = scope.lookup(name) is not None or name in a.module.defined
    scope.function.ticks = True
    return HostRequest(a.at, "context", Const(a.at, name), [Const(a.at, "own" if own else "other")])


@special_form(
    "get",
    "(get coll…)",
    "`(get coll key default?)`: the value at a key, or the default, or nil; `(get :name)` reads the run's context.",
    ("(get {:a 1} :a)", "1"),
    ("(get {:a 1} :b 0)", "0"),
    ("(get :missing)", "nil"),
    shadowable=True,
)
def analyse_get(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if len(form) == 2 and form[1].__class__ is Keyword:
        scope.function.ticks = True
        return _context(a, form[1].name)
    return a.analyse_invoke(form, form.raw(), scope, tail)


@special_form(
    "resource:ref", "(resource:ref name)", "A value of the run's context, or nil.", ('(resource:ref "missing")', "nil")
)
def analyse_resource(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    name = form[1]
    if name.__class__ not in (str, Keyword, Symbol):
        raise shape_error("resource:ref", "`resource:ref` takes a name")
    scope.function.ticks = True
    return _context(a, name if isinstance(name, str) else name.name)


def _context(a: Analyser, name: str) -> Node:
    return HostRequest(a.at, "context", Const(a.at, name), [])
