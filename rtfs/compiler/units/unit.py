"""A unit: one compiled source, before (`UnitBuilder`) and after (`Unit`) code generation.

Knows nothing of where units are kept or how they run. Invariant: a `Unit` is data that `marshal` can hold, except its
steps' code objects; a place in the text is an index into `spans`, 0 meaning no place.
"""

from __future__ import annotations

from rtfs.compiler.units.constants import encode
from rtfs.source import Source, Span
from rtfs.values.error import CompileError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from rtfs.compiler.analysis.nodes import Node, Traits
    from rtfs.compiler.analysis.undefined import Use
    from rtfs.compiler.module import Macro, Module

MAX_EXPANSIONS = 8_000
"""Expansions of macros that a source may take, beside one for each of its characters: about a second's worth."""
MAX_NOTES = 4
_BETWEEN_NAMES = str.maketrans(dict.fromkeys("()[]{}\"'`~^@,;/", " "))
STANDARD = ("rtfs.core", "rtfs.prelude")
"""Modules of the standard library; errors do not mention their macros."""


class Step:
    """One thing a unit does, in order. kind: `code` (run a top-level form of `module`), `import` (load a module, bind
    its names), `exports` (end of a module: check what it exports)."""

    __slots__ = ("code", "details", "kind", "module")

    def __init__(self, kind: str, module: str, code: CodeType | None = None, details: Any = None) -> None:
        self.kind = kind
        self.module = module
        self.code: Any = code
        self.details = details


class Life:
    """Every function of a text holds it: an environment is told when none is left (see `Environment.outlive`)."""

    __slots__ = ("__weakref__",)


class Unit:
    """A compiled source.

    spans: start and end offsets in the source, flat, from index 1 on. constants: (module, name, encoded value).
    types: (module, name, encoded type form) for annotations. facts: what compiling it told the environment about
    modules, in order, to be told again when the unit comes from the cache (see modules.py). macros: (module, name, code
    that makes the macro's function). definitions: module -> names. depends: (module, path, digest) of the files it
    imports. namespaces: the built-in ones that its code uses. expanded: index of a place in the expansion of a macro ->
    (its name, its code's unit and line, index of the place around that). tells: whether it changes what later sources
    are compiled against. unresolved: whether it uses names that nothing defines yet, which only an incremental source
    may. checked: what a `Gate` keeps of having let it pass, or None. life: held by the functions of a text that became
    closures; None for one whose code says nothing of what is left of it.
    """

    __slots__ = (
        "__weakref__",
        "_tacit",
        "checked",
        "constants",
        "definitions",
        "depends",
        "expanded",
        "facts",
        "filename",
        "installed",
        "keywords",
        "life",
        "macros",
        "namespaces",
        "source",
        "spans",
        "steps",
        "tells",
        "types",
        "unresolved",
    )

    def __init__(self, source: Source, filename: str) -> None:
        self.source = source
        self.filename = filename
        self.spans: list[int] = [0, 0]
        self.keywords: list[str] = []
        self.constants: list[tuple[str, str, tuple[Any, ...]]] = []
        self.types: list[tuple[str, str, tuple[Any, ...]]] = []
        self.facts: list[tuple[Any, ...]] = []
        self.macros: list[tuple[str, str, CodeType]] = []
        self.definitions: dict[str, list[str]] = {}
        self.depends: list[tuple[str, str, bytes]] = []
        self.namespaces: list[str] = []
        self.steps: list[Step] = []
        self.expanded: dict[int, tuple[str, str, int, int]] = {}
        self.tells = True
        self.unresolved = False
        self._tacit: bool | None = None
        self.checked: tuple[Any, ...] | None = None
        self.life: Life | None = None
        self.installed: list[tuple[str, str]] = []
        """(module, name) of what running the unit has put into the modules' globals (see closures/hot.py)."""

    def places(self) -> Unit:
        """The unit without its code: what errors in its functions are located by."""
        made = Unit(self.source, self.filename)
        made.spans, made.expanded, made.definitions = self.spans, self.expanded, self.definitions
        return made

    @property
    def tacit(self) -> bool:
        """Whether it defines nothing, neither for the compiler nor when it runs. Asked of what is compiled only."""
        if self._tacit is None:
            told = self.tells or self.definitions or self.facts or self.macros or self.depends or self.unresolved
            self._tacit = not told and all(step.kind == "code" for step in self.steps)
        return self._tacit

    def span(self, index: int) -> Span | None:
        """The place at an index."""
        if not 0 < index < len(self.spans) // 2:
            return None
        return Span(self.source, self.spans[2 * index], self.spans[2 * index + 1])

    def expansions_at(self, index: int, units: dict[str, Unit]) -> tuple[tuple[str, Span | None], ...]:
        """Notes about the macros whose expansion a place is in, innermost first, each once and not too many."""
        notes: list[tuple[str, Span | None]] = []
        while index in self.expanded and len(notes) < MAX_NOTES:
            name, filename, line, index = self.expanded[index]
            unit = self if filename == self.filename else units.get(filename)
            note = (f"in the expansion of `{name}`", unit.span(line - 1) if unit is not None else None)
            if note not in notes:
                notes.append(note)
        return tuple(notes)


class UnitBuilder:
    """Collects what code generation needs while a source is analysed."""

    def __init__(self, source: Source, number: str) -> None:
        self.number = number
        self.filename = f"rtfs:{number}"
        self.unit = Unit(source, self.filename)
        self.keywords: set[str] = set()
        self._types: dict[tuple[str, str], str] = {}
        self._generated = 0
        self._mentioned: dict[str, int] | None = None
        self._expansions = 0
        self.namespaces: dict[str, Any] = {}
        self.uses: list[Use] = []
        self.data: set[tuple[str, str]] = set()
        """(module, name) of definitions so far whose value is not written as a function."""
        self.traits: dict[tuple[str, str], Traits] = {}
        """(module, name) of functions so far -> what compiled code may rely on."""
        self.declared: list[Node] = []
        """See `AnalysedForm`: of the form at hand."""
        self.missing: set[str] = set()
        """Aliases of modules that could not be imported, and the names that were to come from them."""
        self.module = "user"
        self.plan: Any = None
        """The `plan` form of the source, or None."""
        self.errors: list[UserError] | None = None
        """The list that collects errors of forms, so that the next form is analysed nevertheless; None: the first error
        ends the compilation."""

    # ------------------------------------------------------------------ places
    def span(self, source: Source, start: int, end: int) -> int:
        """Index of a place; 0 for a place in another source."""
        unit = self.unit
        if source is not unit.source:
            return 0
        spans = unit.spans
        spans += (start, end)
        return len(spans) // 2 - 1

    def expansion(self, at: int, macro: Macro) -> int:
        """Index of the same place, for what a macro of the user's makes there."""
        if not at or macro.module.name in STANDARD:
            return at
        unit = self.unit
        found = len(unit.spans) // 2
        unit.spans += unit.spans[2 * at : 2 * at + 2]
        unit.expanded[found] = (macro.name, *macro.template, at)
        return found

    def use_namespace(self, name: str) -> None:
        """Note that the code uses a built-in namespace."""
        if name not in self.unit.namespaces:
            self.unit.namespaces.append(name)

    def span_at(self, index: int) -> Span | None:
        return self.unit.span(index)

    def collect(self, error: UserError) -> bool:
        """Note an error that has its place, if errors are collected; not so what ends the analysis of everything."""
        if self.errors is None or error.code.startswith("limit/"):
            return False
        self.errors.append(error)
        return True

    # ------------------------------------------------------------------ counters
    def generate(self) -> int:
        """A number not given before in this unit."""
        self._generated += 1
        return self._generated

    def calls(self, name: str) -> bool:
        """Whether forms of the text may call a function that it defines: it mentions the name once more, or a macro
        made the name."""
        if self._mentioned is None:
            from collections import Counter

            self._mentioned = Counter(self.unit.source.text.translate(_BETWEEN_NAMES).split())
        return self._mentioned.get(name, 0) != 1

    def count_expansion(self) -> None:
        self._expansions += 1
        most = MAX_EXPANSIONS + len(self.unit.source.text)
        if self._expansions > most:
            raise CompileError(
                "limit/expansion",
                f"macros expanded more than {most:,} times",
                hint="does a macro expand to a call of itself for ever?",
            )

    # ------------------------------------------------------------------ pools
    def pool(self, value: Any) -> str:
        """The global that will hold a constant."""
        name = f" c{self.number}.{len(self.unit.constants)}"
        self.unit.constants.append((self.module, name, encode(value)))
        return name

    def pool_type(self, form: Any, module: str) -> str:
        """The global that will hold the type of a type expression."""
        encoded = encode(form)
        key = (module, repr(encoded))  # 1, 1.0 and true are equal to Python
        found = self._types.get(key)
        if found is None:
            found = f" t{self.number}.{len(self.unit.types)}"
            self._types[key] = found
            self.unit.types.append((module, found, encoded))
        return found

    def make_private(self, module: Module, name: str) -> None:
        """Note a name that other modules may not use (`defn-`)."""
        module.private.add(name)
        self.unit.facts.append(("private", module.name, name))

    def define_type(self, module: str, name: str, form: Any) -> None:
        """Note a named type, so that loading the unit defines it too."""
        self.unit.facts.append(("type", module, name, encode(form)))
