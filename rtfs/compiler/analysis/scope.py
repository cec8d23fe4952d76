"""Lexical scope: which local a name means, and what it takes to reach it.

Knows nothing of forms. Invariant: Python names of locals are unique within a top-level form and end in a blank or a
number after one, so that they can never meet a module's name.
"""

from __future__ import annotations

from rtfs.compiler.analysis.nodes import Binding


class FunctionContext:
    """A function being analysed. `ticks` becomes True when its body calls what could call it back."""

    __slots__ = ("parent", "ticks")

    def __init__(self, parent: FunctionContext | None) -> None:
        self.parent = parent
        self.ticks = False


class LoopContext:
    """A target of `recur`: how many values it takes, whether it was used, and whether closures capture what it
    binds."""

    __slots__ = ("arity", "closes", "parent", "used")

    def __init__(self, arity: int, parent: LoopContext | None) -> None:
        self.arity = arity
        self.parent = parent
        self.used = False
        self.closes = False


class SelfCall:
    """The name of a function within itself, for self tail calls: a local binding or a global name."""

    __slots__ = ("arity", "name", "target")

    def __init__(self, name: Binding | str, arity: int, target: LoopContext) -> None:
        self.name = name
        self.arity = arity
        self.target = target


class Scope:
    """Names visible at a place. `loop` is the innermost loop whose rounds rebind what is bound here; `defines`: a
    definition in this body is local to it (not so in the bodies of a top-level `try` or `match`). `ever` holds the
    names of all scopes of a top-level form: one that is not in it needs no search, however deep the scope is."""

    __slots__ = ("ever", "function", "local_definitions", "loop", "names", "parent", "self_call")
    ever: set[str]
    function: FunctionContext
    loop: LoopContext | None
    self_call: SelfCall | None

    def __init__(
        self,
        parent: Scope | None,
        *,
        function: FunctionContext | None = None,
        loop: LoopContext | None = None,
        self_call: SelfCall | None = None,
        defines: bool = True,
    ) -> None:
        self.parent = parent
        self.names: dict[str, Binding] = {}
        if parent is None:
            self.ever = set()
            self.local_definitions = False
            function = function or FunctionContext(None)
        else:
            self.ever = parent.ever
            self.local_definitions = defines
            if function is None:
                function = parent.function
                loop = loop or parent.loop
                self_call = self_call or parent.self_call
        self.function = function
        self.loop = loop
        self.self_call = self_call

    def bind(self, name: str, binding: Binding) -> None:
        """Make a name mean a binding here."""
        self.ever.add(name)
        self.names[name] = binding

    def lookup(self, name: str) -> Binding | None:
        """The binding that `name` means here; notes a capture by a closure."""
        if name not in self.ever:
            return None
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                if found.function is not self.function:
                    loop = found.loop
                    if loop is not None:
                        loop.closes = True
                return found
            scope = scope.parent
        return None


class Names:
    """Makes Python names for locals, unique within one top-level form. begun: how many places the unit had before the
    form was analysed; 0 if unknown. locals: how many names there are."""

    __slots__ = ("begun", "locals", "taken", "temporaries")

    def __init__(self, begun: int = 0) -> None:
        self.begun = begun
        self.taken: dict[str, int] = {}
        self.locals = 0
        self.temporaries = 0

    def local(self, name: str) -> str:
        self.locals += 1
        taken = self.taken
        if name not in taken:
            taken[name] = 1
            return f"{name} "
        taken[name] = count = taken[name] + 1
        return f"{name} {count}"

    def temporary(self) -> str:
        self.temporaries += 1
        return f" {self.temporaries}"
