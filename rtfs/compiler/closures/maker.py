"""The maker: a node becomes a closure by the function of its class.

Knows nothing of any node: `@makes(nodes.If)` declares how one becomes a closure. A closure takes a frame, a list with
the values of the locals of one call:

    [globals of the module, frame of the enclosing function, local, local, …]

so `(fn [x] (fn [y] (+ x y)))` reads `y` as `frame[2]` and `x` as `frame[1][2]`. A closure that can fail takes its place
in the text as the default of its second parameter, `at`: a traceback has it among the frame's variables, and nothing is
paid for it while running. Invariant: a frame is changed only by the call that it belongs to.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser

    Frame = list[Any]
    Closure = Callable[[Frame], Any]
    Make = Callable[["Maker", Any], Closure]

GLOBALS, PARENT, FIRST = 0, 1, 2
"""Indexes into a frame: the module's globals, the enclosing function's frame, the first local."""

MAKERS: dict[type[nodes.Node], Make] = {}
FILES: set[str] = set()
"""File names of the code of closures, by which their frames are known in a traceback."""


class Unset:
    """The class of `UNSET`, the value of a local that has none yet."""

    __slots__ = ()


UNSET = Unset()


def makes(kind: type[nodes.Node]) -> Callable[[Make], Make]:
    """Declare the function that makes nodes of a class closures. It gets (maker, node)."""

    def declare(make: Make) -> Make:
        MAKERS[kind] = make
        FILES.add(make.__code__.co_filename)
        return make

    return declare


class Padding(list):  # type: ignore[type-arg]
    """What a new frame has after the parameters; hashed by identity, for a code object hashes its constants."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class Layout:
    """Which local is where in the frames of one function. names: those of the locals, from FIRST on."""

    __slots__ = ("names", "padding", "parent")

    def __init__(self, parent: Layout | None) -> None:
        self.parent = parent
        self.names: list[str] = []
        self.padding = Padding()
        """One UNSET for each local that is not a parameter."""

    def close(self, parameters: int) -> None:
        """All locals are known: a frame needs so much room."""
        self.padding.extend([UNSET] * (len(self.names) - parameters))


class Maker:
    """Makes the closures of one top-level form.

    layout: of the frames of the function that is being made. places: local -> its layout and index. functions: number
    of those made, the form itself included. last: definitions whose value is that of the form. number, filename,
    installed: the unit's.
    """

    __slots__ = (
        "core",
        "environment",
        "filename",
        "functions",
        "installed",
        "last",
        "layout",
        "module",
        "names",
        "number",
        "places",
    )

    def __init__(self, analyser: Analyser) -> None:
        self.environment = analyser.environment
        self.core = analyser.environment.core
        self.module = analyser.module
        self.names = analyser.names
        # not the unit itself: its forms would keep it alive
        self.number, self.filename = analyser.unit.number, analyser.unit.unit.filename
        self.installed = analyser.unit.unit.installed
        self.functions = 0
        self.last: list[nodes.Node] = []
        self.layout = Layout(None)
        self.places: dict[str, tuple[Layout, int]] = {}

    def make(self, node: nodes.Node) -> Closure:
        """The closure of a node."""
        return MAKERS[node.__class__](self, node)

    def make_all(self, parts: list[nodes.Node]) -> list[Closure]:
        return [MAKERS[part.__class__](self, part) for part in parts]

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

    def distance(self, layout: Layout) -> int:
        """How many frames out from the current function those of `layout` are."""
        return distance(self.layout, layout)

    def type_of(self, form: Any) -> Any:
        """The type of a type expression."""
        return self.environment.check_type(form, self.module)


def distance(inner: Layout, outer: Layout) -> int:
    """How many frames out those of `outer` are, seen from those of `inner`."""
    steps = 0
    layout: Layout | None = inner
    while layout is not outer:
        if layout is None:
            raise AssertionError("a local of no enclosing function")
        layout = layout.parent
        steps += 1
    return steps
