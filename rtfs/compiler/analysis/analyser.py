"""The analyser: forms to AST. Resolves names, expands macros, hands special forms to their declared functions.

Knows nothing of Python code or of running. Invariant: forms are analysed in the order of the text, so macros see what
was defined before them; every error carries the place of the form that is wrong, or of the macro call that made it.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.destructure import head_name
from rtfs.compiler.analysis.error_classes import error_class, known_class, made_code
from rtfs.compiler.analysis.inlined import CALLS
from rtfs.compiler.analysis.nodes import (
    Broken,
    Const,
    Global,
    Invoke,
    Local,
    MapDisplay,
    Node,
    Primitive,
    VectorDisplay,
)
from rtfs.compiler.analysis.scope import LoopContext, Names, Scope
from rtfs.compiler.analysis.special_forms import FUNCTION, SPECIAL_FORMS
from rtfs.compiler.analysis.undefined import Use
from rtfs.compiler.gate import AnalysedForm
from rtfs.compiler.marks import ExpandedInfo, TemplateMark
from rtfs.compiler.module import CORE_MODULE
from rtfs.types import names_type
from rtfs.values import Keyword, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.error import CompileError, UserError
from rtfs.values.info import FormInfo
from rtfs.values.step_account import PART, account, look, paced, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.environment import Environment
    from rtfs.compiler.module import Module
    from rtfs.compiler.units.unit import UnitBuilder

# Functions of the language that call functions they are given: calling one can lead back into the caller.
HIGHER_ORDER = frozenset(
    (
        *("any?", "apply", "comp", "comparator", "complement", "completing", "drop-while", "eduction", "every-pred"),
        *("every?", "filter", "filterv", "fnil", "for*", "group-by", "halt-when", "into", "iterate"),
        *("iteration", "juxt", "keep", "keep-indexed", "lazy-seq*", "map", "map-indexed", "mapcat", "mapv"),
        *("max-by", "max-key", "memoize", "merge-with", "min-by", "min-key", "not-any?", "not-every?"),
        *("partial", "partition-by", "reduce", "reduce-kv", "reductions", "remove", "repeatedly", "run!"),
        *("sequence", "some", "some-fn", "some?", "sort", "sort-by", "split-with", "take-while"),
        *("trampoline", "transduce", "tree-seq", "update", "update-in", "update-keys", "update-vals"),
    )
)

CORE_PREFIX = "clojure.core/"
METHODS = "java.methods"


def may_call(name: str) -> bool:
    """True if a standard function may call what it is given; any function of a namespace counts as one that may."""
    return name in HIGHER_ORDER or "." in name


# A local that a body declares before the definition is analysed; heads of the forms that do, or hold such forms.
DECLARED = -1
DECLARING = frozenset(("def", "defn", "defn-", "do"))
# Classes of forms that are themselves.
ATOMS = frozenset((str, int, float, bool, Keyword, type(None)))


class Analyser:
    """Analyses the forms of one module within one unit."""

    def __init__(self, unit: UnitBuilder, environment: Environment, module: Module) -> None:
        self.unit = unit
        self.environment = environment
        self.module = module
        self.names = Names()
        self.source, self.spans = unit.unit.source, unit.unit.spans
        self.at = 0

    def analysed(self, node: Node) -> AnalysedForm:
        """The top-level form at hand, of which `node` is the AST."""
        unit = self.unit
        declared, unit.declared = unit.declared, []
        return AnalysedForm(node, self.module.name, unit.unit, declared)

    def declaring(self, node: Node) -> Node:
        """Note a node that defines a name of the module or declares a capability."""
        self.unit.declared.append(node)
        return node

    # ------------------------------------------------------------------ places
    def locate(self, form: Any) -> int:
        """Span index of a form; a form without a place has that of the surrounding form."""
        if form.__class__ is Symbol and form.source is self.source:
            spans = self.spans
            spans += (form.start, form.end)
            return len(spans) // 2 - 1
        info = getattr(form, "info", None)
        if info.__class__ is FormInfo:
            if info.source is not self.source:
                return 0
            spans = self.spans
            spans += (info.start, info.end)
            return len(spans) // 2 - 1
        if info is None or info.__class__ is TemplateMark:
            return self.at
        if info.__class__ is ExpandedInfo:
            return int(info.at)
        return self.unit.span(info.source, info.start, info.end)

    def error(self, error: UserError, form: Any = None) -> UserError:
        """Set an error's place to that of `form` (or the current one) unless it has a place already."""
        if error.span is None:
            at = self.locate(form) if form is not None else self.at
            error.span = self.unit.span_at(at)
            error.notes += self.unit.unit.expansions_at(at, self.environment.units)
        return error

    # ------------------------------------------------------------------ forms
    def analyse(self, form: Any, scope: Scope, tail: LoopContext | None = None) -> Node:
        """AST of a form. `tail`: the loop that a `recur` here would go on with, or None."""
        kind = form.__class__
        if kind is List:
            account.worked += 1  # `work`, which costs more to call than it does
            if not account.worked & 0x7F:
                look()
            outer, info = self.at, form.info
            if info.__class__ is FormInfo and info.source is self.source:  # `locate`, spelled out
                spans = self.spans
                self.at = len(spans) >> 1
                spans += (info.start, info.end)
            else:
                self.at = self.locate(form)
            try:
                return self.analyse_list(form, scope, tail)
            except UserError as error:
                if self.unit.collect(self.error(error)):
                    return Broken(self.at)
                raise error from None
            finally:
                self.at = outer
        if kind is Symbol:
            return self.resolve(form, scope)
        if kind in ATOMS:
            return Const(self.at, form)
        work()
        if kind is Vector:
            at = self.locate(form)
            return VectorDisplay(at, self.analyse_all(form.raw(), scope)) if len(form) else Const(at, Vector.of([]))
        if kind is Map:
            parts: list[Node] = []
            for key, value in form.items():
                parts.append(self.analyse(key, scope))
                parts.append(self.analyse(value, scope))
            return MapDisplay(self.locate(form), parts)
        if kind is Set:
            return self.set_display(self.locate(form), [self.analyse(item, scope) for item in form])
        if kind is Regex:
            self.check_regex(form)
        return Const(self.at, form)

    def analyse_all(self, forms: list[Any], scope: Scope) -> list[Node]:
        """ASTs of forms that are evaluated one after the other, none of them in tail position."""
        found: list[Node] = []
        for form in forms if len(forms) <= PART else paced(forms):
            kind = form.__class__
            if kind is Symbol:
                found.append(self.resolve(form, scope))
            elif kind in ATOMS:
                found.append(Const(self.at, form))
            else:
                found.append(self.analyse(form, scope))
        return found

    def check_regex(self, regex: Any) -> None:
        """Raise CompileError `regex/invalid` for a regular expression that RE2 does not take."""
        from rtfs.syntax.patterns import PatternError, compile_pattern

        try:
            compile_pattern(regex.pattern, java=True)
        except PatternError as error:
            message = f"the regular expression is not valid: {error.reason}"
            raise self.error(CompileError("regex/invalid", message, hint=error.hint)) from None

    @staticmethod
    def set_display(at: int, elements: list[Node]) -> Node:
        """A set of these elements, made at compile time if all are constants."""
        if all(isinstance(element, Const) for element in elements):
            return Const(at, Set(element.value for element in elements))  # type: ignore[attr-defined]
        return Primitive(at, "set_of", elements)

    def analyse_list(self, form: Any, scope: Scope, tail: LoopContext | None) -> Node:
        items = form.raw()
        if not items:
            return Const(self.at, form)
        head, count = items[0], len(items)
        if head.__class__ is Symbol:
            name = head.name
            standard = self.standard(head, name, scope)
            if standard is FUNCTION:
                return self.analyse_call(form, items, scope)
            if standard is not None:
                if count <= standard.least or standard.most is not None:
                    standard.check_shape(count - 1)
                return standard.analyse(self, form, scope, tail)  # type: ignore[no-any-return]
            if scope.lookup(name) is None or _is_marked(head):
                if "/" in name or name in self.module.builtin_names:
                    core = self.core_symbol(head)
                    if core is not None:
                        return self.analyse_list(List([core, *items[1:]]).with_info(form.info), scope, tail)
                macro = self.macro(head)
                if macro is not None:
                    expanded = self.expand(macro, form)
                    self.at = self.unit.expansion(self.at, macro)
                    return self.analyse(expanded, scope, tail)
                special = SPECIAL_FORMS.get(name)
                if special is not None and not (special.shadowable and name in self.module.defined):
                    special.check_shape(count - 1)
                    node: Node = special.analyse(self, form, scope, tail)
                    return node
                if name[0] == "." and len(name) > 1 and count > 1:
                    return self.analyse_method(form, name, scope, tail)
                if name[-1] == "." and len(name) > 1 and not self.means_something(name):
                    return self.analyse_constructor(name[:-1], items[1:], scope)
        elif head.__class__ is Keyword and 2 <= count <= 3:
            return Primitive(self.at, "keyword_get", self.analyse_all(items, scope))
        return self.analyse_invoke(form, items, scope, tail)

    def standard(self, head: Any, name: str, scope: Scope) -> Any:
        """What the language says that a head means, if it surely means that here: a special form, or FUNCTION for a
        standard function; None for any other head, a macro's among them."""
        module = self.module
        if name in scope.ever or name in module.defined or name in module.macros or name in module.builtin_names:
            return None
        if head.source is None and _is_marked(head) and head.info.module != CORE_MODULE:
            return None
        found = self.environment.meanings.get(name)
        return found if found is not None else self.environment.meaning(name)

    def analyse_call(self, form: Any, items: list[Any], scope: Scope) -> Node:
        """A call of the standard function that the head means. items: of the form."""
        at, name = self.at, items[0].name
        inline = CALLS.get(name)
        if inline is not None:
            inlined: Node | None = inline(self, form, name, scope)
            if inlined is not None:
                return inlined
        if name in HIGHER_ORDER:
            scope.function.ticks = True
        function = Global(self.locate(items[0]), name, True)
        return Invoke(at, function, self.analyse_all(items[1:], scope))

    def analyse_constructor(self, name: str, arguments: list[Any], scope: Scope) -> Node:
        """`(Name. argument…)` of a class of errors."""
        if known_class(name) is None:
            from rtfs.syntax.foreign_names import constructor_hint

            raise CompileError("form/shape", f"`{name}` is not a class of errors", hint=constructor_hint(name))
        code = Const(self.at, made_code(error_class(name)))
        return Primitive(self.at, "new_error", [code, *self.analyse_all(arguments, scope)])

    def means_something(self, name: str) -> bool:
        """Whether the module or the environment defines a name."""
        return name in self.module.defined or name in self.environment.core

    def analyse_method(self, form: Any, name: str, scope: Scope, tail: LoopContext | None) -> Node:
        """`(.method x a)`: a method of Java's that has a meaning here, else `(method x a)`."""
        if name[1:] not in self.module.defined:
            self.environment.use_namespace(METHODS)
            if name in self.environment.core:
                self.unit.use_namespace(METHODS)
                arguments = self.analyse_all(form.raw()[1:], scope)
                return Invoke(self.at, Global(self.at, name, True), arguments)
        function = Symbol(name[1:], getattr(form[0], "info", None))
        return self.analyse(List([function, *form[1:]]).with_info(form.info), scope, tail)

    def analyse_invoke(self, form: Any, items: list[Any], scope: Scope, tail: LoopContext | None) -> Node:
        """A call of what the head evaluates to. items: of the form."""
        at = self.at
        uses = self.unit.uses
        noted = len(uses)
        function = self.analyse(items[0], scope)
        core = None
        if function.__class__ is Global:
            core = function.name if function.core else None
            if core is not None and core in CALLS:
                inlined: Node | None = CALLS[core](self, form, core, scope)
                if inlined is not None:
                    return inlined
            elif len(uses) == noted + 1:
                uses[-1].count, uses[-1].call = len(items) - 1, at
        arguments = self.analyse_all(items[1:], scope)
        own = scope.self_call
        if own is not None and tail is own.target and len(arguments) == own.arity and self._calls_itself(function, own):
            own.target.used = True
            return nodes.Recur(at, own.target, arguments)
        if core is None or may_call(core):
            scope.function.ticks = True
        return Invoke(at, function, arguments)

    @staticmethod
    def _calls_itself(function: Node, own: Any) -> bool:
        if isinstance(function, Local):
            return function.binding is own.name
        return isinstance(function, Global) and function.name == own.name

    def resolve(self, symbol: Symbol, scope: Scope) -> Node:
        """The meaning of a symbol in value position."""
        name = symbol.name
        if symbol.source is self.source:  # `locate`, spelled out
            spans = self.spans
            at = len(spans) >> 1
            spans += (symbol.start, symbol.end)
        else:
            at = self.locate(symbol)
        mark = None if symbol.source is not None else symbol.info
        if mark.__class__ is TemplateMark:
            reach = self.environment.template_name(mark.module, name, self.module)
            if reach is not None:
                if reach[0] == "global":
                    return Global(at, name, self.is_core(name))
                operation = "core_function" if reach[0] == "core" else "module_value"
                return Primitive(at, operation, [Const(at, part) for part in reach[1:]])
        if name in scope.ever:
            binding = scope.lookup(name)
            if binding is not None:
                binding.uses += 1
                return Local(at, binding)
        if "/" in name or name in self.module.builtin_names:
            full = self.builtin_name(symbol)
            if full is not None:
                return self._builtin(full, at, scope)
            prefix, _, rest = name.rpartition("/")
            if rest and self.module.name in (prefix, self.module.aliases.get(prefix)):
                return self._global(rest, at, scope)
        if name == ":" or name == "&":
            from rtfs.syntax.builder import NO_COLONS

            hint = NO_COLONS if name == ":" else None
            raise self.error(CompileError("form/shape", f"a lone `{name}` has no value", hint=hint), symbol)
        if name in self.environment.core and name not in self.module.macros:
            return self._global(name, at, scope)
        if self.macro(symbol) is not None or (name in SPECIAL_FORMS and name not in self.module.defined):
            what = "a macro" if name not in SPECIAL_FORMS else "a special form"
            raise self.error(
                CompileError("form/shape", f"`{name}` is {what}, not a value", hint=f"call it: ({name} …)"), symbol
            )
        return self._global(name, at, scope)

    def _global(self, name: str, at: int, scope: Scope) -> Global:
        """A name of the module, or a standard one; noted where it is neither yet."""
        core = self.is_core(name)
        if not core and name not in self.module.defined:
            self.unit.uses.append(Use(name, self.module, at, scope))
        key = (self.module.name, name)
        return Global(at, name, core, key in self.unit.data, None if core else self.unit.traits.get(key))

    def builtin_name(self, symbol: Symbol) -> str | None:
        """The full name of what a symbol means in a built-in namespace, or None. The symbol of a template means what
        it does in the template's module."""
        try:
            mark = symbol.info
            if mark.__class__ is TemplateMark and mark.module in self.environment.modules:
                found = self.environment.builtin_name(self.environment.modules[mark.module], symbol.name)
                if found is not None:
                    return found
            return self.environment.builtin_name(self.module, symbol.name)
        except CompileError as error:
            raise self.error(error, symbol) from None

    def core_symbol(self, symbol: Symbol) -> Symbol | None:
        """The standard name that a symbol with the prefix of clojure.core means, whatever the module defines."""
        full = self.builtin_name(symbol)
        if full is None or not full.startswith(CORE_PREFIX):
            return None
        return Symbol(full[len(CORE_PREFIX) :], TemplateMark("rtfs.core"))

    def _builtin(self, full: str, at: int, scope: Scope) -> Node:
        if full.startswith(CORE_PREFIX):
            return self.resolve(Symbol(full[len(CORE_PREFIX) :], TemplateMark("rtfs.core")), scope)
        self.unit.use_namespace(full.partition("/")[0])
        value = self.environment.core[full]
        return Global(at, full, True) if callable(value) else Const(at, value)

    def is_core(self, name: str) -> bool:
        """True if `name` here means the standard function of that name, whatever happens later."""
        return name in self.environment.core and name not in self.module.defined

    # ------------------------------------------------------------------ macros
    def macro(self, symbol: Symbol) -> Any:
        """The macro that a symbol in head position names, or None."""
        if _is_marked(symbol):
            found = self.environment.template_macro(symbol.info.module, symbol.name)
            if found is not None:
                return found
        return self.environment.macro(self.module, symbol.name)

    def expand(self, macro: Any, form: Any) -> Any:
        """One expansion of a macro call, counted against the unit's limit."""
        self.unit.count_expansion()
        return self.environment.expand(macro, form)

    def expand_fully(self, form: Any, scope: Scope) -> Any:
        """Expand until the head is not a macro."""
        return self.headed(form, scope)[0] if form.__class__ is List else form

    def headed(self, form: Any, scope: Scope) -> tuple[Any, str]:
        """A list form, expanded until its head is not a macro, and the name of the head; "" if that is no symbol."""
        head = form.first()
        if head.__class__ is not Symbol:
            return form, ""
        name = head.name
        if self.standard(head, name, scope) is not None:
            return form, name
        form = self._expanded(form, scope)
        return form, head_name(form)

    def _expanded(self, form: Any, scope: Scope) -> Any:
        outer = self.at
        try:
            while form.__class__ is List:
                head = form.first()
                if head.__class__ is not Symbol:
                    break
                name = head.name
                if self.standard(head, name, scope) is not None:
                    break
                if scope.lookup(name) is not None and not _is_marked(head):
                    break
                if "/" in name or name in self.module.builtin_names:
                    core = self.core_symbol(head)
                    if core is not None:
                        head, form = core, List([core, *form[1:]]).with_info(form.info)
                macro = self.macro(head)
                if macro is None:
                    break
                self.at = self.locate(form)
                work()  # a macro may expand to a call of itself for ever
                expanded = self.expand(macro, form)
                if expanded.__class__ is List and expanded.info is None and form.info is not None:
                    at = self.unit.expansion(self.at, macro)
                    expanded = expanded.with_info(form.info if at == self.at else ExpandedInfo(form.info, at))
                form = expanded
            return form
        except UserError as error:
            raise self.error(error) from None
        finally:
            self.at = outer

    # ------------------------------------------------------------------ types
    def is_type(self, form: Any) -> bool:
        """True if a form reads as a type here, the module's own types included."""
        return names_type(form, self.environment.resolve_type(self.module))

    # ------------------------------------------------------------------ bodies
    def body(self, forms: list[Any], scope: Scope, tail: LoopContext | None = None) -> Node:
        """A sequence of forms in a body; definitions among them are local to it and see each other."""
        if scope.local_definitions:
            expanded, declaring = [], False
            for form in forms:
                if form.__class__ is List:
                    form, head = self.headed(form, scope)
                    declaring = declaring or head in DECLARING
                expanded.append(form)
            forms = expanded
            if declaring:
                for form in paced(forms):
                    self._declare_local(form, scope)
        return self.sequence(forms, scope, tail)

    def sequence(self, forms: list[Any], scope: Scope, tail: LoopContext | None) -> Node:
        """Forms that are evaluated one after the other, the last one for its value."""
        if len(forms) == 1:
            return self.analyse(forms[0], scope, tail)
        if not forms:
            return Const(self.at, None)
        parts = self.analyse_all(forms[:-1], scope)
        parts.append(self.analyse(forms[-1], scope, tail))
        return nodes.Do(self.at, parts)

    def _declare_local(self, form: Any, scope: Scope) -> None:
        """Bring a definition's name into scope before the body is analysed."""
        head = head_name(form)
        if head not in DECLARING or len(form) < 2:
            return
        if head == "do":
            for part in form[1:]:
                self._declare_local(part, scope)
        elif form[1].__class__ is Symbol:
            name = form[1].name.split(":", 1)[0] if head == "def" else form[1].name
            self.bind(name, scope).definitions = DECLARED

    def definition(self, name: str, scope: Scope) -> nodes.Binding:
        """The local that a definition in a body gives a value: what the body declared, else what an earlier definition
        in the same scope made, never a parameter or what a `let` bound."""
        binding = scope.names.get(name)
        if binding is None or not binding.definitions:
            binding = self.bind(name, scope)
        binding.definitions = 1 if binding.definitions in (0, DECLARED) else 2
        return binding

    def bind(self, name: str, scope: Scope) -> nodes.Binding:
        """A new local of that name, visible in `scope` from now on."""
        binding = self.fresh(name, scope)
        scope.bind(name, binding)
        return binding

    def fresh(self, name: str, scope: Scope) -> nodes.Binding:
        """A local that no form can name."""
        return nodes.Binding(name, self.names.local(name), scope.function, scope.loop)

    def unnamed(self, scope: Scope) -> nodes.Binding:
        """A local that no form can name, and that gives its name to no function."""
        return nodes.Binding("", self.names.local(" part"), scope.function, scope.loop)


def _is_marked(symbol: Symbol) -> bool:
    """True for a symbol from the template of a macro. (A note of a symbol that was read is only made for who asks.)"""
    return symbol.source is None and symbol.info.__class__ is TemplateMark
