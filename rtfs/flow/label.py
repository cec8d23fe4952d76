"""Labels: the sources of a value, each with its path, and the permitted readers.

Knows nothing of programs or hosts. Invariants: labels are never changed once made; `join` loses no source and adds no
reader; a label has at most `MOST` sources: too many sources of one capability become one for all its results.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Step = tuple[str, str, int]
    """A step on the way of a value: a name, the unit's file name, the index of the place in it."""
    Way = tuple[Step, ...]

MOST = 200
"""Sources of one label."""
LONGEST = 6
"""Steps of a way that are kept: the first ones and the last."""
_REMEMBERED = 8_192


class Source:
    """One thing that contributed to a value.

    id: a capability's, or `plan`, `model`, `input`, `unknown`. path: names of the fields of its result down to the
    value; positions in vectors are left out. objects: the maps around the value, as (length of the path down to it, the
    map), outermost first. origin: the principals that the declaration's `:source-of` names, or None. trusted: the
    declaration says so. whole: it covers everything in the capability's results.
    """

    __slots__ = ("id", "objects", "origin", "path", "trusted", "whole")

    def __init__(
        self,
        id: str,
        path: tuple[str, ...] = (),
        objects: tuple[tuple[int, Any], ...] = (),
        origin: tuple[str, ...] | None = None,
        trusted: bool = False,
        whole: bool = False,
    ) -> None:
        self.id = id
        self.path = path
        self.objects = objects
        self.origin = origin
        self.trusted = trusted
        self.whole = whole

    def __repr__(self) -> str:
        return ".".join((self.id, *self.path))


class Label:
    """sources: each with the way that the value came from it. readers: the principals who may see the value; None:
    everybody."""

    __slots__ = ("_through", "readers", "sources")

    def __init__(self, sources: dict[Source, Way], readers: frozenset[str] | None = None) -> None:
        self.sources = sources
        self.readers = readers
        self._through: dict[Step, Label] | None = None

    def through(self, step: Step) -> Label:
        """The same label one step further on the way."""
        if not self.sources:
            return self
        known = self._through
        if known is None:
            known = self._through = {}
        found = known.get(step)
        if found is None:
            ways = {source: _longer(way, step) for source, way in self.sources.items()}
            found = known[step] = self if ways == self.sources else Label(ways, self.readers)
            found.went_through(step)
        return found

    def went_through(self, step: Step) -> None:
        """Every way of this label has that step already."""
        if self._through is None:
            self._through = {step: self}
        else:
            self._through[step] = self

    def __repr__(self) -> str:
        return f"Label({sorted(map(repr, self.sources))}, readers={self.readers})"


def _longer(way: Way, step: Step) -> Way:
    if step in way:
        return way
    return (*way, step) if len(way) < LONGEST else (*way[: LONGEST - 1], step)


NOTHING = Label({})
_joins: dict[tuple[Label, Label], Label] = {}
_wholes: dict[tuple[str, bool], Source] = {}


def join(a: Label, b: Label) -> Label:
    """The label of what two labelled things contributed to."""
    if a is b or b is NOTHING:
        return a
    if a is NOTHING:
        return b
    found = _joins.get((a, b))
    if found is None:
        if len(_joins) >= _REMEMBERED:
            _joins.clear()
        found = _joins[a, b] = _joined(a, b)
    return found


def join_through(a: Label, b: Label, step: Step) -> Label:
    """The join of two labels, one step further on the way. Of a label that has taken the step, as that of what a loop
    adds up, only the other one is looked at."""
    one, two = a.through(step), b.through(step)
    found = join(one, two)
    if found is not one and found is not two:
        found.went_through(step)
    return found


def _joined(a: Label, b: Label) -> Label:
    readers = a.readers if b.readers is None else b.readers if a.readers is None else a.readers & b.readers
    if readers == a.readers and b.sources.keys() <= a.sources.keys():
        return a
    if readers == b.readers and a.sources.keys() <= b.sources.keys():
        return b
    sources = {**b.sources, **a.sources}
    return Label(sources if len(sources) <= MOST else _compact(sources), readers)


def _compact(sources: dict[Source, Way]) -> dict[Source, Way]:
    """Few sources that cover many: one for each capability."""
    found: dict[Source, Way] = {}
    for source, way in sources.items():
        if source not in _PLAIN:
            key = (source.id, source.trusted)
            source = _wholes.setdefault(key, Source(source.id, trusted=source.trusted, whole=True))
        found.setdefault(source, way)
    return found


def readable_by(readers: frozenset[str] | None) -> Label:
    """A label that only says who may read."""
    return NOTHING if readers is None else Label({}, readers)


PLAN, MODEL, INPUT, UNKNOWN, LAZY = [Source(name) for name in ("plan", "model", "input", "unknown", "lazy")]
"""LAZY represents the sources of the run's lazy sequences: `rtfs.flow.state` knows it."""
_PLAIN = frozenset((PLAN, MODEL, INPUT, UNKNOWN, LAZY))
OF_PLAN, OF_MODEL, OF_INPUT = [Label({source: ()}) for source in (PLAN, MODEL, INPUT)]
OF_UNKNOWN = Label({UNKNOWN: ()}, frozenset())
OF_LAZY = Label({LAZY: ()})
