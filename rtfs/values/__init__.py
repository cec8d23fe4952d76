"""The values of the language. Knows nothing of text or programs."""

from __future__ import annotations

from rtfs.values.collection import Collection
from rtfs.values.convert import from_python, to_python
from rtfs.values.equality import equal, hash_of
from rtfs.values.error import (
    Cancelled,
    CompileError,
    EvalError,
    HostError,
    InternalError,
    LimitError,
    ReaderError,
    RtfsError,
    TypeMismatch,
    UserError,
    uncatchable,
)
from rtfs.values.info import FormInfo
from rtfs.values.keyword import Keyword
from rtfs.values.kinds import type_name
from rtfs.values.lazy import LazySeq, realised
from rtfs.values.map import Map
from rtfs.values.order import compare, sort_key, sorted_by, sorted_values
from rtfs.values.reduced import Reduced, unreduced
from rtfs.values.regex import Regex
from rtfs.values.sequence import List, Sequence, Vector
from rtfs.values.set import Set
from rtfs.values.short_vector import ShortVector
from rtfs.values.symbol import Symbol

__all__ = [
    "Cancelled",
    "Collection",
    "CompileError",
    "EvalError",
    "FormInfo",
    "HostError",
    "InternalError",
    "Keyword",
    "LazySeq",
    "LimitError",
    "List",
    "Map",
    "ReaderError",
    "Reduced",
    "Regex",
    "RtfsError",
    "Sequence",
    "Set",
    "ShortVector",
    "Symbol",
    "TypeMismatch",
    "UserError",
    "Vector",
    "compare",
    "equal",
    "from_python",
    "hash_of",
    "realised",
    "sort_key",
    "sorted_by",
    "sorted_values",
    "to_python",
    "type_name",
    "uncatchable",
    "unreduced",
]
