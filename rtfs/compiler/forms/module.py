"""Special forms of modules and types: module, import, deftype, defstruct.

`module` and `import` are top-level matters, handled by compile.py before analysis; this module has their declaration
and the error for a misplaced one.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.nodes import Const, Node
from rtfs.compiler.analysis.special_forms import shape_error, special_form
from rtfs.types import Alias, parse_type
from rtfs.values import Keyword, Symbol, Vector
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.scope import Scope


@special_form(
    "module",
    "(module name form…)",
    "A module with its own names; `(:exports [name …])` lists those that others may use.",
    ("(module m (:exports [f]) (defn f [] 1)) (import m) (m/f)", "1"),
)
def analyse_module(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("module", "`module` belongs at the top level of a file")


@special_form(
    "import",
    "(import name option…)",
    "Use a module: names are `name/x`, or `alias/x` with `:as alias`; `:only [x]` binds them bare.",
    ("(module m (def x 1)) (import m :as n) n/x", "1"),
)
def analyse_import(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("import", "`import` belongs at the top level of a file or module")


@special_form(
    "export",
    "(export name…)",
    "What other modules may use of this one; without it and without `:exports`, everything.",
    ("(module m (export f) (defn f [] (g)) (defn g [] 1)) (import m) (m/f)", "1"),
    shadowable=True,
)
def analyse_export(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("export", "`export` is only allowed at the top level of a module")


@special_form(
    "ns",
    "(ns name doc? clause…)",
    "The head of a file: its name and what it uses, `(:require [clojure.string :as str :refer [join]])`.",
    ('(ns my.app (:require [clojure.string :as s])) (s/upper-case "a")', '"A"'),
)
def analyse_ns(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("ns", "`ns` is only allowed at the top level of a file")


@special_form(
    "require",
    "(require spec…)",
    "Use a built-in namespace or a module: `'[clojure.string :as str]`, also with `:refer` and `:rename`.",
    ('(require \'[clojure.string :as s :refer [capitalize]]) (capitalize "ab")', '"Ab"'),
)
def analyse_require(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("require", "`require` is only allowed at the top level of a file or module")


@special_form(
    "use",
    "(use spec…)",
    "Use a namespace and all its names as they are; `:only [name …]` some of them.",
    ('(use \'[clojure.string :only [capitalize]]) (capitalize "ab")', '"Ab"'),
)
def analyse_use(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    raise shape_error("use", "`use` is only allowed at the top level of a file or module")


@special_form(
    "deftype",
    "(deftype Name type)",
    "Name a type expression.",
    ("(deftype Age [:and int [:>= 0]]) ((fn [a : Age] a) 5)", "5"),
)
def analyse_deftype(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    if form[1].__class__ is not Symbol:
        raise shape_error("deftype", "`deftype` names a symbol")
    define_type(a, form[1].name, form[2])
    return Const(a.at, None)


@special_form(
    "defstruct",
    "(defstruct Name field…)",
    "Define a record type and a constructor that checks a map against it.",
    ("(defstruct Point :x int :y int) (Point {:x 1 :y 2})", "{:x 1 :y 2}"),
)
def analyse_defstruct(a: Analyser, form: Any, scope: Scope, tail: Any) -> Node:
    items = form.to_list()[1:]
    if items[0].__class__ is not Symbol:
        raise shape_error("defstruct", "`defstruct` names a symbol")
    name, fields = items[0].name, items[1:]
    if len(fields) % 2 or any(field.__class__ is not Keyword for field in fields[::2]):
        raise shape_error("defstruct", "fields come in pairs: a keyword and a type")
    entries = [Vector(pair) for pair in zip(fields[::2], fields[1::2], strict=True)]
    define_type(a, name, Vector([Keyword("map"), *entries]))
    # the constructor: one parameter, checked
    inner = type(scope)(scope)
    value = a.bind("value", inner)
    body = nodes.Cast(a.at, nodes.Local(a.at, value), Symbol(name), name)
    made = nodes.Fn(a.at, name, [nodes.Arity(a.at, [value], None, body)], None, False)
    if scope.local_definitions:
        binding = a.definition(name, scope)
        return nodes.Let(a.at, [(binding, made)], nodes.Local(a.at, binding))
    a.module.define(name)
    return a.declaring(nodes.Def(a.at, name, made))


def define_type(a: Analyser, name: str, form: Any) -> None:
    """Define a type name of the module, now and when the unit is loaded."""
    module = a.module
    alias = module.types.get(name)
    if alias is None or alias.bound:
        alias = Alias(name)
    before = module.types.get(name)
    module.types[name] = alias
    try:
        alias.bind(parse_type(form, a.environment.resolve_type(module), module.types))
    except CompileError:
        if before is not None and before is not alias:
            module.types[name] = before
        raise
    a.unit.define_type(module.name, name, form)
