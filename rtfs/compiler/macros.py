"""The definitions visible to macros while they run: those before them, evaluated when first used.

Knows nothing of how a macro is called. Invariant: for its macros, only the definitions that they use are run, each at
most once per compilation, through the environment's `run`: purely and within limits.
"""

from __future__ import annotations

from rtfs.compiler.mangling import global_name
from rtfs.compiler.module import Macro, Module, function_of
from rtfs.compiler.units.constants import decode
from rtfs.compiler.units.unit import STANDARD
from rtfs.values import Keyword
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.environment import Environment
    from rtfs.compiler.units.unit import Unit

    Run = Callable[[Any, list[Any]], Any]


class ExpansionNamespace(dict):  # type: ignore[type-arg]
    """Globals of a unit's macros: its definitions that come before a macro's call are evaluated when a macro first
    uses them, everything else is looked up in the module. `pooled` returns the unit's constants."""

    def __init__(self, module: Module, environment: Environment, pooled: Callable[[str], Any]) -> None:
        super().__init__({"__builtins__": environment.core})
        self.module = module
        self.environment = environment
        self.pooled = pooled
        self.pending: dict[str, tuple[CodeType, Run]] = {}

    def remember(self, name: str, code: CodeType, run: Run) -> None:
        """Let macros use a definition that comes before them: it is evaluated when one first does."""
        key = global_name(name)
        earlier = self.module.early.get(key, self)
        earlier.pop(key, None)
        earlier.pending.pop(key, None)
        self.pop(key, None)
        self.pending[key] = code, run
        self.module.early[key] = self

    def __missing__(self, name: str) -> Any:
        if name == " ticks":
            return self.environment.core[name]  # another one in each machine, so it is not kept
        pending = self.pending.pop(name, None)
        if pending is not None:
            code, run = pending
            self[name] = value = run(function_of(code, self), [])
            return value
        first = name[0]
        if first == ":":
            self[name] = keyword = Keyword(name[1:])
            return keyword
        if first == " " and name[1] in "ct" and name[2:3].isalnum() and "." in name:
            self[name] = constant = self.pooled(name)
            return constant
        try:
            return self.environment.early(self.module, name, self)
        except KeyError:
            value = self.environment.core[name]
        self[name] = value
        return value


def compile_macro(analyser: Analyser, name: str, form: Any) -> None:
    """Compile a macro's function from its `fn` form."""
    from rtfs.compiler.analysis.scope import Scope
    from rtfs.compiler.codegen.generator import generate

    names, analyser.names = analyser.names, type(analyser.names)()
    try:
        node = analyser.analyse(form, Scope(None))
        analyser.environment.note(node, analyser)
        code = generate(analyser, node)
    finally:
        analyser.names = names
    module = analyser.module
    analyser.unit.unit.macros.append((module.name, name, code))
    module.defined.discard(name)
    module.macros[name] = Macro(name, module, code, namespace_of(analyser))


def namespace_of(analyser: Analyser) -> ExpansionNamespace:
    """The globals that macros of the module have while the unit is compiled."""
    unit, module = analyser.unit, analyser.module
    found = unit.namespaces.get(module.name)
    if found is None:
        found = ExpansionNamespace(module, analyser.environment, lambda name: pooled(unit.unit, name, analyser))
        unit.namespaces[module.name] = found
    return found


def pooled(unit: Unit, name: str, analyser: Analyser) -> Any:
    """A constant or type of a unit that is not loaded yet."""
    for _, one, encoded in unit.constants:
        if one == name:
            return decode(encoded)
    for module, one, encoded in unit.types:
        if one == name:
            return analyser.environment.check_type(decode(encoded), analyser.environment.module(module))
    raise KeyError(name)


def restore_macros(unit: Unit, environment: Environment) -> None:
    """Define the macros of a unit that comes from the cache, and let macros use its definitions."""
    namespaces: dict[str, ExpansionNamespace] = {}

    def namespace_in(module: Module) -> ExpansionNamespace:
        found = namespaces.get(module.name)
        if found is None:
            found = namespaces[module.name] = ExpansionNamespace(module, environment, module.globals.__getitem__)
        return found

    for step in unit.steps:
        if step.code is not None and step.details is not None:
            namespace_in(environment.module(step.module)).remember(step.details, step.code, environment.run)
    for name, macro, code in unit.macros:
        module = environment.module(name)
        module.macros[macro] = Macro(macro, module, code, namespace_in(module))


# ---------------------------------------------------------------------- errors
_TAKES = "`fn` takes "
_PARAMETERS = "the function takes ["


def expansion_error(macro: Macro, error: UserError) -> CompileError:
    """The error of a use of `macro` whose expansion failed with `error`; its place is still to be set."""
    name, message, hint = macro.name, error.message, error.hint
    called = error.code == "arity" and error.span is None and message.startswith(_TAKES)
    if called:
        message = f"`{name}` takes {message.removeprefix(_TAKES)}"
        if hint is not None and hint.startswith(_PARAMETERS):
            hint = f"write ({' '.join((name, hint.removeprefix(_PARAMETERS)[:-1])).strip()})"
    if macro.module.name in STANDARD:
        example = _example(name)
        return CompileError("form/shape", message, hint=hint if example is None else f"for example {example}")
    if called:
        notes = tuple([(f"`{name}` is defined here", span) for _, span in error.notes])
        made = CompileError("macro/expansion", message, hint=hint, notes=notes)
    else:
        notes = ((f"in the macro `{name}`", error.span),) if error.span is not None else ()
        message = f"expanding `{name}` failed: {message}"
        made = CompileError("macro/expansion", message, hint=hint, data=error.data, notes=notes + error.notes)
    return made


def _example(name: str) -> str | None:
    """The shortest of the examples above the definition of a macro of the standard library."""
    from rtfs.syntax.resources import resource_text

    before, found, _ = resource_text("stdlib/core.rtfs").partition(f"\n(defmacro {name}\n")
    if not found:
        return None
    examples: list[str] = []
    for line in reversed(before.split("\n")):
        if not line.startswith(";; ("):
            break
        examples.append(line.removeprefix(";; ").partition(" => ")[0])
    return min((one for one in examples if " " in one), key=len, default=None)
