"""Special forms that steer: if, do, and, or, match, try, throw, quote, quasiquote, and friends.

Knows nothing of Python code.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.destructure import binding_name, is_list_headed
from rtfs.compiler.analysis.error_classes import error_class, reads_as_class
from rtfs.compiler.analysis.match import DEFAULTS, match_clauses
from rtfs.compiler.analysis.nodes import Const, If, Local, Node, Primitive
from rtfs.compiler.analysis.quasiquote import Template
from rtfs.compiler.analysis.scope import Scope
from rtfs.compiler.analysis.special_forms import shape_error, special_form
from rtfs.values import Keyword, List, Symbol
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser


@special_form(
    "if", "(if test then else?)", "Choose: only nil and false are false.", ("(if nil 1 2)", "2"), ("(if 0 1 2)", "1")
)
def analyse_if(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    items = form.raw()
    test = a.analyse(items[1], scope)
    then = a.analyse(items[2], scope, tail)
    orelse = a.analyse(items[3], scope, tail) if len(items) == 4 else Const(at, None)
    return If(at, test, then, orelse)


@special_form("do", "(do form…)", "Evaluate forms in order; the value of the last.", ("(do 1 2)", "2"), ("(do)", "nil"))
def analyse_do(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return a.sequence(form.raw()[1:], scope, tail)


@special_form(
    "and",
    "(and form…)",
    "The first falsy value, else the last; stops there.",
    ("(and 1 nil 2)", "nil"),
    ("(and)", "true"),
)
def analyse_and(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return _logic(a, "and", form, scope, tail)


@special_form(
    "or", "(or form…)", "The first truthy value, else the last; stops there.", ("(or nil 2)", "2"), ("(or)", "nil")
)
def analyse_or(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return _logic(a, "or", form, scope, tail)


def _logic(a: Analyser, operator: str, form: Any, scope: Scope, tail: Any) -> Node:
    forms = form.raw()[1:]
    if not forms:
        return Const(a.at, True if operator == "and" else None)
    if len(forms) == 1:
        return a.analyse(forms[0], scope, tail)
    operands = a.analyse_all(forms[:-1], scope)
    operands.append(a.analyse(forms[-1], scope, tail))
    return nodes.Logic(a.at, operator, operands)


@special_form(
    "match",
    "(match value clause…)",
    "The body of the first pattern that fits; `pattern when guard body` adds a test.",
    ("(match [1 2] [a b] (+ a b) _ :other)", "3"),
    ("(match 5 n when (> n 3) :big _ :small)", ":big"),
    shadowable=True,
)
def analyse_match(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    value = a.analyse(form[1], scope)
    inner = Scope(scope, defines=scope.local_definitions)
    held = a.unnamed(inner)
    subject = Local(at, held)
    clauses = match_clauses(a, form.raw()[2:], subject, inner, tail)
    literal = [Const(at, one) for one in DEFAULTS if one in form.raw()[2::2]][:1]
    return nodes.Let(at, [(held, value)], nodes.Match(at, clauses, Primitive(at, "match_none", [subject, *literal])))


# ---------------------------------------------------------------------- errors
@special_form(
    "try",
    "(try form…)",
    "Evaluate; `(catch Class e …)`, `(catch :code e …)`, `(catch e …)` take an error, `(finally …)` always runs.",
    ("(try (/ 1 0) (catch ArithmeticException e :zero))", ":zero"),
    ("(try (throw {:code :mine}) (catch :mine e (:code e)))", ":mine"),
)
def analyse_try(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    at = a.at
    body_forms: list[Any] = []
    handlers: list[nodes.Handler] = []
    cleanup: Node | None = None
    parts = form.raw()[1:]
    # a `recur` may leave a `catch`, which is over then, but not past what `finally` still has to do
    outward = None if any(is_list_headed(part, "finally") for part in parts) else tail
    for part in parts:
        if is_list_headed(part, "catch"):
            if cleanup is not None:
                raise shape_error("try", "`catch` comes before `finally`")
            handlers.append(_handler(a, part, scope, outward))
        elif is_list_headed(part, "finally"):
            if cleanup is not None:
                raise shape_error("try", "`try` takes one `finally`")
            cleanup = a.body(part.raw()[1:], scope)
        elif handlers or cleanup is not None:
            raise shape_error("try", "the body of `try` comes before `catch` and `finally`")
        else:
            body_forms.append(part)
    body = a.body(body_forms, scope)
    if not handlers and cleanup is None:
        return body
    scope.function.ticks = True
    return nodes.Try(at, body, handlers, cleanup)


def _handler(a: Analyser, form: Any, scope: Scope, tail: Any) -> nodes.Handler:
    outer, a.at = a.at, a.locate(form)
    try:
        return _analyse_handler(a, form, scope, tail)
    except UserError as error:
        raise a.error(error) from None
    finally:
        a.at = outer


def _analyse_handler(a: Analyser, form: Any, scope: Scope, tail: Any) -> nodes.Handler:
    items = form.raw()[1:]
    pattern: tuple[str, str] | None = None
    if items and items[0].__class__ is Keyword:
        pattern = ("code", items[0].name)
        items = items[1:]
    elif items and items[0].__class__ is Symbol and reads_as_class(items[0].name):
        pattern = ("class", error_class(items[0].name))
        items = items[1:]
    if not items or items[0].__class__ is not Symbol:
        raise CompileError(
            "form/shape", "`catch` needs a name for the error", hint="(catch Exception e …) or (catch e …)"
        )
    inner = Scope(scope, defines=scope.local_definitions)
    name = binding_name(items[0])
    binding = a.bind(name, inner)
    return nodes.Handler(pattern, binding, a.body(items[1:], inner, tail))


@special_form(
    "catch", "(catch class? name body…)", "Only within `try`.", ("(try (/ 1 0) (catch e :caught))", ":caught")
)
def analyse_catch(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("try", "`catch` outside `try`")


@special_form("finally", "(finally body…)", "Only within `try`.", ("(try 1 (finally 2))", "1"))
def analyse_finally(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("try", "`finally` outside `try`")


@special_form(
    "new",
    "(new Class argument…)",
    "An error of a class, for `throw`; the same as `(Class. argument…)`.",
    ('(ex-message (new IllegalArgumentException "bad"))', '"bad"'),
    shadowable=True,
)
def analyse_new(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if form[1].__class__ is not Symbol:
        raise shape_error("new", '`new` names a class of errors: (new Exception "message")')
    return a.analyse_constructor(form[1].name, form.raw()[2:], scope)


@special_form(
    "throw",
    "(throw error)",
    "Raise an error: one that was caught, a map with :code :message :data, or a message.",
    ('(try (throw "no") (catch e (:message e)))', '"no"'),
)
def analyse_throw(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return Primitive(a.at, "throw", [a.analyse(form[1], scope)])


# ---------------------------------------------------------------------- code as data
@special_form("quote", "(quote form)", "The form itself, not evaluated.", ("(quote (a b))", "(a b)"), ("'x", "x"))
def analyse_quote(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return Const(a.at, form[1])


@special_form(
    "quasiquote",
    "(quasiquote form)",
    "A template: `~x` puts in a value, `~@xs` splices a sequence.",
    ("(let [x 2] `(1 ~x ~@[3 4]))", "(1 2 3 4)"),
)
def analyse_quasiquote(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return Template(a, scope, a.module.name).build(form[1])


@special_form("unquote", "(unquote form)", "Only within a quasiquote.", ("(let [x 1] `(~x))", "(1)"))
def analyse_unquote(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise CompileError("form/shape", "`~` outside a quasiquote", hint="write the template with a backquote: `(…)")


@special_form("unquote-splicing", "(unquote-splicing form)", "Only within a quasiquote.", ("`(~@[1 2])", "(1 2)"))
def analyse_unquote_splicing(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise CompileError("form/shape", "`~@` outside a quasiquote", hint="write the template with a backquote: `(…)")


@special_form(
    "macroexpand",
    "(macroexpand form)",
    "The form after expanding macros at its head.",
    ("(macroexpand '(inc 1))", "(inc 1)"),
    shadowable=True,
)
def analyse_macroexpand(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    return Primitive(a.at, "macroexpand", [Const(a.at, a.module.name), a.analyse(form[1], scope)])


@special_form(
    "defmacro",
    "(defmacro name doc? [params] body…)",
    "Define a macro: a pure function from forms to a form, run where it is called.",
    ("(defmacro unless [c x] `(if ~c nil ~x)) (unless false 5)", "5"),
)
def analyse_defmacro(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    items = form.raw()[1:]
    if items[0].__class__ is not Symbol:
        raise shape_error("defmacro", "`defmacro` names a symbol")
    rest = items[1:]
    if rest and rest[0].__class__ is str and len(rest) > 1:
        rest = rest[1:]
    name = binding_name(items[0])
    a.environment.define_macro(a, name, List([Symbol("fn"), *rest]).with_info(form.info))
    return Const(a.at, None)
