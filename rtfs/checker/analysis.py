"""Static analysis of a text: `analyse`, and the `Analysis` that it returns.

Must not run anything of the program (macros expand, as in every compilation) and knows no policy. Invariant: `analyse`
never raises for what a program contains.
"""

from __future__ import annotations

import rtfs.checker.function_calls  # noqa: F401 - like calls and control, it declares what infers nodes
from rtfs.checker import lints
from rtfs.checker.capability_calls import Capability
from rtfs.checker.control import fact_of_function
from rtfs.checker.diagnostics import ERROR, WARNING, Diagnostic, of_error
from rtfs.checker.facts import ANY, Fact, kinds
from rtfs.checker.fixes import fix_of
from rtfs.checker.functions import Function, Parameters
from rtfs.checker.inference import Exhausted, Inference
from rtfs.checker.plans import declared_plan
from rtfs.checker.report import Analysis
from rtfs.compiler.analyse import AnalysedProgram, analyse_source
from rtfs.compiler.analysis import nodes
from rtfs.compiler.compile import COMPILE_RECURSION
from rtfs.compiler.mangling import global_name, plain_name
from rtfs.compiler.recursion_limit import raise_limit, restore_limit
from rtfs.machine.errors.arity import CO_VARARGS
from rtfs.values.error import UserError
from rtfs.values.step_account import paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler import Environment
    from rtfs.compiler.gate import AnalysedForm
    from rtfs.source import Source


_FUNCTION = kinds("function")


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
    found.plan = declared_plan(program)
    found.modules = program.unit.facts
    found.diagnostics += [of_error(error) for error in program.errors]
    raise_limit(COMPILE_RECURSION)
    try:
        check_forms(found, program.forms, program.environment, capability)
    finally:
        restore_limit()
    severity = WARNING if source.incremental else ERROR
    if not any(error.code.startswith("reader/") for error in program.errors):
        found.diagnostics += [of_error(error, severity) for error in program.undefined]
    found.diagnostics = [one for one in found.diagnostics if one.is_error or not lints.is_ignored(one)]
    found.diagnostics.sort(key=_order)
    for one in found.diagnostics:
        one.fix = fix_of(one)
    return found


def check_run(
    forms: list[AnalysedForm], environment: Environment, source: Source, capability: Callable[[str], Capability | None]
) -> Analysis:
    """The findings about the forms of a text that keep it from running."""
    found = Analysis(source)
    check_forms(found, forms, environment, capability, detailed=False)
    return found


def check_forms(
    found: Analysis,
    forms: list[AnalysedForm],
    environment: Environment,
    capability: Callable[[str], Capability | None],
    detailed: bool = True,
) -> None:
    """Infer what the forms can be, and add the findings; within the limit of Python's recursion that compiling has.
    detailed: also those that are only warnings about names and shapes, and what is known at each place; a run does not
    ask for them."""
    declared: set[str] = set()
    known: dict[str, Capability | None] = {}

    def declaration(id: str) -> Capability | None:
        if id not in known:
            known[id] = Capability(id) if id in declared else capability(id)
        return known[id]

    inference = Inference(declaration, lambda name: _defined_before(environment, name), detailed)
    _predefine(inference, forms, declared)
    try:
        for form in forms:
            if form.unit.filename.startswith("stdlib"):
                continue
            span_of = form.unit.span
            inference.span_at = span_of
            inference.resolve = _resolver(environment, form.module)
            inference.infer(form.node)
            if detailed:
                found._facts += [
                    (place, fact) for at, fact in inference.facts.items() if (place := span_of(at)) is not None
                ]
                inference.facts.clear()
                lints.form(found, form, form is forms[-1])
    except (Exhausted, RecursionError):
        found.complete = False
    found.calls += inference.calls
    found.diagnostics += inference.diagnostics()


def _resolver(environment: Environment, module: str) -> Callable[[Any], Any]:
    def resolve(form: Any) -> Any:
        try:
            return environment.check_type(form, environment.module(module))
        except UserError:
            return None

    return resolve


def _predefine(inference: Inference, forms: list[AnalysedForm], declared: set[str]) -> None:
    """Functions that the text defines once are known to all of it; names that it defines otherwise are not. declared:
    takes the ids of its `(capability …)` forms."""
    seen: dict[str, int] = {}
    for form in forms:
        for node in form.declared:
            if isinstance(node, nodes.Def):
                seen[node.name] = seen.get(node.name, 0) + 1
            elif isinstance(node, nodes.HostRequest) and node.kind == "capability" and isinstance(node.id, nodes.Const):
                declared.add(str(node.id.value))
    for name in seen:
        inference.globals[name] = ANY
    for form in paced(forms):
        node = form.node
        if not isinstance(node, nodes.Def) or seen[node.name] > 1:
            continue
        if isinstance(node.value, nodes.Fn):
            place = form.unit.span, node.value.at
            inference.globals[node.name] = fact_of_function(inference, node.value, node.name, place)
        else:
            inference.globals[node.name] = Fact(None)  # nothing is known of it until it is evaluated


def _defined_before(environment: Environment, name: str) -> Fact:
    """The arity of a function that an earlier text defined, read from its code."""
    value = environment.module("user").globals.get(global_name(name))
    code = getattr(value, "__code__", None)
    if value is None or code is None or code.co_flags & CO_VARARGS or value.__defaults__:
        return ANY
    names = tuple([plain_name(one) for one in code.co_varnames[: code.co_argcount]])
    return Fact(_FUNCTION, function=Function(name, [Parameters(names, False)]))


def _order(one: Diagnostic) -> tuple[int, int]:
    span = one.span
    start = -1 if span is None else span.start
    return (start, 0 if one.severity == ERROR else 1)
