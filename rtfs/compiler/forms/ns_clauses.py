"""The clauses of `ns`, `require`, `use` and `import`, as `Requirement`s.

Knows nothing of modules, files or built-in namespaces. Invariant: every spelling of Clojure's that names a namespace
becomes one `Requirement`; any other spelling is `form/shape`.
"""

from __future__ import annotations

from rtfs.compiler.analysis.special_forms import shape_error
from rtfs.values import Keyword, List, Map, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.values.error import CompileError

CORE = "clojure.core"
FLAGS = frozenset(("reload", "reload-all", "verbose"))
IGNORED = frozenset(("gen-class", "load", "import"))
"""Clauses of `ns` about Java's classes: there are none, so nothing needs to be done; a use of one is an error."""


class Requirement:
    """A namespace that is wanted. alias: what it is called here, or None. refer: (name there, name here) of what is to
    be bare; None for nothing. everything: all its names are to be bare. loads: False for `:as-alias`."""

    __slots__ = ("alias", "everything", "loads", "name", "refer")

    def __init__(self, name: str) -> None:
        self.name = name
        self.alias: str | None = None
        self.refer: list[tuple[str, str]] | None = None
        self.everything = False
        self.loads = True


def ns_requirements(form: Any) -> list[Requirement]:
    """The requirements in the clauses of `(ns name doc? attributes? clause…)`. Raises CompileError `form/shape`."""
    clauses = form.to_list()[2:]
    while clauses and clauses[0].__class__ in (str, Map):
        clauses = clauses[1:]
    found: list[Requirement] = []
    for clause in clauses:
        if clause.__class__ not in (List, Vector) or not len(clause) or clause[0].__class__ not in (Keyword, Symbol):
            raise shape_error("ns", "the clauses of `ns` are lists such as (:require [clojure.string :as str])")
        head, specs = clause[0].name, clause.to_list()[1:]
        if head == "require":
            found += requirements(specs, "ns")
        elif head == "use":
            found += requirements(specs, "ns", use=True)
        elif head == "refer-clojure":
            renamed = _options("ns", specs).get("rename")
            if renamed.__class__ is Map:
                one = Requirement(CORE)
                one.refer = _renamed([], renamed, "ns")
                found.append(one)
        elif head not in IGNORED:
            raise shape_error("ns", f"`ns` knows no clause (:{head} …)")
    return found


def requirements(specs: list[Any], form: str, use: bool = False) -> list[Requirement]:
    """The requirements in the arguments of `require` (or `use`), quoted or not. Raises CompileError `form/shape`."""
    found: list[Requirement] = []
    for spec in specs:
        spec = _unquoted(spec)
        if spec.__class__ is Symbol:
            found.append(_requirement(spec.name, [], form, use))
        elif spec.__class__ in (Vector, List) and len(spec) and spec[0].__class__ is Symbol:
            items = spec.to_list()
            if len(items) > 1 and items[1].__class__ is not Keyword:
                found += _with_prefix(items, form, use)
            else:
                found.append(_requirement(items[0].name, items[1:], form, use))
        elif spec.__class__ is not Keyword or spec.name not in FLAGS:
            raise _no_spec(form)
    return found


def _with_prefix(items: list[Any], form: str, use: bool) -> list[Requirement]:
    """`(clojure [string :as str] set)`: several below one prefix."""
    found: list[Requirement] = []
    for inner in requirements(items[1:], form, use):
        inner.name = f"{items[0].name}.{inner.name}"
        found.append(inner)
    return found


def _requirement(name: str, options: list[Any], form: str, use: bool) -> Requirement:
    one = Requirement(name)
    given = _options(form, options)
    for key in ("as", "as-alias"):
        if key in given:
            alias = given[key]
            if alias.__class__ is not Symbol:
                raise shape_error(form, f"`:{key}` names a symbol: [{name} :{key} alias]")
            one.alias, one.loads = alias.name, key == "as"
    wanted: Any = given.get("refer", given.get("only"))
    renamed = given.get("rename")
    if wanted is None:
        one.everything = use
    elif wanted is Keyword("all"):
        one.everything = True
    elif wanted.__class__ in (Vector, List) and all(item.__class__ is Symbol for item in wanted):
        one.refer = [(item.name, item.name) for item in wanted]
    else:
        raise shape_error(form, f"`:refer` takes a vector of names: [{name} :refer [name …]]")
    if renamed is not None:
        one.refer = _renamed(one.refer or [], renamed, form)
    return one


def _renamed(names: list[tuple[str, str]], renamed: Any, form: str) -> list[tuple[str, str]]:
    """The names, as `:rename {there here}` calls them here."""
    symbols = [*renamed, *renamed.values()] if renamed.__class__ is Map else [None]
    if any(one.__class__ is not Symbol for one in symbols):
        raise shape_error(form, "`:rename` takes a map of names: {name new-name}")
    table = {there.name: here.name for there, here in renamed.items()}
    kept = [(there, table.get(there, here)) for there, here in names]
    return kept + [pair for pair in table.items() if pair not in kept]


def _options(form: str, items: list[Any]) -> dict[str, Any]:
    """Keyword options in pairs; flags alone are left out."""
    items = [item for item in items if not (item.__class__ is Keyword and item.name in FLAGS)]
    if len(items) % 2 or any(item.__class__ is not Keyword for item in items[::2]):
        raise _no_spec(form)
    return {key.name: value for key, value in zip(items[::2], items[1::2], strict=True)}


def _unquoted(form: Any) -> Any:
    if form.__class__ is List and len(form) == 2 and form[0].__class__ is Symbol and form[0].name == "quote":
        return form[1]
    return form


def _no_spec(form: str) -> CompileError:
    return shape_error(form, f"`{form}` names namespaces: name, or [name :as alias :refer [name …]]")
