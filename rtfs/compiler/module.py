"""Modules and macros: the named places that definitions live in.

Knows nothing of text or of compiling. Invariant: `globals` holds a module's names under their RTFS spelling; whatever
else is in it (constants, keywords, the builtins) is spelled as no symbol can be.
"""

from __future__ import annotations

from rtfs.values.kinds import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from rtfs.compiler.macros import ExpansionNamespace
else:
    CodeType = type((lambda: None).__code__)  # without `types`, which each start would pay for

CORE_MODULE = "rtfs.core"
"""The module of the standard macros."""
FORM = " form"
"""The global that a form's code makes: the form as a function of no arguments."""
VALUE = " value"
"""The global that the code of a function's definition makes instead: the function, which takes no work to make."""


def function_of(code: Any, namespace: dict[str, Any]) -> Callable[[], Any]:
    """The function of no arguments that a top-level form is; what was outlined from its code is defined on the way.

    code: a code object, or what is not compiled (yet) and can be bound to a namespace (`code.bind(namespace)`).
    """
    if code.__class__ is not CodeType:
        return code.bind(namespace)  # type: ignore[no-any-return]
    FunctionType(code, namespace)()
    # neither is taken away: a dict that loses or gets a key makes CPython forget where its others are
    value = namespace.get(VALUE)
    if value is not None:
        namespace[VALUE] = None
        return lambda: value
    function = namespace[FORM]
    namespace[FORM] = None
    return function  # type: ignore[no-any-return]


class Module:
    """exports: names others may use, None for all. aliases: alias -> module name. defined: names this module defines,
    also before they have a value. fresh: those that the form being compiled defines. private: names that `defn-` keeps
    to the module. referred: name imported bare -> the module it comes from and its name there. builtin_names: name
    referred to from a built-in namespace -> its full name.
    early: what evaluates a definition for macros before the module itself has run."""

    def __init__(self, name: str, core: dict[str, Any]) -> None:
        self.name = name
        self.globals: dict[str, Any] = {"__builtins__": core}
        self.macros: dict[str, Macro] = {}
        self.types: dict[str, Any] = {}
        self.defined: set[str] = set()
        self.fresh: list[str] = []
        self.exports: list[str] | None = None
        self.private: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.referred: dict[str, tuple[str, str]] = {}
        self.builtin_names: dict[str, str] = {}
        self.early: dict[str, ExpansionNamespace] = {}
        self.loaded = False
        self.declared = False

    def copy(self) -> Module:
        """The module as it is now; what either defines from then on the other does not see."""
        made = Module(self.name, self.globals["__builtins__"])
        made.globals = dict(self.globals)
        made.macros = dict(self.macros)
        made.types = dict(self.types)
        made.defined = set(self.defined)
        made.private = set(self.private)
        made.aliases = dict(self.aliases)
        made.referred = dict(self.referred)
        made.builtin_names = dict(self.builtin_names)
        made.early = dict(self.early)
        made.exports, made.loaded, made.declared = self.exports, self.loaded, self.declared
        return made

    def _tables(self) -> tuple[Any, ...]:
        return (self.macros, self.types, self.aliases, self.referred, self.builtin_names, self.early)

    def checkpoint(self) -> tuple[Any, ...]:
        """A snapshot of the parts of the module that compiling may change."""
        return (
            *[dict(table) for table in self._tables()],
            set(self.defined),
            set(self.private),
            self.exports,
            self.declared,
        )

    def rollback(self, mark: tuple[Any, ...]) -> None:
        """Forget what was told since the mark was made."""
        for table, before in zip((*self._tables(), self.defined, self.private), mark, strict=False):
            table.clear()
            table.update(before)
        self.exports, self.declared = mark[8:]

    def changed_since(self, mark: tuple[Any, ...], values: bool) -> bool:
        """True if compiling changed the module since the mark was made; `values`: new values of old names count."""
        now = (self.macros, self.types, self.aliases, self.referred, self.builtin_names)
        if now != mark[:5] or (self.defined, self.private, self.exports, self.declared) != mark[6:]:
            return True
        return values and any(namespace is not mark[5].get(name) for name, namespace in self.early.items())

    def define(self, name: str) -> None:
        """Note a definition: the name is a value now, whatever it was."""
        self.defined.add(name)
        self.fresh.append(name)
        self.macros.pop(name, None)

    def exported(self, name: str) -> bool:
        return name not in self.private and (self.exports is None or name in self.exports)


class Macro:
    """A macro: the code of a function from forms to a form, built when first used."""

    __slots__ = ("_function", "_template", "code", "module", "name", "namespace")

    def __init__(self, name: str, module: Module, code: CodeType, namespace: dict[str, Any]) -> None:
        self.name = name
        self.module = module
        self.code = code
        self.namespace = namespace
        self._function: Any = None
        self._template: tuple[str, int] | None = None

    @property
    def function(self) -> Any:
        if self._function is None:
            self._function = function_of(self.code, self.namespace)()
        return self._function

    @property
    def template(self) -> tuple[str, int]:
        """The place where the macro builds its expansion: the name of its unit, and the line of its one `return` (of
        several, or of several arities, that of the definition)."""
        if self._template is None:
            from opcode import opname

            code = self.function.__code__
            returns = [
                line
                for start, end, line in code.co_lines()
                if line is not None and any(opname[one].startswith("RETURN_") for one in code.co_code[start:end:2])
            ]
            self._template = code.co_filename, returns[0] if len(returns) == 1 else code.co_firstlineno
        return self._template
