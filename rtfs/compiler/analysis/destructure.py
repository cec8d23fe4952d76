"""Destructuring: a pattern and a value become single bindings, in order.

Knows nothing of the forms that bind. Vectors are lenient (missing is nil, more is ignored), maps take defaults for
missing keys, nil destructures to nils; anything else that does not fit is a type error when it runs.
"""

from __future__ import annotations

from rtfs.compiler.analysis.nodes import Binding, Const, If, Local, Node, Primitive
from rtfs.compiler.analysis.scope import Scope
from rtfs.compiler.analysis.special_forms import shape_error
from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser

Bindings = list[tuple[Binding, Node]]


def destructure(analyser: Analyser, pattern: Any, value: Node, scope: Scope) -> Bindings:
    """Bindings that take `value` apart as `pattern` says. Names come into `scope` as they are bound."""
    found: Bindings = []
    take_apart(analyser, pattern, value, scope, found)
    return found


def is_simple(pattern: Any) -> bool:
    """True if the pattern is one name."""
    return pattern.__class__ is Symbol


def binding_name(symbol: Symbol) -> str:
    """The name a symbol may bind; raises for what cannot be bound."""
    name = symbol.name
    if name[0] in "&:." and (name in ("&", ":") or (name[0] == "." and len(name) > 1 and name != "..")):
        raise CompileError("form/shape", f"`{name}` cannot be bound")
    return name


def take_apart(analyser: Analyser, pattern: Any, value: Node, scope: Scope, found: Bindings) -> None:
    """`destructure`, to the end of `found`."""
    kind = pattern.__class__
    if kind is Symbol:
        name = binding_name(pattern)
        # `_` ignores: the value is computed and checked, but no name appears
        binding = analyser.fresh(name, scope)
        found.append((binding, value))
        if name != "_":
            scope.bind(name, binding)
    elif kind is Vector:
        _vector(analyser, pattern, value, scope, found)
    elif kind is Map:
        _map(analyser, pattern, value, scope, found)
    else:
        raise analyser.error(
            CompileError(
                "form/shape",
                "a pattern is a name, a [vector] or a {map} of patterns",
                hint="for a typed name write `name : type`",
            ),
            pattern,
        )


def hold(analyser: Analyser, value: Node, scope: Scope, found: Bindings) -> Local:
    """Bind a value to a nameless local, so that it is computed once."""
    if isinstance(value, Local):
        return value
    binding = analyser.unnamed(scope)
    found.append((binding, value))
    return Local(value.at, binding)


def whole_name(pattern: Any) -> Symbol | None:
    """The name that a pattern gives to the whole value by `:as`, if it does."""
    whole = None
    if pattern.__class__ is Map:
        whole = pattern.get(AS)
    elif pattern.__class__ is Vector and len(pattern) >= 2 and pattern[-2] is AS:
        whole = pattern[-1]
    return whole if whole.__class__ is Symbol and whole.name != "_" else None


def _whole(analyser: Analyser, pattern: Any, value: Node, scope: Scope, found: Bindings) -> Local:
    """Bind the whole value as `:as` says; the local that holds it. A name that means it already stays as it is."""
    if pattern.__class__ is not Symbol:
        held = hold(analyser, value, scope, found)
        take_apart(analyser, pattern, held, scope, found)
        return held
    if isinstance(value, Local) and scope.names.get(pattern.name) is value.binding:
        return value
    take_apart(analyser, pattern, value, scope, found)
    return Local(value.at, found[-1][0])


def _vector(analyser: Analyser, pattern: Any, value: Node, scope: Scope, found: Bindings) -> None:
    at = analyser.locate(pattern)
    items = pattern.raw()
    whole = None
    if len(items) >= 2 and items[-2] is AS:
        whole = items[-1]
        items = items[:-2]
    if whole is not None:
        value = _whole(analyser, whole, value, scope, found)
    if not any(item.__class__ is Symbol and item.name == "&" for item in items):
        unpacked = hold(analyser, Primitive(at, "pattern_items", [value, Const(at, len(items))]), scope, found)
        for index, item in enumerate(items):
            take_apart(analyser, item, Primitive(at, "unpacked", [unpacked, Const(at, index)]), scope, found)
        return
    sequence = hold(analyser, Primitive(at, "pattern_sequence", [value]), scope, found)
    index = 0
    while index < len(items):
        item = items[index]
        if item.__class__ is Symbol and item.name == "&":
            if index + 2 != len(items):
                raise shape_error("let", "exactly one pattern follows `&`")
            rest = items[index + 1]
            operation = "pattern_keywords" if rest.__class__ is Map else "pattern_rest"
            part: Node = Primitive(at, operation, [sequence, Const(at, index)])
            take_apart(analyser, rest, part, scope, found)
            return
        take_apart(analyser, item, Primitive(at, "pattern_item", [sequence, Const(at, index)]), scope, found)
        index += 1


def count_taken(binding: Binding, value: Node, local: Binding | None = None) -> int | None:
    """The number of elements into which a vector pattern takes a value apart, whose nameless local is `binding`; None
    of any other binding. local: the value is this one."""
    if not isinstance(value, Primitive) or value.operation != "pattern_items" or binding.definitions > 1:
        return None
    held, count = value.arguments
    if not isinstance(count, Const):
        return None
    if local is not None and not (isinstance(held, Local) and held.binding is local):
        return None
    return int(count.value)


FUNCTIONS = frozenset(("fn", "lambda", "λ"))
"""Heads of a function."""
AS = Keyword("as")
KEYS = Keyword("keys")
STRS = Keyword("strs")
OR = Keyword("or")
_PLAIN = (Keyword, str, int)


def _map(analyser: Analyser, pattern: Any, value: Node, scope: Scope, found: Bindings) -> None:
    at = analyser.locate(pattern)
    if pattern.get(AS) is not None:
        value = _whole(analyser, pattern.get(AS), value, scope, found)
    defaults = _defaults(pattern.get(OR))
    taking = Primitive(at, "pattern_map", [value])
    source = hold(analyser, taking, scope, found)
    taken: list[Any] = []
    rest = None

    def part(key: Any, target: Any) -> None:
        taken.append(key)
        key_node = Const(at, key)
        node: Node = Primitive(at, "pattern_get", [source, key_node])
        if target.__class__ is Symbol and target.name in defaults:
            default = analyser.analyse(defaults[target.name], scope)
            node = If(at, Primitive(at, "pattern_has", [source, key_node]), node, default)
        take_apart(analyser, target, node, scope, found)

    for key, target in pattern.items():
        if key is AS or key is OR:
            continue
        namespace, _, names = key.name.rpartition("/") if key.__class__ is Keyword else ("", "", "")
        if names in ("keys", "syms") or key is STRS:
            if target.__class__ is not Vector:
                raise analyser.error(CompileError("form/shape", f"`{key}` takes a vector of names"), pattern)
            for item in target:
                if item.__class__ not in (Symbol, Keyword):
                    raise analyser.error(CompileError("form/shape", f"`{key}` takes names"), pattern)
                name = item.name
                local = Symbol(name.rpartition("/")[2] or name, getattr(item, "info", None))
                if namespace:
                    name = f"{namespace}/{name}"
                part(name if key is STRS else Keyword(name) if names == "keys" else Symbol(name), local)
        elif key.__class__ is Symbol and key.name == "&":
            rest = target
        elif key.__class__ in (Symbol, Vector, Map) and target.__class__ not in (Symbol, Vector, Map):
            part(target, key)
        elif key.__class__ in (Symbol, Vector) and target.__class__ is Symbol:
            raise analyser.error(
                CompileError("form/shape", "a map pattern pairs a key with a name", hint="write {name :key}"), pattern
            )
        else:
            part(key, target)
    if rest is None and all(key.__class__ in _PLAIN for key in taken):
        taking.operation = "pattern_record"  # which is only asked for keys that are their own keys in dicts
    if rest is not None:
        take_apart(
            analyser, rest, Primitive(at, "pattern_without", [source, *(Const(at, key) for key in taken)]), scope, found
        )


def _defaults(form: Any) -> dict[str, Any]:
    if form is None:
        return {}
    if form.__class__ is not Map:
        raise CompileError("form/shape", "`:or` takes a map from names to defaults")
    return {getattr(key, "name", str(key)): value for key, value in form.items()}


def is_list_headed(form: Any, *names: str) -> bool:
    """True for a list form whose head is one of the symbols."""
    return form.__class__ is List and head_name(form) in names


def head_name(form: Any) -> str:
    """The name of the symbol that a list form begins with; an empty text for any other form."""
    if form.__class__ is not List:
        return ""
    head = form.first()
    return head.name if head.__class__ is Symbol else ""
