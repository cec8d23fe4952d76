"""The maker: a node becomes a closure by the function of its class.

Knows nothing of any node: `@makes(nodes.If)` declares how one becomes a closure. A closure takes a frame, a list with
the values of the locals of one call:

    [globals of the module, frame of the enclosing function, local, local, …]

so `(fn [x] (fn [y] (+ x y)))` reads `y` as `frame[2]` and `x` as `frame[1][2]`. A closure that can fail takes its place
in the text as the default of its second parameter, `at`: a traceback has it among the frame's variables, and nothing is
paid for it while running. What else it needs often are further defaults, not cells: those take twice as long to make,
and Python's collector looks at each. Invariant: a frame is changed only by the call that it belongs to.
"""

from __future__ import annotations

from _weakref import ref

from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.frames import FILES, FIRST, Layout
from rtfs.values import InternalError
from rtfs.values.step_account import PART, paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.environment import Environment

    Frame = list[Any]
    Closure = Callable[[Frame], Any]
    Make = Callable[["Maker", Any], Closure]

MAKERS: dict[type[nodes.Node], Make] = {}


def makes(kind: type[nodes.Node]) -> Callable[[Make], Make]:
    """Declare the function that makes nodes of a class closures. It gets (maker, node)."""

    def declare(make: Make) -> Make:
        MAKERS[kind] = make
        FILES.add(make.__code__.co_filename)
        return make

    return declare


class Types:
    """The types that a form's code names: made with its closures, known when they are compiled."""

    __slots__ = ("_environment", "_made", "_module")

    def __init__(self, environment: Environment, module: str) -> None:
        self._environment = ref(environment)
        self._module = module
        self._made: dict[int, tuple[Any, Any]] = {}

    def of(self, form: Any) -> Any:
        """The type of a type expression. Raises CompileError `type/unknown` or `type/malformed`."""
        known = self._made.get(id(form))
        if known is not None:
            return known[1]
        environment = self._environment()
        if environment is None:
            raise InternalError("a type expression that the closures did not have")
        made = environment.check_type(form, environment.module(self._module))
        self._made[id(form)] = form, made
        return made


class Maker:
    """Makes the closures of one top-level form.

    layout: of the frames of the function that is being made. places: local -> its layout and index. last: definitions
    whose value is that of the form. number, filename, installed, life: the unit's.
    """

    __slots__ = (
        "core", "filename", "installed", "last", "layout", "life", "module", "names", "number", "places", "types",
    )  # fmt: skip

    def __init__(self, analyser: Analyser) -> None:
        # not the environment: the unit is shared with others, and outlives the run that it was made for
        self.types = Types(analyser.environment, analyser.module.name)
        self.core = analyser.environment.core
        self.module = analyser.module.name
        self.names = analyser.names
        # not the unit itself: its forms would keep it alive
        unit = analyser.unit.unit
        self.number, self.filename = analyser.unit.number, unit.filename
        self.installed, self.life = unit.installed, unit.life
        self.last: list[nodes.Node] = []
        self.layout = Layout(None)
        self.places: dict[str, tuple[Layout, int]] = {}

    def fork(self, layout: Layout) -> Maker:
        """A maker for code that is made once more, within frames of `layout`: its locals have places of their own."""
        made: Maker = object.__new__(Maker)
        for field in Maker.__slots__:
            setattr(made, field, getattr(self, field))
        made.layout = layout
        made.places = dict(self.places)
        return made

    def make(self, node: nodes.Node) -> Closure:
        """The closure of a node."""
        return MAKERS[node.__class__](self, node)

    def make_all(self, parts: list[nodes.Node]) -> list[Closure]:
        made = []
        for part in parts if len(parts) <= PART else paced(parts):
            made.append(MAKERS[part.__class__](self, part))
        return made

    def slot(self, binding: nodes.Binding) -> int:
        """The index of a local that the current function binds."""
        place = self.places.get(binding.python)
        if place is not None and place[0] is self.layout:
            return place[1]
        layout = self.layout
        index = FIRST + len(layout.names)
        layout.names.append(binding.python)
        self.places[binding.python] = (layout, index)
        return index
