"""Predicates of a value's kind: `nil? bool? int? … coll? type-name`.

Must not know what the kinds are good for. Invariant: every predicate takes any value; booleans are no numbers.
"""

from __future__ import annotations

from rtfs.builtins.declare import builtin
from rtfs.values import Keyword, LazySeq, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.kinds import FunctionType, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin("nil?", "(nil? value)", "Is it nil?", "(nil? nil)", "true", "(nil? [])", "false")
def is_nil(value: Any, /) -> bool:
    return value is None


@builtin("bool?", "(bool? value)", "Is it true or false?", "(bool? false)", "true", aliases=("boolean?",))
def is_bool(value: Any, /) -> bool:
    return value is True or value is False


@builtin("int?", "(int? value)", "Is it an integer?", "(int? 1)", "true", "(int? 1.0)", "false", aliases=("integer?",))
def is_int(value: Any, /) -> bool:
    return value.__class__ is int


@builtin("float?", "(float? value)", "Is it a float?", "(float? 1.0)", "true")
def is_float(value: Any, /) -> bool:
    return value.__class__ is float


@builtin(
    "number?", "(number? value)", "Is it an integer or a float?", "(number? 1.5)", "true", "(number? true)", "false"
)
def is_number(value: Any, /) -> bool:
    return value.__class__ is int or value.__class__ is float


@builtin("string?", "(string? value)", "Is it a string?", '(string? "a")', "true")
def is_string(value: Any, /) -> bool:
    return value.__class__ is str


@builtin("keyword?", "(keyword? value)", "Is it a keyword?", "(keyword? :a)", "true")
def is_keyword(value: Any, /) -> bool:
    return value.__class__ is Keyword


@builtin("symbol?", "(symbol? value)", "Is it a symbol?", "(symbol? 'a)", "true")
def is_symbol(value: Any, /) -> bool:
    return value.__class__ is Symbol


@builtin("vector?", "(vector? value)", "Is it a vector?", "(vector? [])", "true")
def is_vector(value: Any, /) -> bool:
    return value.__class__ is Vector


@builtin("list?", "(list? value)", "Is it a list?", "(list? '(1))", "true", "(list? [1])", "false")
def is_list(value: Any, /) -> bool:
    return value.__class__ is List or value.__class__ is LazySeq


@builtin("map?", "(map? value)", "Is it a map?", "(map? {})", "true")
def is_map(value: Any, /) -> bool:
    return value.__class__ is Map


@builtin("set?", "(set? value)", "Is it a set?", "(set? #{1})", "true", "(set? [1])", "false")
def is_set(value: Any, /) -> bool:
    return value.__class__ is Set


@builtin("fn?", "(fn? value)", "Is it a function?", "(fn? inc)", "true", "(fn? :a)", "false")
def is_fn(value: Any, /) -> bool:
    return value.__class__ is FunctionType


@builtin("coll?", "(coll? value)", "Is it a vector, list, map or set?", "(coll? [])", "true", "(coll? nil)", "false")
def is_coll(value: Any, /) -> bool:
    kind = value.__class__
    return kind is Vector or kind is List or kind is Map or kind is Set or kind is LazySeq


@builtin(
    "type-name",
    "(type-name value)",
    "The name of the value's kind, a string.",
    "(type-name [1])",
    '"vector"',
    "(type-name 1.5)",
    '"float"',
)
def type_name_of(value: Any, /) -> str:
    return type_name(value)


@builtin("true?", "(true? value)", "Is it true itself?", "(true? true)", "true", "(true? 1)", "false")
def is_true(value: Any, /) -> bool:
    return value is True


@builtin("false?", "(false? value)", "Is it false itself?", "(false? false)", "true", "(false? nil)", "false")
def is_false(value: Any, /) -> bool:
    return value is False


@builtin(
    "boolean", "(boolean value)", "false for nil and false, else true.", "(boolean 0)", "true", "(boolean nil)", "false"
)
def boolean(value: Any, /) -> bool:
    return value is not None and value is not False


@builtin("identical?", "(identical? a b)", "Are they one and the same value?", "(identical? :a :a)", "true")
def is_identical(a: Any, b: Any, /) -> bool:
    kind = a.__class__
    return (a is b and kind is not float) or (kind is b.__class__ and (kind is int or kind is str) and a == b)


@builtin("char?", "(char? value)", "Is it a text of one character?", '(char? "a")', "true", '(char? "ab")', "false")
def is_char(value: Any, /) -> bool:
    return value.__class__ is str and len(value) == 1


@builtin("regex?", "(regex? value)", "Is it a regular expression?", '(regex? #"a+")', "true")
def is_regex(value: Any, /) -> bool:
    return value.__class__ is Regex


@builtin(
    "ifn?",
    "(ifn? value)",
    "Can it be called: a function, keyword, map, vector or set?",
    "(ifn? :a)",
    "true",
    "(ifn? 1)",
    "false",
)
def is_ifn(value: Any, /) -> bool:
    return value.__class__ in _CALLABLE


_CALLABLE = frozenset((FunctionType, Keyword, Map, Vector, Set))


@builtin("counted?", "(counted? value)", "Is it a collection that knows its size?", "(counted? [1])", "true")
def is_counted(value: Any, /) -> bool:
    kind = value.__class__
    return kind is Vector or kind is List or kind is Map or kind is Set


@builtin(
    "sorted?", "(sorted? value)", "Is it a sorted collection? Always false: there are none.", "(sorted? #{1})", "false"
)
def is_sorted(_: Any, /) -> bool:
    return False


@builtin(
    "uuid?",
    "(uuid? value)",
    "Is it the text of a UUID?",
    '(uuid? "550e8400-e29b-41d4-a716-446655440000")',
    "true",
)
def is_uuid(value: Any, /) -> bool:
    from rtfs.builtins.conversions import is_uuid_text

    return value.__class__ is str and is_uuid_text(value)
