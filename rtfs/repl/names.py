"""The names available at the prompt, and a description of each.

Knows the declarations (builtins, special forms, the standard library), the definitions of the environment and the
registered capabilities; nothing of terminals. Invariant: looking never runs anything of the program.
"""

from __future__ import annotations

from rtfs.builtins import clojure as namespaces
from rtfs.compiler.definitions import Definition, Sources
from rtfs.compiler.environment import PRELUDE_MODULE
from rtfs.compiler.module import CORE_MODULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.compiler import Environment
    from rtfs.host.runtime import Runtime
    from rtfs.source import Span

USER = "user"
RESULTS = {
    "*1": "The value of the last input.",
    "*2": "The value of the input before the last.",
    "*3": "The value of the third last input.",
    "*e": "The last error.",
}


class Description:
    """kind: special form, macro, function, value, type or capability. shapes: what calls look like. doc: "" for none.
    examples: (expression, printed value). aliases: further names. span: where it is defined, or None."""

    __slots__ = ("aliases", "doc", "examples", "kind", "name", "shapes", "span")

    def __init__(
        self,
        kind: str,
        name: str,
        shapes: list[str],
        doc: str,
        examples: tuple[tuple[str, str], ...] = (),
        aliases: tuple[str, ...] = (),
        span: Span | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.shapes = shapes
        self.doc = doc
        self.examples = examples
        self.aliases = aliases
        self.span = span

    @property
    def line(self) -> str:
        """Shape and doc in one line."""
        return "  ".join(part for part in (" ".join(self.shapes) or self.name, self.doc) if part)


class Names:
    """The names that a runtime's programs can use."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.sources = Sources()
        self._aliases: dict[str, str] = {}

    @property
    def environment(self) -> Environment:
        return self.runtime.environment

    # ------------------------------------------------------------------ listing
    def symbols(self) -> set[str]:
        """Every symbol that means something at the prompt."""
        environment = self.environment
        user = environment.module(USER)
        names = {*self.forms(), *environment.core_macros(), *user.macros, *user.types, *user.globals}
        names.update(environment.core)
        for alias, target in user.aliases.items():
            module = environment.modules.get(target)
            if module is not None:
                names.update(f"{alias}/{macro}" for macro in module.macros if module.exported(macro))
        names.update(user.builtin_names)
        for alias, targets in self.namespaces().items():
            names.update(f"{alias}/{name}" for target in targets for name in namespaces.short_names(target))
        return {name for name in names if name in _SIGNS or name[0] not in " :_-%"}

    def namespaces(self) -> dict[str, tuple[str, ...]]:
        """The built-in namespaces by every name and alias that they have at the prompt."""
        aliases = self.environment.module(USER).aliases
        known = {**{name: (name,) for name in namespaces.NAMESPACES}, **namespaces.USUAL_ALIASES}
        for alias, target in aliases.items():
            if target in namespaces.NAMESPACES:
                known[alias] = (target,)
            else:
                known.pop(alias, None)
        return {alias: tuple(one for one in targets if namespaces.exists(one)) for alias, targets in known.items()}

    def builtin_name(self, name: str) -> str | None:
        """The full name of what `name` means in a built-in namespace at the prompt, or None."""
        from rtfs.values import CompileError

        try:
            return self.environment.builtin_name(self.environment.module(USER), name)
        except CompileError:
            return None

    def forms(self) -> dict[str, Any]:
        """Special forms by name and alias."""
        import rtfs.compiler.toplevel  # noqa: F401 - declares them
        from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS

        return SPECIAL_FORMS

    def is_form(self, name: str) -> bool:
        """Whether a name is a special form or macro, so that it is shown like a word of the language."""
        return name in self.forms() or self.environment.macro(self.environment.module(USER), name) is not None

    def is_known(self, name: str) -> bool:
        """Whether a name has a value."""
        environment = self.environment
        user = environment.module(USER).globals
        return name in user or name in environment.core or self.builtin_name(name) is not None

    def about(self, name: str) -> str:
        """The kind of a name in one word, without looking for its doc."""
        if name in self.forms():
            return "form"
        environment = self.environment
        user = environment.module(USER)
        if environment.macro(user, name) is not None:
            return "macro"
        if name in user.types and name not in user.globals:
            return "type"
        value = user.globals.get(name, environment.core.get(self.builtin_name(name) or name))
        return _kind(value)

    # ------------------------------------------------------------------ describing
    def describe(self, name: str) -> Description | None:
        """The description of a name or capability id, or None."""
        if name[:1] == '"':
            return self.capability(name.strip('"'))
        return self._own(name) or self._standard(self._plain(name)) or self.capability(name)

    def _plain(self, name: str) -> str:
        """The name that a declaration has: the full one of a built-in namespace, the bare one of clojure.core."""
        return (self.builtin_name(name) or name).removeprefix("clojure.core/")

    def definition(self, name: str) -> Definition | None:
        """The text that defines a name, or None."""
        environment = self.environment
        user = environment.module(USER)
        module, short = USER, name
        if "/" in name[1:]:
            alias, _, rest = name.rpartition("/")
            if alias in user.aliases:
                module, short = user.aliases[alias], rest
        found = self.sources.find(environment, module, short)
        if found is not None:
            return found
        value: Any = user.globals.get(name)
        home = getattr(value, "__globals__", None)  # brought here with :only
        if home is not None and home is not user.globals:
            for other in list(environment.modules.values()):
                if other.globals is home:
                    return self.sources.find(environment, other.name, value.__name__)
        if name in environment.core_macros():
            return self.sources.find(environment, CORE_MODULE, name)
        prelude = environment.modules.get(PRELUDE_MODULE)
        if prelude is not None and name in prelude.defined:
            return self.sources.find(environment, PRELUDE_MODULE, name)
        return None

    def _own(self, name: str) -> Description | None:
        user = self.environment.module(USER)
        if name in RESULTS:
            return Description("value", name, [], RESULTS[name])
        if name not in user.globals and name not in user.macros and name not in user.types and "/" not in name[1:]:
            return None
        found = self.definition(name)
        if found is None or found.span.source.name.startswith("stdlib/"):
            value = user.globals.get(name)
            return None if value is None else Description(_kind(value), name, [], "")
        kind = {"defmacro": "macro", "defn": "function", "def": _kind(user.globals.get(name))}.get(found.head, "type")
        return Description(kind, name, found.shapes, found.doc, span=found.span)

    def _standard(self, name: str) -> Description | None:
        from rtfs.builtins import REGISTRY

        form = self.forms().get(name)
        if form is not None:
            return Description("special form", form.name, [form.shape], form.doc, tuple(form.examples))
        if not self._aliases:
            self._aliases = {alias: one.name for one in REGISTRY.values() for alias in one.aliases}
        builtin = REGISTRY.get(self._aliases.get(name, name))
        if builtin is not None:
            return Description(
                "function", name, [builtin.signature], builtin.doc, tuple(builtin.examples), tuple(builtin.aliases)
            )
        found = self.definition(name)
        if found is None:
            return None
        if found.head == "def":
            value: Any = self.environment.core.get(name)
            real = getattr(value, "__name__", name)
            return self._standard(real) if real != name else None
        kind = "macro" if found.head == "defmacro" else "function"
        return Description(kind, name, found.shapes, found.doc, _examples(found), span=found.span)

    # ------------------------------------------------------------------ capabilities
    def capability_ids(self) -> list[str]:
        """All ids, sorted."""
        return self.runtime.capabilities.keys()

    def fields(self, id: str) -> Fields | None:
        """The declaration of a capability, or None."""
        from rtfs.host.inspection import declared

        return declared(self.runtime, id)

    def capability(self, id: str) -> Description | None:
        """The description of a capability, or None."""
        fields = self.fields(id)
        if fields is None:
            return None
        from rtfs.syntax.printer import to_text

        schema = "" if fields.input_schema is None else " " + to_text(fields.input_schema)
        return Description("capability", id, [f'(call "{id}"{schema})'], fields.description, span=fields.span)


_SIGNS = frozenset(("-", "->", "->>", "*", "%"))


def _kind(value: Any) -> str:
    return "function" if callable(value) and hasattr(value, "__code__") else "value"


def _examples(found: Definition) -> tuple[tuple[str, str], ...]:
    """The comment lines `;; expression => value` right above a definition of the standard library."""
    source = found.span.source
    examples: list[tuple[str, str]] = []
    number = found.span.line - 1
    while (line := source.line(number)).startswith(";; "):
        expression, arrow, printed = line[3:].rpartition(" => ")
        if arrow:
            examples.append((expression, printed))
        number -= 1
    return tuple(reversed(examples))
