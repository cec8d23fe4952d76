"""Modules and macros: the named places that definitions live in.

Knows nothing of text or of compiling. Invariant: `globals` holds a module's names under their RTFS spelling; whatever
else is in it (constants, keywords, the builtins) is spelled as no symbol can be.
"""

from __future__ import annotations

from types import FunctionType

from rtfs.values import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

FORM = " form"


def function_of(code: CodeType, namespace: dict[str, Any]) -> Callable[[], Any]:
    """The function of no arguments that a compiled top-level form is; what was outlined from it is defined on the
    way."""
    FunctionType(code, namespace)()
    function: Callable[[], Any] = namespace.pop(FORM)
    return function


class Module:
    """exports: names others may use, None for all. aliases: alias -> module name. defined: names this module defines,
    also before they have a value. private: names that an import left out, for hints."""

    def __init__(self, name: str, core: dict[str, Any]) -> None:
        self.name = name
        self.globals: dict[str, Any] = {"__builtins__": core}
        self.macros: dict[str, Macro] = {}
        self.types: dict[str, Any] = {}
        self.defined: set[str] = set()
        self.exports: list[str] | None = None
        self.aliases: dict[str, str] = {}
        self.loaded = False
        self.declared = False

    def define(self, name: str) -> None:
        """Note a definition: the name is a value now, whatever it was."""
        self.defined.add(name)
        self.macros.pop(name, None)

    def exported(self, name: str) -> bool:
        return self.exports is None or name in self.exports


class Macro:
    """A macro: the code of a function from forms to a form, built when first used."""

    __slots__ = ("_function", "code", "module", "name", "namespace")

    def __init__(self, name: str, module: Module, code: CodeType, namespace: dict[str, Any]) -> None:
        self.name = name
        self.module = module
        self.code = code
        self.namespace = namespace
        self._function: Any = None

    @property
    def function(self) -> Any:
        if self._function is None:
            self._function = function_of(self.code, self.namespace)()
        return self._function


class ExpansionNamespace(dict):  # type: ignore[type-arg]
    """Globals of macros while their module is being compiled: definitions that stand before a macro's call are
    evaluated when a macro first uses them, everything else is looked up where it is."""

    def __init__(self, module: Module, core: dict[str, Any], pooled: Callable[[str], Any]) -> None:
        super().__init__({"__builtins__": core})
        self.module = module
        self.core = core
        self.pooled = pooled
        self.pending: dict[str, Callable[[], Any]] = {}

    def __missing__(self, name: str) -> Any:
        define = self.pending.pop(name, None)
        if define is not None:
            self[name] = value = define()
            return value
        first = name[0]
        if first == ":":
            self[name] = keyword = Keyword(name[1:])
            return keyword
        if first == " " and name[1] in "ct" and name[2:3].isalnum() and "." in name:
            self[name] = constant = self.pooled(name)
            return constant
        if name in self.module.globals:
            return self.module.globals[name]
        value = self.core[name]
        if name != " ticks":
            self[name] = value
        return value
