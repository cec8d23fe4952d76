"""Special forms that bind names: def, defn, fn, let, loop, recur.

Knows nothing of Python code. Invariant: a parameter is a plain name when it reaches code generation; patterns and types
become bindings at the start of the body, inside the loop that `recur` goes back to, so a recurred value is checked too.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.annotations import ABSENT, is_colon, pairs, parameters, return_type
from rtfs.compiler.analysis.destructure import (
    FUNCTIONS,
    Bindings,
    binding_name,
    destructure,
    head_name,
    is_list_headed,
    is_simple,
    take_apart,
    whole_name,
)
from rtfs.compiler.analysis.nodes import Binding, Const, Local, Node
from rtfs.compiler.analysis.scope import FunctionContext, LoopContext, Scope, SelfCall
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS, shape_error, special_form
from rtfs.compiler.mangling import REST_MARK
from rtfs.compiler.marks import TemplateMark
from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser

CORE = "rtfs.core"


def cast(analyser: Analyser, value: Node, type_form: Any, what: str) -> Node:
    """`value`, checked against a type expression; the expression itself is checked now."""
    if type_form is ABSENT:
        return value
    analyser.environment.check_type(type_form, analyser.module)
    return nodes.Cast(value.at or analyser.at, value, type_form, what)


# ---------------------------------------------------------------------- def, defn
@special_form(
    "def",
    "(def name value)",
    "Define a name of the module (in a body: a local one); the value of the form is the value.",
    ("(def answer 42)", "42"),
    ("(def limit : int 10)", "10"),
)
def analyse_def(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    items = form.raw()[1:]
    if len(items) == 3 and items[1].__class__ is str:  # a doc string
        del items[1]
    ((pattern, type_form, value_form),) = _definition(items, a)
    if pattern.__class__ is not Symbol:
        raise shape_error("def", "`def` names a symbol")
    name = binding_name(pattern)
    value: Node
    own: Binding | None = None
    if is_list_headed(value_form, "fn", "lambda", "λ"):
        own = a.definition(name, scope) if scope.local_definitions else None
        value = analyse_function(a, value_form, scope, name, own)
    else:
        value = a.analyse(value_form, scope)
    value = cast(a, value, type_form, name)
    return _define(a, name, value, scope, own)


SPECIAL_FORMS["def"].most = 4  # (def name : type value)


def _definition(items: list[Any], a: Analyser) -> list[tuple[Any, Any, Any]]:
    try:
        found = pairs(items, "def", a.is_type)
    except CompileError:
        found = []
    if len(found) != 1:
        raise shape_error("def", "`def` takes a name and one value")
    return found


def _define(a: Analyser, name: str, value: Node, scope: Scope, own: Binding | None = None) -> Node:
    if scope.local_definitions:
        binding = own or a.definition(name, scope)
        if isinstance(value, nodes.Fn) and value.binding is None:
            value.binding = binding
        return nodes.Let(a.at, [(binding, value)], Local(a.at, binding))
    a.module.define(name)
    if not isinstance(value, nodes.Fn):
        a.unit.data.add((a.module.name, name))
    return a.declaring(nodes.Def(a.at, name, value))


@special_form(
    "defn",
    "(defn name doc? [params] body…)",
    "Define a function; several arities are written ([params] body…) each.",
    ("(defn square [x] (* x x)) (square 4)", "16"),
    ("(defn area ([r] (* r r)) ([w h] (* w h))) (area 2 3)", "6"),
    aliases=("defn-",),
)
def analyse_defn(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    items = form.raw()[1:]
    if not items or items[0].__class__ is not Symbol:
        raise shape_error("defn", "`defn` names a symbol")
    name = binding_name(items[0])
    if form[0].name == "defn-":
        a.unit.make_private(a.module, name)
    rest = items[1:]
    if rest and rest[0].__class__ is str and len(rest) > 1:
        rest = rest[1:]
    if rest and rest[0].__class__ is Map and len(rest) > 1:
        rest = rest[1:]
    if not rest or not (rest[0].__class__ is Vector or is_arity(rest[0])):
        error = shape_error("defn", f"`defn {name}` has no parameter vector")
        meant = rest[0] if rest else None
        raise a.error(_no_vector(error, f"defn {name}", meant), meant)
    if scope.local_definitions:
        own = a.definition(name, scope)
        return _define(a, name, _function(a, rest, scope, name, own), scope, own)
    a.module.define(name)
    return a.declaring(nodes.Def(a.at, name, _function(a, rest, scope, name, None)))


# ---------------------------------------------------------------------- fn
@special_form(
    "fn",
    "(fn name? [params] body…)",
    "A function. `& r` collects what is left into a list; `x : T` checks.",
    ("((fn [x & r] [x r]) 1 2 3)", "[1 (2 3)]"),
    aliases=("lambda", "λ"),
)
def analyse_fn(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return analyse_function(a, form, scope, "fn", None)


def analyse_function(a: Analyser, form: Any, scope: Scope, name: str, own: Binding | None) -> nodes.Fn:
    """A `fn` form. `own`: the local that it is being bound to, through which it can call itself."""
    items = form.raw()[1:]
    if items and items[0].__class__ is Symbol:
        name = binding_name(items[0])
        inner = Scope(scope)
        own = a.bind(name, inner)
        return _function(a, items[1:], inner, name, own)
    return _function(a, items, scope, name, own)


def _no_vector(error: CompileError, head: str, meant: Any) -> CompileError:
    """Say how parameters are written, if what is in their place looks like some."""
    names = meant.to_list() if meant.__class__ is List else [meant]
    if names and all(one.__class__ is Symbol for one in names):
        error.hint = f"parameters are written in a vector: ({head} [{' '.join(str(one) for one in names)}] …)"
    return error


def is_arity(form: Any) -> bool:
    return bool(form.__class__ is List and len(form) and form[0].__class__ is Vector)


def _function(a: Analyser, items: list[Any], scope: Scope, name: str, own: Binding | None) -> nodes.Fn:
    if items and is_arity(items[0]):
        clauses = []
        for item in items:
            if not is_arity(item):
                raise shape_error("defn", "each arity is written ([params] body…)")
            clauses.append((item, item.raw()))
    elif items and items[0].__class__ is Vector:
        clauses = [(None, items)]
    else:
        meant = items[0] if items and name == "fn" else Symbol(name.rstrip(":"))
        raise _no_vector(shape_error("fn", "a parameter vector is missing"), "fn", meant)
    context = FunctionContext(scope.function)
    self_name: Binding | str | None = own
    if own is None and name != "fn" and not scope.local_definitions:
        self_name = name
    arities = []
    for place, parts in clauses:
        outer = a.at
        a.at = a.locate(place) if place is not None else a.at
        try:
            arities.append(_arity(a, parts[0], parts[1:], scope, context, self_name if len(clauses) == 1 else None))
        finally:
            a.at = outer
    _check_arities(arities)
    return nodes.Fn(a.at, name, arities, own, context.ticks)


def _check_arities(arities: list[nodes.Arity]) -> None:
    """Each number of arguments has one arity; `&` only in the last. An exact arity wins over `&`."""
    if len(arities) == 1:
        return
    arities.sort(key=lambda one: (one.rest is not None, len(one.params)))
    fixed = [len(one.params) for one in arities if one.rest is None]
    for count in fixed:
        if fixed.count(count) > 1:
            raise shape_error("defn", f"two arities take {count} arguments")
    if len(arities) - len(fixed) > 1:
        raise shape_error("defn", "only one arity may have `&`")
    if len(fixed) < len(arities) and fixed and len(arities[-1].params) < fixed[-1]:
        raise shape_error("defn", "the arity with `&` takes at least as many arguments as the others")


def _arity(
    a: Analyser, vector: Any, forms: list[Any], scope: Scope, context: FunctionContext, own: Binding | str | None
) -> nodes.Arity:
    entries = parameters(vector.raw())
    result_type, forms = return_type(forms, a.is_type)
    rest_entry = None
    for index, (pattern, _) in enumerate(entries):
        if pattern.__class__ is Symbol and pattern.name == "&":
            if index + 2 != len(entries):
                raise shape_error("fn", "exactly one parameter follows `&`")
            rest_entry = entries[index + 1]
            entries = entries[:index]
            break
    target = LoopContext(len(entries) + (rest_entry is not None), None)
    self_call = SelfCall(own, len(entries), target) if own is not None and rest_entry is None else None
    inner = Scope(scope, function=context, loop=target, self_call=self_call)
    # names of parameters are bound in the loop's scope: a recur binds them again
    prologue: Bindings = []
    params = [bind_parameter(a, pattern, type_form, inner, prologue) for pattern, type_form in entries]
    rest = None
    if rest_entry is not None:
        rest = _rest_parameter(a, rest_entry[0], rest_entry[1], inner, prologue)
    body = _body(a, forms, inner, target)
    if prologue:
        body = nodes.Let(a.at, prologue, body)
    if target.used:
        variables = [*params, *([rest] if rest is not None else [])]
        fresh = [a.fresh(variable.name, inner) for variable in variables]
        body = nodes.Loop(a.at, target, variables, [Local(a.at, one) for one in fresh], body, target.closes)
        params, rest = fresh[: len(params)], fresh[-1] if rest is not None else None
    if rest is not None and params:
        params[-1].python += REST_MARK
    # a self tail call needs no separate check: the loop's one result is checked
    return nodes.Arity(a.at, params, rest, cast(a, body, result_type, "the result"))


def _body(a: Analyser, forms: list[Any], inner: Scope, target: LoopContext) -> Node:
    """The body of a function. A map before it holds attributes: `:pre` and `:post` are conditions, the rest is only
    read."""
    if len(forms) < 2 or forms[0].__class__ is not Map:
        return a.body(forms, inner, target)
    before, after = (_conditions(forms[0], name) for name in ("pre", "post"))
    forms = forms[1:]
    if not before and not after:
        return a.body(forms, inner, target)
    if not after:
        return a.body([*before, *forms], inner, target)
    result = Symbol("%")
    body = List([Symbol("let", TemplateMark(CORE)), Vector([result, List([Symbol("do"), *forms])]), *after, result])
    return a.body([*before, body], inner, None)


def _conditions(attributes: Any, name: str) -> list[Any]:
    """The assertions that `:pre` or `:post` ask for."""
    found = attributes.get(Keyword(name))
    if found is None:
        return []
    if found.__class__ is not Vector:
        raise shape_error("fn", f"`:{name}` takes a vector of conditions")
    return [List([Symbol("assert", TemplateMark(CORE)), condition]).with_info(found.info) for condition in found]


def bind_parameter(a: Analyser, pattern: Any, type_form: Any, inner: Scope, prologue: Bindings) -> Binding:
    if is_simple(pattern):
        binding = a.fresh(binding_name(pattern), inner)
        if pattern.name != "_":
            inner.bind(pattern.name, binding)
        if type_form is not ABSENT:
            checked = a.fresh(pattern.name, inner)
            value = cast(a, Local(a.locate(pattern), binding), type_form, f"parameter {pattern.name}")
            prologue.append((checked, value))
            inner.bind(pattern.name, checked)
        return binding
    whole = whole_name(pattern) if type_form is ABSENT else None
    binding = a.fresh("argument", inner) if whole is None else a.bind(binding_name(whole), inner)
    value = cast(a, Local(a.locate(pattern), binding), type_form, "parameter")
    prologue.extend(destructure(a, pattern, value, inner))
    return binding


def _rest_parameter(a: Analyser, pattern: Any, type_form: Any, inner: Scope, prologue: Bindings) -> Binding:
    binding = bind_parameter(a, pattern, ABSENT, inner, prologue) if is_simple(pattern) else a.fresh("rest", inner)
    at = a.locate(pattern)
    value: Node = Local(at, binding)
    if type_form is not ABSENT:
        what = f"parameter {pattern.name}" if is_simple(pattern) else "rest parameter"
        checked = cast(a, value, Vector([Keyword("list"), type_form]), what)
        value = nodes.If(at, value, checked, Const(at, None))
    if is_simple(pattern):
        if type_form is not ABSENT:
            again = a.bind(pattern.name, inner)
            prologue.append((again, value))
        return binding
    if pattern.__class__ is Map:
        value = nodes.Primitive(a.at, "pattern_keywords", [value, Const(a.at, 0)])
    prologue.extend(destructure(a, pattern, value, inner))
    return binding


# ---------------------------------------------------------------------- let
@special_form(
    "let",
    "(let [pattern value …] body…)",
    "Bind names one after another, then the body. Functions bound by one `let` may call each other.",
    ("(let [x 1 [y z] [2 3]] (+ x y z))", "6"),
)
def analyse_let(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    items = form.raw()
    if items[1].__class__ is not Vector:
        raise a.error(shape_error("let", "`let` takes a vector of bindings"), items[1])
    entries = _pairs(a, _with_definitions(items[1]), "let")
    inner = Scope(scope)
    own: dict[int, Binding] = {}
    functions: Scope | None = None
    around: Scope = inner
    for index, (pattern, type_form, value_form) in enumerate(entries):
        if pattern.__class__ is Symbol and value_form.__class__ is List:
            expanded, head = a.headed(value_form, inner)
            if expanded is not value_form:
                entries[index] = pattern, type_form, expanded
            if head in FUNCTIONS:
                if functions is None:
                    functions = Scope(scope)
                    around = _seen_by_functions(inner, functions)
                own[index] = a.bind(binding_name(pattern), functions)
    bindings: Bindings = []
    for index, (pattern, type_form, value_form) in enumerate(entries):
        if index in own:
            binding = own[index]
            visible = Scope(around)
            visible.bind(binding.name, binding)
            value: Node = analyse_function(a, value_form, visible, binding.name, binding)
            value = cast(a, value, type_form, binding.name)
            bindings.append((binding, value))
            inner.bind(binding.name, binding)
            continue
        value = a.analyse(value_form, inner)
        if type_form is not ABSENT:
            value = cast(a, value, type_form, pattern.name if is_simple(pattern) else "value")
        take_apart(a, pattern, value, inner, bindings)
    body = a.body(items[2:], inner, tail)
    return nodes.Let(a.at, bindings, body) if bindings else body


_DEFINING = frozenset(("defn", "defn-", "def"))


def _with_definitions(vector: Any) -> Any:
    """The bindings, with `(defn f [x] …)` in the place of a pair as `f (fn f [x] …)`."""
    source = vector.raw()
    for item in source:
        if item.__class__ is List and head_name(item) in _DEFINING:
            break
    else:
        return vector
    items: list[Any] = []
    index = 0
    while index < len(source):
        item = source[index]
        if is_list_headed(item, "defn", "defn-") and len(item) > 2:
            rest = item.raw()[2:]
            while len(rest) > 1 and rest[0].__class__ in (str, Map):
                rest = rest[1:]
            items += [item[1], List([Symbol("fn"), item[1], *rest]).with_info(item.info)]
            index += 1
        elif is_list_headed(item, "def") and len(item) == 3:
            items += [item[1], item[2]]
            index += 1
        else:
            taken = 4 if index + 1 < len(source) and is_colon(source[index + 1]) else 2
            items += source[index : index + taken]
            index += taken
    return Vector(items).with_info(vector.info)


def _pairs(a: Analyser, vector: Any, what: str) -> list[tuple[Any, Any, Any]]:
    """The bindings of a vector. Raises CompileError `form/shape` at the vector."""
    try:
        return pairs(vector.raw(), what, a.is_type)
    except CompileError as error:
        raise a.error(error, vector) from None


def _seen_by_functions(inner: Scope, functions: Scope) -> Scope:
    """The scope around the functions of a `let`: the bindings of `inner` so far, then the let's functions. It shares
    the names of both: copies for each of thousands of functions would be millions."""
    scope = Scope(functions)
    scope.names = inner.names
    return scope


# ---------------------------------------------------------------------- loop, recur
@special_form(
    "loop",
    "(loop [pattern value …] body…)",
    "Bind, then run the body; `recur` in tail position starts it again with new values.",
    ("(loop [i 0 sum 0] (if (< i 5) (recur (inc i) (+ sum i)) sum))", "10"),
)
def analyse_loop(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if form[1].__class__ is not Vector:
        raise a.error(shape_error("loop", "`loop` takes a vector of bindings"), form[1])
    entries = _pairs(a, form[1], "loop")
    target = LoopContext(len(entries), scope.loop)
    outside = Scope(scope)
    values: list[Node] = []
    variables: list[Binding] = []
    inner = Scope(scope, loop=target)
    prologue: Bindings = []
    before: Bindings = []
    for pattern, type_form, value_form in entries:
        # a later initial value sees the earlier names, as in let
        initial = a.fresh(pattern.name if is_simple(pattern) else "initial", outside)
        before.append((initial, a.analyse(value_form, outside)))
        if not is_simple(pattern):
            before.extend(destructure(a, pattern, Local(a.at, initial), outside))
        elif pattern.name != "_":
            outside.bind(pattern.name, initial)
        values.append(Local(a.at, initial))
        variables.append(bind_parameter(a, pattern, type_form, inner, prologue))
    body = a.body(form.raw()[2:], inner, target)
    if prologue:
        body = nodes.Let(a.at, prologue, body)
    loop = nodes.Loop(a.at, target, variables, values, body, target.closes)
    return nodes.Let(a.at, before, loop) if before else loop


@special_form(
    "recur",
    "(recur value…)",
    "Start the enclosing loop or function again with new values; only in tail position.",
    ("(loop [n 3 acc 1] (if (= n 0) acc (recur (dec n) (* acc n))))", "6"),
)
def analyse_recur(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if tail is None:
        raise CompileError(
            "recur/not-tail",
            "`recur` is not in tail position",
            hint="`recur` must be the last thing a loop or function does; inside `try`, call a function instead",
        )
    arguments = a.analyse_all(form.raw()[1:], scope)
    if len(arguments) != tail.arity:
        raise CompileError(
            "recur/arity",
            f"`recur` takes {tail.arity} value{'' if tail.arity == 1 else 's'} here, got {len(arguments)}",
        )
    tail.used = True
    return nodes.Recur(a.at, tail, arguments)
