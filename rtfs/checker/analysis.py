"""What is known of a text before it runs: `analyse` and the `Analysis` that it gives.

Must not run anything of the program (macros expand, as in every compilation) and knows no policy. Invariant: `analyse`
never raises for what a program contains.
"""

from __future__ import annotations

import rtfs.checker.calls
import rtfs.checker.control
import rtfs.checker.invocations  # noqa: F401 - importing these modules declares what infers each class of nodes
from rtfs.checker import lints
from rtfs.checker.diagnostics import ERROR, WARNING, Diagnostic, of_error
from rtfs.checker.facts import ANY, Fact, kinds
from rtfs.checker.functions import Function, Parameters
from rtfs.checker.inference import Exhausted, Inference
from rtfs.checker.report import Analysis
from rtfs.compiler.analyse import AnalysedProgram, analyse_source
from rtfs.compiler.analysis import nodes
from rtfs.compiler.compile import COMPILE_RECURSION
from rtfs.compiler.recursion_limit import raise_limit, restore_limit
from rtfs.values.error import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.checker.calls import Capability
    from rtfs.compiler import Environment
    from rtfs.compiler.gate import AnalysedForm
    from rtfs.source import Source, Span


def analyse(
    source: Source,
    environment: Environment,
    capability: Callable[[str], Capability | None],
) -> Analysis:
    """Analyse a text.

    environment   what names, macros and types mean; it is not changed
    capability    given an id, what is declared of it; None: nothing is known and nothing is said

    A name that nothing defines is a warning if more text may follow (`source.incremental`).
    """
    program = analyse_source(source, environment)
    return check_program(program, source, capability)


def check_program(
    program: AnalysedProgram,
    source: Source,
    capability: Callable[[str], Capability | None],
) -> Analysis:
    """The findings about a program whose forms were analysed."""
    found = Analysis(source)
    found.forms = program.forms
    found.diagnostics += [of_error(error) for error in program.errors]
    check_forms(found, program.forms, program.environment, capability)
    severity = WARNING if source.incremental else ERROR
    if not any(error.code.startswith("reader/") for error in program.errors):
        found.diagnostics += [of_error(error, severity) for error in program.undefined]
    found.diagnostics.sort(key=_order)
    return found


def check_forms(
    found: Analysis,
    forms: Iterable[AnalysedForm],
    environment: Environment,
    capability: Callable[[str], Capability | None],
) -> None:
    """Infer what the forms can be, and add the findings."""
    forms = list(forms)
    declared = _declared(forms)

    def lookup(id: str) -> Capability | None:
        if id in declared:
            return declared[id]
        return capability(id)

    spans: Any = None
    resolver: dict[str, Callable[[Any], Any]] = {}

    def span_at(at: int) -> Span | None:
        return spans(at) if at else None

    inference = Inference(span_at, lookup, lambda form: resolver["here"](form))
    _predefine(inference, forms, environment)
    raise_limit(COMPILE_RECURSION)
    try:
        for form in forms:
            if form.unit.filename.startswith("stdlib"):
                continue
            spans = form.unit.span
            resolver["here"] = _resolver(environment, form.module)
            inference.infer(form.node)
            found._facts += [
                (place, fact) for at, fact in inference.facts.items() if (place := span_at(at)) is not None
            ]
            inference.facts.clear()
            lints.form(found, form, form is forms[-1])
    except Exhausted:
        found.complete = False
    except RecursionError:
        found.complete = False
    finally:
        restore_limit()
    found.calls += inference.calls
    found.diagnostics += inference.diagnostics()


def _resolver(environment: Environment, module: str) -> Callable[[Any], Any]:
    def resolve(form: Any) -> Any:
        try:
            return environment.check_type(form, environment.module(module))
        except UserError:
            return None

    return resolve


def _predefine(inference: Inference, forms: list[AnalysedForm], environment: Environment) -> None:
    """Functions that the text defines once are known to all of it; names that it defines otherwise are not."""
    seen: dict[str, int] = {}
    for form in forms:
        for node in nodes.walk(form.node):
            if isinstance(node, nodes.Def):
                seen[node.name] = seen.get(node.name, 0) + 1
    for form in forms:
        node = form.node
        if isinstance(node, nodes.Def) and seen[node.name] == 1 and isinstance(node.value, nodes.Fn):
            inference.globals[node.name] = _function_fact(inference, node.value, node.name, form)
        elif isinstance(node, nodes.Def):
            inference.globals[node.name] = ANY if seen[node.name] > 1 else Fact(None)
    for name, value in environment.module("user").globals.items():
        if name not in seen and callable(value) and hasattr(value, "__code__"):
            known = _compiled_function(name, value)
            if known is not None:
                inference.globals.setdefault(name, known)


def _function_fact(inference: Inference, fn: nodes.Fn, name: str, form: AnalysedForm) -> Fact:
    lists = []
    for arity in fn.arities:
        names = tuple([one.name for one in arity.params if not one.name.endswith("&")])
        lists.append(Parameters(names, arity.rest is not None))
    span = form.unit.span(fn.at) if fn.at else None
    function = inference.functions[id(fn)] = Function(name, lists, span)
    return Fact(kinds("function"), function=function)


def _compiled_function(name: str, value: Any) -> Fact | None:
    """What the code of a function that was defined before says: how many arguments it takes."""
    from rtfs.compiler.mangling import plain_name

    code = value.__code__
    if code.co_flags & 0x04 or value.__defaults__:
        return None
    names = tuple([plain_name(one) for one in code.co_varnames[: code.co_argcount]])
    function = Function(plain_name(name) or name, [Parameters(names, False)])
    return Fact(kinds("function"), function=function)


def _declared(forms: list[AnalysedForm]) -> dict[str, Capability]:
    """What the `(capability …)` forms of the text declare."""
    from rtfs.checker.calls import Capability

    found: dict[str, Capability] = {}
    for form in forms:
        for node in nodes.walk(form.node):
            if isinstance(node, nodes.HostRequest) and node.kind == "capability" and isinstance(node.id, nodes.Const):
                found[str(node.id.value)] = Capability(str(node.id.value))
    return found


def _order(one: Diagnostic) -> tuple[int, int]:
    span = one.span
    start = -1 if span is None else span.start
    return (start, 0 if one.severity == ERROR else 1)
