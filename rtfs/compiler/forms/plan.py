"""The special form that declares a plan: its name, what it is for, its parameters and its result.

Knows nothing of the callers that pass parameters: they arrive in the run's context under `GIVEN`. Invariants: a file
has one `plan`, as its last form, and its other top-level forms only define; a parameter has been checked against its
type before the body begins.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.annotations import ABSENT
from rtfs.compiler.analysis.destructure import head_name
from rtfs.compiler.analysis.nodes import Const, HostRequest, Local, Node, Primitive
from rtfs.compiler.analysis.scope import Scope
from rtfs.compiler.analysis.special_forms import shape_error, special_form
from rtfs.compiler.forms.binding import cast
from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser

GIVEN = "plan-parameters"
"""The context value that holds the given parameters, as a map; nil: none were given."""
DEFINING = frozenset(
    (
        *("capability", "def", "defmacro", "defn", "defn-", "deftype", "do", "export", "import", "module", "ns"),
        *("require", "use"),
    )
)
"""The forms, after macros are expanded, that may appear beside a `plan`."""
_OPTIONS = ("params", "result")


class Parameter:
    """A declared parameter. name; type: a type expression; default: the value where none is given, or ABSENT; text:
    what it is for, or ""."""

    __slots__ = ("default", "form", "name", "text", "type")

    def __init__(self, name: str, type: Any, default: Any, text: str, form: Any) -> None:
        self.name = name
        self.type = type
        self.default = default
        self.text = text
        self.form = form


class PlanHead:
    """The declaration in a `plan` form. result: a type expression, or ABSENT. body: the forms after the head."""

    __slots__ = ("body", "name", "parameters", "result", "text")

    def __init__(self, name: str, text: str, parameters: list[Parameter], result: Any, body: list[Any]) -> None:
        self.name = name
        self.text = text
        self.parameters = parameters
        self.result = result
        self.body = body


def plan_head(form: Any) -> PlanHead:
    """Read a `plan` form as data. Raises CompileError `form/shape`."""
    items = form.to_list()[1:]
    if not items or items[0].__class__ is not str or not items[0].strip():
        raise shape_error("plan", "a plan begins with its name, a string")
    name, rest = items[0], items[1:]
    text = rest.pop(0) if len(rest) > 1 and rest[0].__class__ is str else ""
    options = rest.pop(0) if len(rest) > 1 and rest[0].__class__ is Map else Map()
    if not rest:
        raise shape_error("plan", f'the plan "{name}" has no body')
    for key in options.keys():  # noqa: SIM118
        if key.__class__ is not Keyword or key.name not in _OPTIONS:
            raise shape_error("plan", f"a plan has :params and :result, not {key}")
    declared = options.get(Keyword("params"), Map())
    if declared.__class__ is not Map:
        raise shape_error("plan", "`:params` is a map of names and types: {:repo :string, :limit [:int :default 20]}")
    parameters = [_parameter(key, value) for key, value in declared.items()]
    return PlanHead(name, text, parameters, options.get(Keyword("result"), ABSENT), rest)


def _parameter(key: Any, form: Any) -> Parameter:
    """A parameter as `:name T`, `:name [T :default value]` or `:name [T :doc "text"]`."""
    if key.__class__ is not Keyword or "/" in key.name:
        raise shape_error("plan", f"a parameter is named by a keyword without `/`, not {key}")
    type_form, text = form, ""
    default: Any = ABSENT
    if form.__class__ is Vector and len(form) % 2 and len(form) > 2 and _names_option(form):
        type_form = form[0]
        for option, value in zip(form[1::2], form[2::2], strict=True):
            if option is Keyword("default"):
                default = value
            elif option is Keyword("doc") and value.__class__ is str:
                text = value
            else:
                raise shape_error("plan", f'parameter {key.name}: [T :default value :doc "text"]')
    if default is ABSENT and type_form.__class__ in (Keyword, Symbol) and type_form.name.endswith("?"):
        default = None
    return Parameter(key.name, type_form, default, text, form)


def _names_option(form: Any) -> bool:
    """Whether a vector is a type with options; `[:enum :default :other]` is a type."""
    return form[1] in (Keyword("default"), Keyword("doc")) and form[0] not in (Keyword("enum"), Keyword("val"))


@special_form(
    "plan",
    "(plan name text? options? body…)",
    "Declare what a file does: `:params` are locals of the body, with types and defaults; `:result` is its type.",
    ('(plan "double" "Double a number" {:params {:n [:int :default 21]} :result :int} (* 2 n))', "42"),
    shadowable=True,
)
def analyse_plan(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if form is not a.unit.plan:
        raise shape_error("plan", "`plan` is a form of the top level, the last of its file")
    head = plan_head(form)
    at = a.at
    scope.function.ticks = True
    names = Vector([one.name for one in head.parameters])
    defaults = Map([(Keyword(one.name), one.default) for one in head.parameters if one.default is not ABSENT])
    given = a.fresh("parameters", scope)
    request = HostRequest(at, "context", Const(at, GIVEN), [])
    bindings: list[tuple[nodes.Binding, Node]] = [
        (
            given,
            Primitive(at, "plan_parameters", [Const(at, head.name), request, Const(at, names), Const(at, defaults)]),
        )
    ]
    inner = Scope(scope)
    for one in head.parameters:
        value = Primitive(at, "pattern_get", [Local(at, given), Const(at, Keyword(one.name))])
        checked = cast(a, value, one.type, f"parameter {one.name}")
        _check_default(a, one)
        bindings.append((a.bind(one.name, inner), checked))
    body = cast(a, a.body(head.body, inner), head.result, f'the result of the plan "{head.name}"')
    return nodes.Let(at, bindings, body)


def _check_default(a: Analyser, one: Parameter) -> None:
    if one.default is ABSENT:
        return
    try:
        a.environment.check_type(one.type, a.module).check(one.default, f"the default of {one.name}")
    except UserError as error:
        raise a.error(CompileError(error.code, error.message, data=error.data), one.form) from None


def after_plan(form: Any) -> CompileError:
    """The error of a form that comes after the `plan` of a file."""
    message = "a second `plan`" if head_name(form) == "plan" else "a form after `plan`"
    return CompileError("form/shape", f"{message}: a file has one plan, as its last form")


def acts(form: Any, head: str) -> bool:
    """Whether a top-level form, macros expanded, does something, so that it may not appear beside a `plan`. head: the
    name of the symbol that it begins with, or ""."""
    return head not in DEFINING and form.__class__ is List and len(form) > 0


def acting_beside_plan() -> CompileError:
    """The error of a form in a file with a `plan` that does something."""
    return CompileError(
        "form/shape",
        "this form is not a definition: a file with a `plan` has only definitions besides it",
        hint="move it into the body of the plan",
    )
