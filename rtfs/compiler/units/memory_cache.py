"""The units lately run in one environment: what is run again and again is compiled once.

Knows nothing of compiling or of the disk. Invariant: a unit is forgotten altogether only when no function of it is
left, and not while it runs or a program holds it; until then its places and constants stay.

Most texts of an agent are run once. A text moves to the units that are kept long when it is run again; those run once
make room for one another soon, so that a thousand plans leave no more behind than the last few. Large units, which may
be a million objects, have a room of their own, where the oldest go first: they drive out no others, and one that was
run once does not stay. The keys of those that made room are remembered: of a hundred texts that take turns each is
compiled twice, not always.

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
"""Units that were run again."""
ONCE = 8
"""Units that were run once."""
REMEMBERED = 1024
"""Keys of units that were run once and made room."""

LARGE = 10_000
"""The weight from which on a unit counts as large: some 400 short functions, 25,000 objects."""
ONCE_ROOM, AGAIN_ROOM = 100_000, 1_000_000
"""What the large units weigh in all, at most, of those run once and of those run again."""

# Units looked at when one is added: with two, units in use push the number beyond twice theirs at most.
LOOKED_AT = 2


class Shelf:
    """Units by key, the least recently used first. again: those that were looked for once they were here. once: the
    others. before: the keys of those that were among `once`. large: the weights of the large units of both."""

    __slots__ = ("again", "before", "large", "once")

    def __init__(self) -> None:
        self.again: dict[bytes, Unit] = {}
        self.once: dict[bytes, Unit] = {}
        self.before: dict[bytes, None] = {}
        self.large: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.again) + len(self.once)

    def get(self, key: bytes) -> Unit | None:
        """The unit of a key, which has been used again by this; None if there is none."""
        unit = self.again.pop(key, None) or self.once.pop(key, None)
        if unit is not None:
            self.again[key] = unit
            if key in self.large:
                self.weigh(key, unit)
        return unit

    def add(self, key: bytes, unit: Unit) -> None:
        """Take in a unit, or another one for its key."""
        if key in self.again or key in self.before:
            self.once.pop(key, None)
            self.again[key] = unit
        else:
            self.once[key] = unit
        self.weigh(key, unit)

    def weigh(self, key: bytes, unit: Unit) -> None:
        """Note the weight of a unit that is here, if it is large."""
        weight = len(unit.spans)
        if weight >= LARGE:
            self.large.pop(key, None)
            self.large[key] = weight

    def excess(self, newest: bytes | None = None) -> bytes | None:
        """The key of the unit that has to make room next; None if there is room. newest: the key of a large unit that
        stays, as it is about to run."""
        if len(self.once) > ONCE:
            return next(iter(self.once))
        if len(self.again) > CAPACITY:
            return next(iter(self.again))
        if self.large:
            for units, room in ((self.once, ONCE_ROOM), (self.again, AGAIN_ROOM)):
                large = [(key, weight) for key, weight in [*self.large.items()] if key in units]
                if sum(weight for _, weight in large) > room:
                    for key, _ in large:
                        if key != newest:
                            return key
        return None

    def pop(self, key: bytes) -> Unit | None:
        """Take a unit out."""
        self.large.pop(key, None)
        unit = self.once.pop(key, None)
        if unit is None:
            return self.again.pop(key, None)
        before = self.before
        before[key] = None
        if len(before) > REMEMBERED:
            del before[next(iter(before))]
        return unit

    def copy(self) -> Shelf:
        """A shelf with the same units, and the same memory of what made room."""
        made = Shelf()
        made.again, made.once, made.before = self.again.copy(), self.once.copy(), self.before
        made.large = self.large.copy()
        return made


class RecentUnits:
    """The units of one environment. `_shared`: what the environment and its snapshots have compiled."""

    def __init__(self, shared: Shelf | None = None) -> None:
        self._units = Shelf()
        self._shared = Shelf() if shared is None else shared
        self._told: tuple[Any, ...] | None = None

    def get(self, key: bytes) -> Unit | None:
        """The unit of a key, if it was used lately here or in a snapshot."""
        shared = self._shared.get(key)
        return self._units.get(key) or shared

    def add(self, key: bytes, unit: Unit, environment: Environment) -> None:
        """Keep a unit; what has no room any more is forgotten unless it is in use."""
        self._units.add(key, unit)
        shared = self._shared
        shared.add(key, unit)
        for _ in range(LOOKED_AT):
            excess = shared.excess()
            if excess is not None:
                shared.pop(excess)
            excess = self._units.excess(key)
            if excess is not None:
                self._forget(excess, environment)

    def _forget(self, key: bytes, environment: Environment) -> None:
        """Forget a unit; if a program holds generated code of it, keep it as one just used."""
        unit = self._units.pop(key)
        assert unit is not None
        self._shared.pop(key)
        if unit.life is not None and not unit.macros and not unit.depends:
            environment.outlive(unit)
            return
        if _outlives_its_run(unit):
            return
        filename, names = unit.filename, [*unit.installed, *(one[:2] for one in (*unit.constants, *unit.types))]
        environment.units.pop(filename, None)
        held = ref(unit)
        del unit
        still = held()
        if still is not None:
            self._units.again[key] = environment.units[filename] = still
            self._units.weigh(key, still)
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
        made._units, made._told = self._units.copy(), self._told
        return made


def _outlives_its_run(unit: Unit) -> bool:
    """True if a function made by the unit's generated code may be called after it has run."""
    if unit.definitions or unit.macros or unit.depends:
        return True
    code = type(_outlives_its_run.__code__)
    for step in unit.steps:
        if step.code is None:
            continue
        for form in step.code.co_consts:
            if isinstance(form, code) and any(isinstance(inner, code) for inner in form.co_consts):
                return True
    return False
