"""From source to unit: reads, analyses and generates, form by form, in the order of the text.

Knows nothing of running (macros run through the environment's `run`). Invariant: a form sees the macros, names and
types of the forms before it; nothing of the program runs while it is compiled.
"""

from __future__ import annotations

import os

from rtfs.compiler.environment import USER_MODULE, Environment
from rtfs.compiler.module import CORE_MODULE
from rtfs.compiler.recursion_limit import raise_limit, restore_limit
from rtfs.compiler.units import disk_cache
from rtfs.compiler.units.constants import decode
from rtfs.compiler.units.unit import Life, Unit
from rtfs.deferred import Deferred
from rtfs.source import Source
from rtfs.values.error import CompileError
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler import toplevel
    from rtfs.compiler.closures import form as closures
    from rtfs.compiler.gate import Gate
    from rtfs.compiler.units.unit import UnitBuilder
    from rtfs.flow.label import Label
    from rtfs.syntax import reader
else:  # a program that was compiled before needs none of them
    closures = Deferred("rtfs.compiler.closures.form")
    reader = Deferred("rtfs.syntax.reader")
    toplevel = Deferred("rtfs.compiler.toplevel")


EXECUTION = os.environ.get("RTFS_EXECUTION", "auto")
"""How code runs, for tests: `closures` for all texts of programs, `labelled` for closures with labels, `compiled` for
all, or `auto`: closures for those without a file."""

MAX_COLD_FRAMES = 400_000
LABELLED_FRAMES = 1_400_000

# Compiling a form takes a few Python frames for each level of nesting.
COMPILE_RECURSION = 600_000


class Program:
    """A compiled source in its environment; `rtfs.start` runs it."""

    __slots__ = ("environment", "module", "unit")

    def __init__(self, unit: Unit, environment: Environment, module: str) -> None:
        self.unit = unit
        self.environment = environment
        self.module = module


def compile_source(source: Source, environment: Environment, module: str = "user", gate: Gate | None = None) -> Program:
    """Compile a source as part of a module. gate: asked before the unit may run.

    Raises ReaderError for text that is not a form, CompileError for forms that are not a program, and what the
    gate raises.
    """
    key = disk_cache.key(source, environment.state, module)
    literal = carries_labels(source, environment)
    if literal is not None:
        key = disk_cache.chain_state(key, repr(literal).encode())
    kept = disk_cache.chain_state(key, environment.values) if environment.values else key
    unit = None
    cold = literal is not None or runs_cold(source)
    if environment.observer is None:
        unit = environment.recent.get(key) or (None if cold else disk_cache.load(kept, source))
    if unit is not None and unit.unresolved and not source.incremental:
        unit = None
    if unit is not None and unit.depends and not _depends_hold(unit, environment, source):
        unit = None
    if unit is not None and not _passes(unit, gate):
        unit = None
    if unit is None:
        unit = compile_unit(source, environment, module, key, gate, cold)
        if unit.life is None:
            disk_cache.save(kept, unit)
    elif unit.facts or unit.macros:
        load_macros(unit, environment)
    if environment.recent.changes(unit):
        imported = b"".join([digest for _, _, digest in unit.depends])
        environment.state = disk_cache.chain_state(environment.state, key + imported)
    elif unit.definitions:
        environment.values = disk_cache.chain_state(environment.values, key)
    if unit.macros and literal is not None:
        environment.macro_literal = literal
    if environment.units.get(unit.filename) is not unit:
        load(unit, environment)
    if not unit.tacit:
        environment.edition += 1
    environment.recent.add(key, unit, environment)
    return Program(unit, environment, module)


def compiled_before(source: Source, environment: Environment, gate: Gate | None = None) -> Program | None:
    """The program of a text that was compiled here or in a snapshot lately, that defines nothing and that the gate
    need not look at again; None for any other. Nothing runs, not even a macro."""
    if environment.observer is not None or source.incremental or carries_labels(source, environment) is not None:
        return None
    key = disk_cache.key(source, environment.state, USER_MODULE)
    unit = environment.recent.get(key)
    if unit is None or not unit.tacit or not _passes(unit, gate):
        return None
    if environment.units.get(unit.filename) is not unit:
        load(unit, environment)
        if unit.life is not None:
            _allow_frames(unit, environment)
    environment.recent.add(key, unit, environment)
    return Program(unit, environment, USER_MODULE)


def _passes(unit: Unit, gate: Gate | None) -> bool:
    """True if a gate let a unit pass before, and need not look at it again."""
    return gate is None or (unit.checked is not None and gate.holds(unit.checked))


def _allow_frames(unit: Unit, environment: Environment) -> None:
    """Allow the frames that the closures of a unit may take."""
    environment.cold_frames = min(environment.cold_frames + 20 * len(unit.spans), MAX_COLD_FRAMES)


def _depends_hold(unit: Unit, environment: Environment, source: Source) -> bool:
    """True if every module file that the unit imports is what it was; loads them on the way."""
    from rtfs.compiler import imports

    return imports.depends_hold(unit, environment, source)


def carries_labels(source: Source, environment: Environment) -> Label | None:
    """The label of the constants of a text whose code carries labels; None for code without."""
    if environment.literal is None and EXECUTION == "labelled" and not source.library:
        from rtfs.flow.label import OF_PLAN

        return OF_PLAN
    literal, others = environment.literal, environment.macro_literal
    if literal is None or others is None:
        return literal
    from rtfs.flow.label import join

    return join(literal, others)


def runs_cold(source: Source) -> bool:
    """True for a text that becomes closures: what no cache keeps is rarely run twice."""
    if EXECUTION == "auto":
        return source.name.startswith("<")
    return EXECUTION == "closures" and not source.library


def compile_unit(
    source: Source, environment: Environment, module: str, key: bytes, gate: Gate | None = None, cold: bool = False
) -> Unit:
    """Compile without looking into the cache. cold: forms become closures, not code; otherwise too, if CPython would
    take long to compile one."""
    if not cold:
        from rtfs.compiler.codegen.emitter import TooLarge

        try:
            return _compile_unit(source, environment, module, key, gate, cold)
        except TooLarge:
            pass
    return _compile_unit(source, environment, module, key, gate, True)


def _compile_unit(
    source: Source, environment: Environment, module: str, key: bytes, gate: Gate | None, cold: bool
) -> Unit:
    forms = reader.read_forms(source)
    environment.core_macros()  # loaded now: when one is looked up it would count as a change that this text made
    outer = environment.expansions
    literal = carries_labels(source, environment)
    if literal is not None:
        from rtfs.compiler.labelled.form import LabelledForm

        compiler = toplevel.UnitCompiler(
            source, environment, key, lambda analyser, node: LabelledForm(analyser, node, literal)
        )
    elif cold:
        compiler = toplevel.UnitCompiler(source, environment, key, closures.ColdForm)
    else:
        compiler = toplevel.UnitCompiler(source, environment, key)
    draft = compiler.builder.unit
    if cold or literal is not None:
        draft.life = Life()
    loaded = environment.units.get(draft.filename)
    environment.units[draft.filename] = draft  # errors in its macros have places
    outer_forms, environment.gathered = environment.gathered, None if gate is None else []
    raise_limit(COMPILE_RECURSION)
    before = environment.mark()
    environment.touch(module)
    try:
        unit = compiler.compile(forms, environment.module(module))
        _check_names(compiler.builder, environment)
        if gate is not None:
            unit.checked = gate.inspect(environment.gathered or [], environment, source)
    except RecursionError:
        environment.restore(before)
        raise CompileError("limit/nesting", "the program is nested too deeply to be compiled") from None
    except MemoryError:
        environment.restore(before)
        raise CompileError("limit/memory", "compiling the program needs more memory than there is") from None
    except BaseException:
        environment.restore(before)
        raise
    finally:
        compiler.builder.namespaces.clear()  # they lead back to it
        if loaded is None:
            environment.units.pop(draft.filename, None)
        else:
            environment.units[draft.filename] = loaded
        environment.unmark(before)
        environment.expansions = outer
        environment.gathered = outer_forms
        restore_limit()
    if literal is not None:
        environment.cold_frames = LABELLED_FRAMES
    elif cold:
        _allow_frames(unit, environment)
    unit.tells = environment.changed_since(before)
    return unit


def _check_names(builder: UnitBuilder, environment: Environment) -> None:
    """Raise the error for a name that nothing defines, the further ones in its `others`, unless more text follows."""
    if not builder.uses:
        return
    from rtfs.compiler.analysis.undefined import is_known, undefined_errors

    if all(is_known(use.name, use.module, environment) for use in builder.uses):
        return
    builder.unit.unresolved = True
    if not builder.unit.source.incremental:
        first, *others = undefined_errors(builder.uses, builder, environment)
        first.others = tuple(others)
        raise first


def load(unit: Unit, environment: Environment) -> None:
    """Make what a unit's code refers to: constants, keywords, types. Nothing runs."""
    environment.units[unit.filename] = unit
    for namespace in unit.namespaces:
        environment.use_namespace(namespace)
    used: set[str] = {step.module for step in unit.steps} | set(unit.definitions)
    for name in used:
        module = environment.module(name)
        module.defined.update(unit.definitions.get(name, ()))
        for keyword in unit.keywords:
            module.globals[":" + keyword] = Keyword(keyword)
    for name, constant, encoded in unit.constants:
        environment.module(name).globals[constant] = decode(encoded)
    if unit.types:
        for name, constant, encoded in unit.types:
            module = environment.module(name)
            module.globals[constant] = environment.check_type(decode(encoded), module)


def load_macros(unit: Unit, environment: Environment) -> None:
    """Make known what a cached unit defines at compile time: macros, types, exports, aliases."""
    from rtfs.compiler.imports import replay
    from rtfs.compiler.macros import restore_macros

    replay(unit, environment)
    restore_macros(unit, environment)


def load_core(environment: Environment) -> None:
    """The macros of stdlib/core.rtfs."""
    from rtfs.syntax.resources import resource_text

    source = Source(resource_text("stdlib/core.rtfs"), "stdlib/core.rtfs")
    key = disk_cache.key(source, b"core", CORE_MODULE)
    unit = disk_cache.load(key, source)
    if unit is None:
        unit = compile_unit(source, environment, CORE_MODULE, key)
        disk_cache.save(key, unit)
    else:
        load_macros(unit, environment)
    load(unit, environment)
