"""Names that nothing defines: noted while a source is analysed, told when all of it has been.

Knows nothing of running. Invariant: a name is told only if neither the text nor the environment defines it by the end
of the text; a guess at what was meant is made only among names that could be written in its place.
"""

from __future__ import annotations

from rtfs.compiler.mangling import global_name
from rtfs.values.error import EvalError
from rtfs.values.step_account import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.compiler.analysis.scope import Scope
    from rtfs.compiler.environment import Environment
    from rtfs.compiler.module import Module
    from rtfs.compiler.units.unit import UnitBuilder
    from rtfs.source import Span

MOST = 6
"""Names of a module that are listed."""
MOST_HINTS = 100
"""Undefined names of one text that are compared with the known ones, which takes milliseconds for each."""
CO_VARARGS = 0x04


class Use:
    """A use of a name that no local and no standard function has. call: the place of the call that it heads, or 0.
    count: of its arguments, or None."""

    __slots__ = ("at", "call", "count", "module", "name", "scope")

    def __init__(self, name: str, module: Module, at: int, scope: Scope) -> None:
        self.name = name
        self.module = module
        self.at = at
        self.scope = scope
        self.call = 0
        self.count: int | None = None


def is_known(name: str, module: Module, environment: Environment) -> bool:
    """Whether a name means something in a module."""
    if (
        name in module.defined
        or name in module.macros
        or name in environment.core
        or global_name(name) in module.globals
    ):
        return True
    alias, slash, rest = name.rpartition("/")
    target = environment.modules.get(module.aliases.get(alias, "")) if slash else None
    return target is not None and target.exported(rest) and rest in target.defined


def undefined_errors(uses: list[Use], unit: UnitBuilder, environment: Environment) -> list[EvalError]:
    """An error for each name that is not known, at its first use; none within a call of one that is told already, which
    may be meant for a form that binds names."""
    found: dict[tuple[str, str], EvalError] = {}
    calls: list[Span] = []
    unknown = [use for use in uses if not is_known(use.name, use.module, environment)]
    meant = unit.missing | _meant_to_be_defined(unknown, unit)
    for use in unknown:
        look()  # a suggestion compares hundreds of names
        key = (use.module.name, use.name)
        if key in found:
            continue
        if meant and (use.name in meant or use.name.rpartition("/")[0] in meant):
            continue
        span = unit.span_at(use.at)
        if span is not None and any(one.start <= span.start < one.end for one in calls):
            continue
        hinted = len(found) < MOST_HINTS
        found[key] = error = undefined(use.name, use.module, environment, span, use.scope, use.count, hinted)
        error.notes = unit.unit.expansions_at(use.at, environment.units)
        call = unit.span_at(use.call)
        if call is not None:
            calls.append(call)
    return list(found.values())


DEFINERS = frozenset(
    ("defmulti", "defmethod", "defprotocol", "defrecord", "definterface", "definline", "deftest", "defun", "define")
)
"""Forms of other Lisps that define names, and are not there."""


def _meant_to_be_defined(uses: list[Use], unit: UnitBuilder) -> set[str]:
    """Names that forms which are not there would define: one message, about the form, is enough for all of them."""
    found: set[str] = set()
    for use in uses:
        span = unit.span_at(use.call) if use.name in DEFINERS else None
        if span is None:
            continue
        from rtfs.syntax.lexemes import OPEN, SYMBOL, lexemes

        after_open = False
        for index, word in enumerate(lexemes(span.text)):
            # the name after the head, and the methods of a protocol: (defprotocol Shape (area [this]))
            if word.kind == SYMBOL and (index == 2 or (after_open and index > 2)):
                name = span.text[word.start : word.end]
                found.update((name, f"->{name}", f"map->{name}"))
            after_open = word.kind == OPEN
    return found


def undefined(
    name: str,
    module: Module,
    environment: Environment,
    span: Span | None,
    scope: Scope | None = None,
    count: int | None = None,
    hinted: bool = True,
) -> EvalError:
    """The error for a name; hinted: with what to write instead, if that can be told."""
    hint = _hint(name, module, environment, span, scope, count) if hinted else None
    return EvalError("undefined", f"`{name}` is not defined", span=span, hint=hint)


def in_a_namespace(name: str) -> str | None:
    """A hint for a name that a built-in namespace has."""
    from rtfs.builtins import clojure as namespaces

    for alias in ("str", "set", "walk", "math", "json"):
        for namespace in namespaces.USUAL_ALIASES[alias]:
            if namespaces.exists(namespace) and name in namespaces.short_names(namespace):
                return f"write `{alias}/{name}`, which needs no `require`"
    return None


def _misread(name: str, span: Span | None) -> str | None:
    """A hint about the form directly before a name, where no other form should end."""
    if span is None or span.start == 0:
        return None
    before = span.source.text[span.start - 1]
    if before == '"':
        return 'a text ended right before this; a quote within a text is written `\\"`'
    if name[0] == "." and before in ")]}":
        return f"there is no access with a dot: the value of a key is (:{name[1:]} value)"
    return None


def _hint(
    name: str, module: Module, environment: Environment, span: Span | None, scope: Scope | None, count: int | None
) -> str | None:
    from rtfs.syntax.foreign_names import hint_for
    from rtfs.syntax.suggest import did_you_mean

    alias, _, rest = name.rpartition("/")
    target = environment.modules.get(module.aliases.get(alias, "")) if alias else None
    if target is not None and rest in target.defined and not target.exported(rest):
        return f"module `{target.name}` does not export `{rest}`"
    of_module = _names_of(alias, module, environment)
    hint = None if of_module else _misread(name, span) or hint_for(name) or in_a_namespace(name)
    if hint is not None:
        return hint
    near = did_you_mean(name, _candidates(module, environment, scope, count, of_module))
    if near is not None:
        return f"did you mean `{near}`?"
    if of_module:
        more = ", …" if len(of_module) > MOST else ""
        return f"the module gives {', '.join(f'`{one}`' for one in of_module[:MOST])}{more}"
    return None


def _names_of(alias: str, module: Module, environment: Environment) -> list[str]:
    target = environment.modules.get(module.aliases.get(alias, "")) if alias else None
    if target is None or target is module:
        return []
    return sorted(f"{alias}/{one}" for one in target.defined if target.exported(one))


def _candidates(
    module: Module, environment: Environment, scope: Scope | None, count: int | None, of_module: list[str]
) -> Iterable[str]:
    """Names that could be written in the place: locals, the module's own, standard functions that take as many
    arguments."""
    while scope is not None:
        yield from scope.names
        scope = scope.parent
    yield from module.defined
    yield from of_module
    for name, value in environment.core.items():
        if name[0] not in " :_-" and "/" not in name and (count is None or _takes(value, count)):
            yield name
    if count is not None:
        from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS

        yield from environment.core_macros()
        yield from (name for name, form in SPECIAL_FORMS.items() if form.takes(count))


def _takes(function: Any, count: int) -> bool:
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    least = code.co_argcount - len(function.__defaults__ or ())
    return bool(least <= count and (count <= code.co_argcount or code.co_flags & CO_VARARGS))
