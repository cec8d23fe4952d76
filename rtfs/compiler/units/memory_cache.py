"""The units lately run in one environment: what is run again and again is compiled once.

Knows nothing of compiling or of the disk. Invariant: a unit is forgotten altogether only if no function can outlive
its run, and not while it runs or somebody has its program; of any other, the places and constants stay as long as the
environment.

An environment and its snapshots share what any of them has compiled: a key says everything that a unit depends on, and
a unit holds nothing of the environment that it was compiled in.
"""

from __future__ import annotations

from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.environment import Environment
    from rtfs.compiler.units.unit import Unit

CAPACITY = 256

# Units looked at when one is added: with two, units in use push the number beyond twice theirs at most.
LOOKED_AT = 2


class RecentUnits:
    """Units by key, the least recently used forgotten first. `_shared`: what the environment and its snapshots have
    compiled."""

    def __init__(self, shared: dict[bytes, Unit] | None = None) -> None:
        self._units: dict[bytes, Unit] = {}
        self._shared: dict[bytes, Unit] = {} if shared is None else shared
        self._told: tuple[Any, ...] | None = None

    def get(self, key: bytes) -> Unit | None:
        """The unit of a key, if it was used lately here or in a snapshot."""
        unit = self._units.pop(key, None)
        if unit is None:
            return self._shared.get(key)
        self._units[key] = unit
        return unit

    def add(self, key: bytes, unit: Unit, environment: Environment) -> None:
        """Keep a unit; whatever is beyond the capacity and not in use is forgotten."""
        self._units[key] = unit
        shared = self._shared
        if shared.get(key) is not unit:
            shared[key] = unit
            if len(shared) > CAPACITY:
                shared.pop(next(iter(shared)), None)
        for _ in range(LOOKED_AT):
            if len(self._units) > CAPACITY:
                self._forget(next(iter(self._units)), environment)

    def _forget(self, key: bytes, environment: Environment) -> None:
        """Forget a unit; if somebody else has it, keep it as one just used."""
        unit = self._units.pop(key)
        self._shared.pop(key, None)
        if _outlives_its_run(unit):
            return
        filename, names = unit.filename, [*unit.installed, *(one[:2] for one in (*unit.constants, *unit.types))]
        environment.units.pop(filename, None)
        held = ref(unit)
        del unit
        still = held()
        if still is not None:
            self._units[key] = environment.units[filename] = still
            return
        for module, constant in names:
            environment.module(module).globals.pop(constant, None)

    def changes(self, unit: Unit) -> bool:
        """True unless compiling after this unit is as it was before it: the unit tells the environment nothing new, or
        only what the last unit that did change it, the same text, told."""
        if not unit.tells:
            return False
        told = (unit.source.text, unit.definitions, unit.facts, [macro[:2] for macro in unit.macros], unit.depends)
        if told == self._told:
            return False
        self._told = told
        return True

    def copy(self) -> RecentUnits:
        """The same units, to go on separately; what either compiles the other finds."""
        made = RecentUnits(self._shared)
        made._units, made._told = dict(self._units), self._told
        return made


def _outlives_its_run(unit: Unit) -> bool:
    """True if a function made by the unit may be called after it has run."""
    if unit.definitions or unit.macros or unit.depends:
        return True
    code = type(_outlives_its_run.__code__)
    for step in unit.steps:
        if step.code is None:
            continue
        if step.code.__class__ is not code:
            if step.code.makes_functions:
                return True
            continue
        for form in step.code.co_consts:
            if isinstance(form, code) and any(isinstance(inner, code) for inner in form.co_consts):
                return True
    return False
