"""The kinds of values, by the name that `type-name` returns."""

from __future__ import annotations

from rtfs.values.error import UserError
from rtfs.values.keyword import Keyword
from rtfs.values.lazy import LazySeq
from rtfs.values.map import Map
from rtfs.values.reduced import Reduced
from rtfs.values.regex import Regex
from rtfs.values.sequence import List, Vector
from rtfs.values.set import Set
from rtfs.values.symbol import Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import BuiltinFunctionType as BuiltinFunctionType
    from types import FunctionType as FunctionType
    from typing import Any
else:  # without `types`, which each start would pay for
    BuiltinFunctionType, FunctionType = type(len), type(lambda: None)

_NAMES: dict[type, str] = {
    type(None): "nil",
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    Keyword: "keyword",
    Symbol: "symbol",
    Vector: "vector",
    List: "list",
    LazySeq: "list",
    Reduced: "reduced",
    Map: "map",
    Set: "set",
    Regex: "regex",
    FunctionType: "function",
    BuiltinFunctionType: "function",
}


def type_name(value: Any) -> str:
    """`(type-name value)`: nil boolean integer float string keyword symbol vector list map set regex function
    error.

    "foreign" for a Python object that is not a value of the language.
    """
    name = _NAMES.get(value.__class__)
    if name is None:
        name = "error" if isinstance(value, UserError) else "foreign"
    return name
