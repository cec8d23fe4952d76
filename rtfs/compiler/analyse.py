"""Analysis without code generation: a whole text as analysed forms, and everything that is wrong with it.

Knows nothing of running: macros expand as in every compilation, purely and within one budget, and the definitions that
they use are compiled only when they do. Invariant: a broken form hides nothing of the rest; what a program contains
never raises, it is reported.
"""

from __future__ import annotations

from rtfs.compiler.codegen.generator import generate
from rtfs.compiler.compile import COMPILE_RECURSION
from rtfs.compiler.gate import AnalysedForm
from rtfs.compiler.module import function_of
from rtfs.compiler.recursion_limit import raise_limit, restore_limit
from rtfs.compiler.toplevel import UnitCompiler
from rtfs.compiler.units import disk_cache
from rtfs.syntax.reader import read_tolerantly
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.nodes import Node
    from rtfs.compiler.environment import Environment
    from rtfs.compiler.forms.plan import PlanHead
    from rtfs.compiler.units.unit import Unit, UnitBuilder
    from rtfs.source import Source


class AnalysedProgram:
    """forms: in the order in which they run, imported modules and the functions of macros included. errors: in the
    order of their places, each with its span. undefined: the errors of names that nothing defines; the caller says
    whether they are wrong. environment: what names, types and macros mean after the text. plan: its `plan` form as
    data, or None."""

    __slots__ = ("environment", "errors", "forms", "plan", "undefined", "unit")

    def __init__(self, unit: Unit, environment: Environment) -> None:
        self.unit = unit
        self.environment = environment
        self.forms: list[AnalysedForm] = []
        self.errors: list[UserError] = []
        self.undefined: list[UserError] = []
        self.plan: PlanHead | None = None


class PendingForm:
    """A form that only a macro may need: its code is generated when one does."""

    __slots__ = ("analyser", "names", "node")

    def __init__(self, analyser: Analyser, node: Node) -> None:
        self.analyser = analyser
        self.node = node
        self.names = analyser.names

    def bind(self, namespace: dict[str, Any]) -> Callable[[], Any]:
        return function_of(generate(self.analyser, self.node, self.names), namespace)


def analyse_source(source: Source, environment: Environment, module: str = "user") -> AnalysedProgram:
    """Analyse a text as `compile_source` would compile it into `module`, without stopping at the first error.

    Reads what can be read (a top-level form with a reader error is left out), expands macros, resolves names, checks
    shapes and type expressions. A list form that is wrong becomes `nodes.Broken`, the forms around and after it are
    analysed. The environment is not changed. Raises nothing for what a program contains; a text that uses up a limit
    (expansion, nesting, memory) has that as its last error.
    """
    environment = environment.snapshot()
    compiler = UnitCompiler(source, environment, disk_cache.key(source, environment.state, module), PendingForm)
    builder = compiler.builder
    program = AnalysedProgram(builder.unit, environment)
    builder.errors = errors = program.errors

    def observe(node: Node, analyser: Analyser) -> None:
        program.forms.append(analyser.analysed(node))

    environment.core_macros()  # compiled now, if they are: they are not the program's
    environment.observer = observe
    environment.expansions = None
    environment.units[builder.unit.filename] = builder.unit
    raise_limit(COMPILE_RECURSION)
    try:
        forms, faults = read_tolerantly(source)
        errors.extend(faults)
        compiler.compile(forms, environment.module(module))
    except UserError as error:
        errors.append(error)
    except RecursionError:
        errors.append(CompileError("limit/nesting", "the program is nested too deeply to be compiled"))
    except MemoryError:
        errors.append(CompileError("limit/memory", "compiling the program needs more memory than there is"))
    finally:
        restore_limit()
        environment.observer = None
    program.plan = _plan(builder)
    program.undefined = _undefined(builder, environment)
    _let_go(builder, environment)
    errors.sort(key=lambda error: (error.code.startswith("limit/"), error.span.start if error.span is not None else 0))
    return program


def _let_go(builder: UnitBuilder, environment: Environment) -> None:
    """Take apart what leads from an analysis back to it: without cycles it goes as soon as an editor has the next one,
    and Python's collector holds up no answer. Macros of the text keep what they need."""
    for step in builder.unit.steps:
        step.code = None
    own = list(builder.namespaces.values())
    builder.namespaces.clear()
    for namespace in own:
        early = namespace.module.early
        for name in [name for name, held in early.items() if held is namespace]:
            del early[name]


def _plan(builder: UnitBuilder) -> PlanHead | None:
    """The declaration of the source's plan; None without a plan, or if the form is wrong (which an error reports)."""
    if builder.plan is None:
        return None
    from rtfs.compiler.forms.plan import plan_head

    try:
        return plan_head(builder.plan)
    except CompileError:
        return None


def _undefined(builder: UnitBuilder, environment: Environment) -> list[UserError]:
    """The errors of the names that neither the text nor the environment defines."""
    from rtfs.compiler.analysis.undefined import is_known, undefined_errors

    if all(is_known(use.name, use.module, environment) for use in builder.uses):
        return []
    return list(undefined_errors(builder.uses, builder, environment))
