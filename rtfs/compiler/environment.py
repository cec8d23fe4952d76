"""The environment of one Runtime: its modules, macros and types, and what programs compiled in it may name.

Knows nothing of running: the machine hands in `run`, which calls a macro's function purely and within limits.
Invariant: names resolve in the order local, module, standard function; the core dict is every module's `__builtins__`.
"""

from __future__ import annotations

from _weakref import ref
from sys import intern

from rtfs.builtins import CORE
from rtfs.builtins import clojure as namespaces
from rtfs.compiler.analysis.special_forms import FUNCTION, SPECIAL_FORMS
from rtfs.compiler.codegen.support import SUPPORT
from rtfs.compiler.gate import AnalysedForm
from rtfs.compiler.mangling import global_name, plain_name, tag_name
from rtfs.compiler.module import CORE_MODULE, Macro, Module
from rtfs.compiler.units.memory_cache import RecentUnits
from rtfs.compiler.units.unit import STANDARD
from rtfs.values import List, Symbol
from rtfs.values.error import CompileError, EvalError, LimitError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.nodes import Node
    from rtfs.compiler.units.unit import Life, Unit
    from rtfs.flow.label import Label

    Run = Callable[["Environment", Any, list[Any]], Any]

PRELUDE_MODULE = "rtfs.prelude"
USER_MODULE = "user"
"""The module of a program that names none."""
MAX_MACROEXPAND = 10_000


class Environment:
    """run: calls a function with arguments as a macro may be called, given the environment. path: folders in which
    modules are looked for. core: the standard functions with `hooks`, where another environment has them already."""

    def __init__(
        self,
        run: Run,
        path: tuple[str, ...] = (),
        hooks: dict[str, Any] | None = None,
        core: dict[str, Any] | None = None,
    ) -> None:
        self._run = run
        self.path = path
        if core is None:
            core = {**CORE, **SUPPORT, **(hooks or {}), " core_function": CORE.__getitem__}
            core = dict(zip(map(intern, core), core.values(), strict=True))  # as the names in code objects are
        self.core: dict[str, Any] = core
        self.modules: dict[str, Module] = {}
        self.units: dict[str, Unit] = {}
        self.recent = RecentUnits()
        self.files: dict[str, Unit] = {}
        self.importing: list[str] = []
        self.marking: list[dict[str, tuple[Any, ...]]] = []
        """States of the modules before the texts that are being compiled, outermost first."""
        self.state = b""
        """Digest of the definitions that the compiler knows: part of the key of every unit."""
        self.values = b""
        """Digest of the other definitions, for units on disk: a macro of a later process may use them."""
        self.expansions: Any = None
        """The remaining budget of the macros of the source that is being compiled; kept by the code that runs them."""
        self.finder: Any = None
        """Finds and reads the files of modules if this process may not: `find(name, source)` returns a path or None,
        `read(path)` its text."""
        self.observer: Callable[[Any, Analyser], None] | None = None
        """Called with the AST of every form that is compiled, for tools; the cache is not used then."""
        self.gathered: list[AnalysedForm] | None = None
        """The compiled forms, collected for a `Gate` while there is one."""
        self.cold_frames = 0
        """Python frames that closures may take beyond those of the functions that run: until its function is compiled,
        each node of a text may have a few at once."""
        self.literal: Label | None = None
        """The label of the constants in the texts, where their code carries labels; None: it carries none."""
        self.macro_literal: Label | None = None
        """The labels of the texts that define the macros: an expansion has constants of these texts."""
        self._lives: dict[str, list[ref[Life]]] = {}
        """For the texts passed to `outlive`, by file name: several if the same text was compiled again."""
        self.edition = 0
        """Changes whenever something is defined, or was about to be."""
        self.defining = 0
        """How many units are running that define something."""
        self._shared: tuple[int, Environment] | None = None
        """The last result of `shared_snapshot`, and its edition."""
        self._core_ready = False
        self._core_macros: dict[str, Macro] | None = None
        self.meanings: dict[str, Any] = {}
        """Earlier results of `meaning`, but None."""
        self._namespaces: set[str] = set()

    def note(self, node: Node, analyser: Analyser) -> None:
        """Show the AST of a form that is being compiled to a function that wants to see it."""
        if self.observer is not None:
            self.observer(node, analyser)
        if self.gathered is not None:
            self.gathered.append(analyser.analysed(node))

    def snapshot(self) -> Environment:
        """An environment with everything that this one has now; what is defined in it from then on stays in it."""
        copy = Environment(self._run, self.path, core=self.core)  # functions keep the one they were made with
        copy.finder = self.finder
        copy.units = dict(self.units)
        copy.recent = self.recent.copy()
        copy.files = dict(self.files)
        copy.state, copy.values = self.state, self.values
        copy.literal, copy.macro_literal = self.literal, self.macro_literal
        copy._core_ready, copy._core_macros, copy.cold_frames = self._core_ready, self._core_macros, self.cold_frames
        copy._namespaces, copy.meanings = self._namespaces, self.meanings  # go with the core
        copy.modules = {name: module.copy() for name, module in self.modules.items()}
        return copy

    def outlive(self, unit: Unit) -> None:
        """The unit of a text that became closures is kept no longer: its functions keep their places, and what their
        code has put into modules, until none of them is left."""
        assert unit.life is not None
        filename, installed = unit.filename, unit.installed
        of = ref(self)

        def ended(life: Any) -> None:
            environment = of()
            if environment is not None:
                environment._ended(filename, life, installed)

        self.units[filename] = unit.places()
        self._lives.setdefault(filename, []).append(ref(unit.life, ended))

    def _ended(self, filename: str, life: Any, installed: list[tuple[str, str]]) -> None:
        for module, name in installed:
            self.module(module).globals.pop(name, None)
        lives = self._lives.get(filename, [])
        if life in lives:
            lives.remove(life)
        if not lives:
            self._lives.pop(filename, None)
            if filename in self.units and not self.units[filename].steps:
                del self.units[filename]

    def shared_snapshot(self) -> Environment:
        """A snapshot that is the same until something is defined here. Only units that define nothing (`Unit.tacit`)
        may be loaded into it."""
        kept = self._shared
        if kept is not None and kept[0] == self.edition:
            return kept[1]
        made = self.snapshot()
        made.module(USER_MODULE)  # the first text there would be one that makes it
        if not self.defining and not self.marking:
            self._shared = self.edition, made
        return made

    def run(self, function: Any, args: list[Any]) -> Any:
        """Call a macro's function, purely and within limits."""
        return self._run(self, function, args)

    # ------------------------------------------------------------------ modules
    def module(self, name: str) -> Module:
        """The module of that name, made if there is none."""
        found = self.modules.get(name)
        if found is None:
            found = self.modules[name] = Module(name, self.core)
        return found

    def use_namespace(self, name: str) -> None:
        """Let programs name what is in a built-in namespace."""
        if name not in self._namespaces:
            self._namespaces.add(name)
            self.core.update(namespaces.load(name))

    def builtin_name(self, module: Module, name: str) -> str | None:
        """The full name of what `name` means in a built-in namespace, as seen from a module; None if it names none.
        Raises `undefined` if the namespace has no such name."""
        referred = module.builtin_names.get(name)
        if referred is not None and name not in module.defined:
            return referred
        prefix, slash, rest = name.partition("/")
        if not slash or not prefix or not rest or name in module.defined:
            return None
        target = module.aliases.get(prefix)
        if target is None:
            if prefix.startswith("java."):
                prefix = prefix.rpartition(".")[2]
            known = (prefix,) if namespaces.exists(prefix) else namespaces.USUAL_ALIASES.get(prefix, ())
        else:
            known = (target,) if namespaces.exists(target) else ()
        found = [one for one in known if namespaces.exists(one)]
        for one in found:
            if one == namespaces.CORE_NAMESPACE:
                return f"{one}/{rest}"
            self.use_namespace(one)
            if f"{one}/{rest}" in self.core:
                return f"{one}/{rest}"
        if found:
            raise undefined_in(found, name, rest)
        return None

    def mark(self) -> dict[str, tuple[Any, ...]]:
        """The state of modules before a text is compiled, by name; of the standard modules only from `touch` on, since
        hardly any text changes them. They are among `marking` until `unmark`."""
        marks = {name: () if name in STANDARD else one.checkpoint() for name, one in self.modules.items()}
        self.marking.append(marks)
        return marks

    def unmark(self, marks: dict[str, tuple[Any, ...]]) -> None:
        """The text of these marks is compiled."""
        self.marking = [one for one in self.marking if one is not marks]

    def touch(self, name: str) -> None:
        """A module is about to be compiled into."""
        for marks in self.marking:
            if marks.get(name) == ():
                marks[name] = self.modules[name].checkpoint()

    def restore(self, marks: dict[str, tuple[Any, ...]]) -> None:
        """Undo what a compilation told that failed: the modules are as they were when they were marked."""
        self.edition += 1
        for name in [name for name in self.modules if name not in marks and name != CORE_MODULE]:
            if not self.modules[name].loaded:
                del self.modules[name]
                self.files.pop(name, None)
        for name, mark in marks.items():
            if mark:
                self.modules[name].rollback(mark)

    def changed_since(self, marks: dict[str, tuple[Any, ...]]) -> bool:
        """True if the meaning of a name to the compiler has changed since the modules were marked. For macros, values
        of names count too."""
        macros = any(module.macros for name, module in self.modules.items() if name not in STANDARD)
        return self.modules.keys() != marks.keys() or any(
            self.modules[name].changed_since(mark, macros) for name, mark in marks.items() if mark
        )

    def module_value(self, module: str, name: str, /) -> Any:
        """The current value of a name of another module; templates use it to reach their own module's definitions."""
        try:
            return self.early(self.modules[module], global_name(name))
        except KeyError:
            raise EvalError("undefined", f"`{module}/{name}` is not defined") from None

    def early(self, module: Module, key: str, asking: Any = None) -> Any:
        """The value of a name of a module, available to macros even before the module has run. `key`: the name as
        spelled in globals. Raises KeyError for an unknown name."""
        if key in module.globals:
            return module.globals[key]
        namespace = module.early.get(key)
        if namespace is not None and namespace is not asking:
            return namespace[key]
        name = plain_name(key)
        if name in module.referred:
            home, there = module.referred[name]
            return self.early(self.modules[home], global_name(there))
        alias, _, rest = name.rpartition("/")
        target = self.modules.get(module.aliases.get(alias, ""))
        if target is not None and target is not module and target.exported(rest):
            return self.early(target, global_name(rest))
        raise KeyError(key)

    def bind_import(
        self, importer: Module, target: Module, alias: str | None, only: list[tuple[str, str]] | None
    ) -> None:
        """Define the names of a loaded module in the importer, as values; `only`: (name there, name here). Raises
        `undefined` for a name that the module lacks."""
        values = target.globals
        for name, here in only or ():
            key = global_name(name)
            if key in values:
                _hand_over(values, key, importer.globals, global_name(here))
            elif name not in target.macros and name not in target.types:
                raise EvalError("undefined", f"module `{target.name}` defines no `{name}`")
        if alias is not None:
            for name in target.defined:
                key = global_name(name)
                if key in values and target.exported(name):
                    _hand_over(values, key, importer.globals, global_name(f"{alias}/{name}"))

    def check_exports(self, module: Module) -> None:
        for name in module.exports or ():
            if global_name(name) not in module.globals and name not in module.macros and name not in module.types:
                raise CompileError("module/export", f"module `{module.name}` exports `{name}` but does not define it")
        module.loaded = True

    # ------------------------------------------------------------------ macros
    def core_macros(self) -> dict[str, Macro]:
        """The macros of stdlib/core.rtfs, compiled or loaded when the first macro is looked up."""
        module = self.module(CORE_MODULE)
        if not self._core_ready:
            self._core_ready = True
            from rtfs.compiler.compile import load_core

            load_core(self)
            self._core_macros = module.macros
        return module.macros

    def macro(self, module: Module, name: str) -> Macro | None:
        """The macro that a name means in a module, or None."""
        found = module.macros.get(name) if module.macros else None
        if found is not None:
            return found
        found = (self._core_macros or self.core_macros()).get(name)
        if found is not None:
            return None if name in module.defined else found
        if "/" in name and len(name) > 1:
            alias, _, rest = name.rpartition("/")
            target = self.modules.get(module.aliases.get(alias, ""))
            if target is not None and target.exported(rest):
                return target.macros.get(rest)
        return None

    def meaning(self, name: str) -> Any:
        """What the language means by a name at the head of a form, where the module does not know the name: a special
        form, FUNCTION for a standard function without a prefix, or None."""
        found: Any = SPECIAL_FORMS.get(name)
        if found is None and name in self.core and "/" not in name and name[0] != "." and name[-1] != ".":
            found = None if name in self.core_macros() else FUNCTION
        if found is not None:
            self.meanings[name] = found
        return found

    def template_macro(self, module: str, name: str) -> Macro | None:
        if module == CORE_MODULE:
            return self.core_macros().get(name)
        found = self.modules.get(module)
        return found.macros.get(name) if found is not None else None

    def template_name(self, module: str, name: str, here: Module) -> tuple[str, ...] | None:
        """The name by which a template symbol of `module` reaches that module's definition from `here`; None without a
        definition.

        ("global", name), ("core", name) or ("module", module, name).
        """
        if module == CORE_MODULE:
            if name not in CORE:
                return None
            return ("core", name) if name in here.defined else ("global", name)
        found = self.modules.get(module)
        if found is None or name not in found.defined:
            return None
        return ("global", name) if found is here else ("module", module, name)

    def expand(self, macro: Macro, form: Any) -> Any:
        """One expansion. Whatever goes wrong in it is `macro/expansion` (`form/shape` for the standard macros)."""
        try:
            return self.run(macro.function, form.raw()[1:])
        except LimitError:
            raise
        except CompileError as error:
            if error.code.startswith(("form/", "macro/", "limit/")):
                error.span = None
                raise
            from rtfs.compiler.macros import expansion_error

            raise expansion_error(macro, error) from error
        except UserError as error:
            from rtfs.compiler.macros import expansion_error

            raise expansion_error(macro, error) from error

    def macroexpand(self, module: str, form: Any, /) -> Any:
        """The form with macros at its head expanded, as `(macroexpand form)` answers."""
        here = self.module(module)
        for _ in range(MAX_MACROEXPAND):
            if form.__class__ is not List or not len(form) or form[0].__class__ is not Symbol:
                return form
            macro = self.macro(here, form[0].name)
            if macro is None:
                return form
            form = self.expand(macro, form)
        raise LimitError("limit/expansion", f"macros expanded more than {MAX_MACROEXPAND} times")

    def define_macro(self, analyser: Analyser, name: str, form: Any) -> None:
        """Compile a macro's function and make it known from here on."""
        from rtfs.compiler.macros import compile_macro

        compile_macro(analyser, name, form)

    # ------------------------------------------------------------------ types
    def resolve_type(self, module: Module) -> Callable[[str], Any]:
        """Types by name, as seen from a module."""

        def resolve(name: str) -> Any:
            found = module.types.get(name)
            if found is None and "/" in name:
                alias, _, rest = name.rpartition("/")
                target = self.modules.get(module.aliases.get(alias, ""))
                if target is not None and target.exported(rest):
                    found = target.types.get(rest)
            return found

        return resolve

    def check_type(self, form: Any, module: Module) -> Any:
        """The type of a type expression. Raises `type/unknown` or `type/malformed`."""
        from rtfs.types import parse_type

        return parse_type(form, self.resolve_type(module), module.types)


def undefined_in(searched: list[str], name: str, rest: str) -> CompileError:
    """The error for a name that built-in namespaces lack, with what they have."""
    from rtfs.syntax.suggest import did_you_mean

    names = [one for namespace in searched for one in namespaces.short_names(namespace)]
    near = did_you_mean(rest, names)
    hint = f"did you mean `{name.removesuffix(rest)}{near}`?" if near is not None else None
    where = " and ".join(f"`{one}`" for one in searched)
    listed = f"{where} {'has' if len(searched) == 1 else 'have'} {', '.join(names)}"
    return CompileError("undefined", f"`{name}` is not defined", hint=hint or listed)


def _hand_over(values: dict[str, Any], key: str, into: dict[str, Any], name: str) -> None:
    """Define a name of another module in this one, with its labels if it has any."""
    into[name] = values[key]
    tag = values.get(tag_name(key))
    if tag is not None:
        into[tag_name(name)] = tag
