"""The top level of a source: each form becomes a step of the unit; modules and imports are handled here.

Knows nothing of the cache or of running.
"""

from __future__ import annotations

import rtfs.compiler.forms.binding
import rtfs.compiler.forms.changing
import rtfs.compiler.forms.control
import rtfs.compiler.forms.host
import rtfs.compiler.forms.inlining
import rtfs.compiler.forms.module
import rtfs.compiler.forms.plan  # noqa: F401 - importing these modules declares the special forms
from rtfs.builtins import clojure as namespaces
from rtfs.compiler import imports
from rtfs.compiler.analysis.analyser import Analyser
from rtfs.compiler.analysis.destructure import is_list_headed
from rtfs.compiler.analysis.foreign_syntax import check_top_level
from rtfs.compiler.analysis.nodes import Const
from rtfs.compiler.analysis.scope import Names, Scope
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS, shape_error
from rtfs.compiler.codegen.generator import generate
from rtfs.compiler.environment import undefined_in
from rtfs.compiler.forms.ns_clauses import Requirement, ns_requirements, requirements
from rtfs.compiler.forms.plan import acting_beside_plan, acts, after_plan
from rtfs.compiler.macros import namespace_of
from rtfs.compiler.units.unit import Step, Unit, UnitBuilder
from rtfs.types import Alias
from rtfs.values import Keyword, List, Symbol, Vector
from rtfs.values.error import CompileError, UserError
from rtfs.values.step_account import work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.nodes import Node
    from rtfs.compiler.environment import Environment
    from rtfs.compiler.module import Module
    from rtfs.source import Source

    Placed = list[tuple[Any, int]]


class UnitCompiler:
    """Compiles the forms of one source.

    make_code: the code of an analysed top-level form, as `function_of` takes it.
    """

    def __init__(
        self,
        source: Source,
        environment: Environment,
        key: bytes,
        make_code: Callable[[Analyser, Node], Any] = generate,
    ) -> None:
        self.make_code = make_code
        self.environment = environment
        self.source = source
        self.builder = UnitBuilder(source, key.hex()[:12])
        self.noted: set[tuple[str, str]] = set()
        """Modules and names of the unit's definitions."""
        self.acting: int | None = None
        """The place of the first form that is not a definition, in case a `plan` follows it."""

    def compile(self, forms: list[Any], module: Module) -> Unit:
        """The unit of a source's forms."""
        check_top_level(forms)
        analyser = Analyser(self.builder, self.environment, module)
        offsets = iter(forms.offsets)  # type: ignore[attr-defined]
        places = [self.builder.span(self.source, start, end) for start, end in zip(offsets, offsets, strict=True)]
        for name, part in self.by_namespace(list(zip(forms, places, strict=True))):
            if name is not None:
                self.module_body(name, None, part, analyser)
                continue
            self.prescan([form for form, _ in part], module)
            for form, analyser.at in part:
                self.form(form, analyser)
        unit = self.builder.unit
        unit.keywords = sorted(self.builder.keywords)
        return unit

    def by_namespace(self, forms: Placed) -> list[tuple[str | None, Placed]]:
        """The forms in parts, each with the name of the module that `ns` opens for it: in a file that is being imported
        all below an `ns`, else all but the last of several. None: the module that is compiled into."""
        heads = [at for at, (form, _) in enumerate(forms) if is_list_headed(form, "ns") and len(form) > 1]
        importing = bool(self.environment.importing)
        if not heads or (len(heads) == 1 and not importing):
            return [(None, forms)]
        parts: list[tuple[str | None, Placed]] = [(None, forms[: heads[0]])]
        for start, end in zip(heads, [*heads[1:], len(forms)], strict=True):
            own = end == len(forms) and not importing
            parts.append((None if own else str(forms[start][0][1]), forms[start:end]))
        return parts

    def prescan(self, forms: Any, module: Module) -> None:
        """Note the names a source defines before any form is analysed: such a name is not a standard function here."""
        for form in forms:
            parts = form.raw() if form.__class__ is List else ()
            if len(parts) < 2 or parts[0].__class__ is not Symbol:
                continue
            head, named = parts[0].name, parts[1]
            if head == "do":
                self.prescan(parts[1:], module)
            elif named.__class__ is Symbol:
                if head in ("def", "defn", "defn-", "defstruct"):
                    self.note(module, named.name.split(":", 1)[0] if head == "def" else named.name)
                if head in ("deftype", "defstruct"):
                    module.types.setdefault(named.name, Alias(named.name))

    def note(self, module: Module, name: str) -> None:
        module.defined.add(name)
        if (module.name, name) not in self.noted:
            self.noted.add((module.name, name))
            self.builder.unit.definitions.setdefault(module.name, []).append(name)

    # ------------------------------------------------------------------ forms
    def form(self, form: Any, analyser: Analyser) -> None:
        work()  # a macro may double its form a dozen times; a constant takes no other look at the clock
        scope = Scope(None)
        outer = analyser.at
        try:
            form, head = analyser.headed(form, scope) if form.__class__ is List else (form, "")
            if head == "do":
                for part in form[1:] if len(form) > 1 else [None]:
                    analyser.at = analyser.locate(part) or outer
                    self.form(part, analyser)
                    analyser.at = outer
            elif head == "module":
                analyser.at = analyser.locate(form)
                self.module(form, analyser)
            elif head == "import":
                analyser.at = analyser.locate(form)
                self.import_(form, analyser)
            elif head == "export":
                analyser.at = analyser.locate(form)
                self.export(form, analyser.module)
            elif head in ("ns", "require", "use"):
                analyser.at = analyser.locate(form)
                self.namespace(form, analyser)
            else:
                self.beside_plan(form, head, analyser)
                self.code(form, head, analyser, scope)
        except UserError as error:
            if not self.builder.collect(analyser.error(error)):
                raise error from error.__cause__
        finally:
            analyser.at = outer

    def beside_plan(self, form: Any, head: str, analyser: Analyser) -> None:
        """Note the `plan` of the source. Raises CompileError for a form that may not appear in its file."""
        builder = self.builder
        if builder.plan is not None:
            raise after_plan(form)
        if head == "plan" and "plan" not in analyser.module.defined:
            if self.environment.importing:
                raise shape_error("plan", "a file with a `plan` is a program, not a module")
            builder.plan = form
            if self.acting is not None:
                analyser.at = self.acting
                raise analyser.error(acting_beside_plan())
        elif self.acting is None and acts(form, head):
            self.acting = analyser.locate(form)

    def code(self, form: Any, head: str, analyser: Analyser, scope: Scope) -> None:
        analyser.names = Names(len(self.builder.unit.spans))
        module = analyser.module
        module.fresh = []
        node = analyser.analyse(form, scope)
        for name in module.fresh:
            if name in module.defined:
                self.note(module, name)
        if head in ("defmacro", "deftype") and isinstance(node, Const) and node.value is None:
            self.builder.unit.steps.append(Step("nil", module.name))
            return
        self.environment.note(node, analyser)
        code = self.make_code(analyser, node)
        defined: str | None = None
        if head in ("def", "defn", "defn-") and len(form) > 1 and form[1].__class__ is Symbol:
            defined = form[1].name
            namespace_of(analyser).remember(defined, code, self.environment.run)
        self.builder.unit.steps.append(Step("code", module.name, code, defined))

    # ------------------------------------------------------------------ modules
    def module(self, form: Any, analyser: Analyser) -> None:
        items = form.to_list()[1:]
        if not items or items[0].__class__ is not Symbol:
            raise shape_error("module", "`module` names a symbol")
        name, body = items[0].name, items[1:]
        exports: list[str] | None = None
        if body and body[0].__class__ is List and len(body[0]) and body[0][0] is Keyword("exports"):
            exports = self.names(body[0][1] if len(body[0]) == 2 else None, ":exports")
            body = body[1:]
        self.module_body(name, exports, [(part, analyser.locate(part) or analyser.at) for part in body], analyser)

    def module_body(self, name: str, exports: list[str] | None, body: Placed, analyser: Analyser) -> None:
        """Compile forms as a module."""
        environment = self.environment
        if name in environment.importing[:-1] or (name == analyser.module.name):
            raise CompileError("module/nested", f"module `{name}` is nested within itself")
        environment.touch(name)
        self.declare(("module", name, tuple(exports) if exports is not None else None))
        module = environment.module(name)
        inner = Analyser(self.builder, environment, module)
        self.prescan([form for form, _ in body], module)
        opened = name not in environment.importing
        if opened:
            environment.importing.append(name)
        try:
            for part, inner.at in body:
                self.form(part, inner)
        finally:
            if opened:
                environment.importing.remove(name)
        self.builder.unit.steps.append(Step("exports", name))

    def import_(self, form: Any, analyser: Analyser) -> None:
        items = form.to_list()[1:]
        if items and items[0].__class__ is Vector:
            for one in requirements(items, "import"):
                self.require(one, analyser.module)
            return
        if not items or items[0].__class__ is not Symbol:
            error = shape_error("import", "`import` names a symbol")
            if items and is_list_headed(items[0], "quote"):
                from rtfs.syntax.foreign_names import NO_JAVA_CLASSES

                error.hint = NO_JAVA_CLASSES
            raise error
        name, options = items[0].name, items[1:]
        if len(options) % 2:
            raise shape_error("import", "options come in pairs: `:as alias`, `:only [names]`")
        alias: str | None = name
        only: list[str] | None = None
        for key, value in zip(options[::2], options[1::2], strict=True):
            if key is Keyword("as") and value.__class__ is Symbol:
                alias = value.name
            elif key in (Keyword("only"), Keyword("refer")):
                only = self.names(value, str(key))
            else:
                raise shape_error("import", "`import` takes `:as alias` and `:only [names]`")
        wanted = Requirement(name)
        wanted.alias = alias
        if only is not None:
            wanted.refer = [(one, one) for one in only]
        self.require(wanted, analyser.module)

    def export(self, form: Any, module: Module) -> None:
        """`(export name…)` or `(export [name …])`: like `:exports` of the module, for these names too."""
        items = form.to_list()[1:]
        if len(items) == 1 and items[0].__class__ in (Vector, List):
            items = items[0].to_list()
        self.declare(("export", module.name, tuple(self.names(Vector(items), "export"))))
        self.builder.unit.steps.append(Step("nil", module.name))

    def namespace(self, form: Any, analyser: Analyser) -> None:
        """`ns`, `require` and `use`: the namespace of a file is the module that it is compiled into."""
        special = SPECIAL_FORMS[form[0].name]
        special.check_shape(len(form) - 1)
        module = analyser.module
        if special.name == "ns":
            if form[1].__class__ is not Symbol:
                raise shape_error("ns", "`ns` names a symbol: (ns my.app …)")
            if form[1].name != module.name:
                self.declare(("alias", module.name, form[1].name, module.name))
            wanted = ns_requirements(form)
        else:
            wanted = requirements(form.to_list()[1:], special.name, use=special.name == "use")
        self.builder.unit.steps.append(Step("nil", module.name))
        failed: UserError | None = None
        for one in wanted:
            try:
                self.require(one, module)
            except CompileError as error:
                failed = failed or error
                # what it would have given is not told once more as undefined
                self.builder.missing.update({one.alias or one.name, *(here for _, here in one.refer or ())})
        if failed is not None:
            raise failed

    def require(self, wanted: Requirement, importer: Module) -> None:
        """Make the names of a module or a built-in namespace known to the importer."""
        name = wanted.name
        if namespaces.exists(name):
            self.require_builtin(wanted, importer)
            return
        if not wanted.loads:
            self.declare(("alias", importer.name, wanted.alias or name, name))
            return
        imports.require(name, self.environment, self.source, self.builder.unit)
        target = self.environment.module(name)
        refer = wanted.refer
        if wanted.everything:
            names = sorted({*target.defined, *target.macros, *target.types})
            refer = [(one, one) for one in names if target.exported(one)]
        for one, _ in refer or ():
            if not target.exported(one):
                raise CompileError("module/private", f"module `{name}` does not export `{one}`")
            if one not in target.defined and one not in target.macros and one not in target.types:
                raise CompileError("module/private", f"module `{name}` defines no `{one}`")
        alias = wanted.alias or name
        self.declare(("alias", importer.name, alias, name))
        if refer is not None:
            self.declare(("refer", importer.name, name, tuple(refer)))
            for _, one in refer:
                if one in importer.defined:
                    self.note(importer, one)
        self.builder.unit.steps.append(Step("import", importer.name, None, (name, alias, refer)))

    def require_builtin(self, wanted: Requirement, importer: Module) -> None:
        name = wanted.name
        if wanted.alias is not None:
            self.declare(("alias", importer.name, wanted.alias, name))
        if name == namespaces.CORE_NAMESPACE:
            referred = [(here, f"{name}/{there}") for there, here in wanted.refer or ()]
        else:
            self.environment.use_namespace(name)
            names = namespaces.short_names(name)
            pairs = [(one, one) for one in names] if wanted.everything else wanted.refer or []
            for one, _ in pairs:
                if one not in names:
                    raise undefined_in([name], f"{name}/{one}", one)
            referred = [(here, f"{name}/{there}") for there, here in pairs]
        if referred:
            self.declare(("builtins", importer.name, tuple(referred)))

    def names(self, form: Any, what: str) -> list[str]:
        if form.__class__ not in (Vector, List) or any(one.__class__ not in (Symbol, Keyword) for one in form):
            raise shape_error("import" if what != ":exports" else "module", f"`{what}` takes a vector of names")
        return [one.name for one in form]

    def declare(self, fact: tuple[Any, ...]) -> None:
        self.builder.unit.facts.append(fact)
        imports.apply_declaration(fact, self.environment)
