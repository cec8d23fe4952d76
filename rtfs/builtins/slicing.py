"""Further parts of sequences: their ends, tails and splits, under Clojure's names.

Must not know maps beyond their entries. Invariant: nothing here asks a lazy sequence for more than its answer needs.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, need_int, type_error
from rtfs.builtins.collection_support import as_vector, fresh_list, from_index, like
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps
from rtfs.builtins.sequences import (
    count,
    drop_while,
    first,
    is_empty_lazy,
    next_,
    take_while,
)
from rtfs.values import LazySeq, List, Map, Set, Vector
from rtfs.values.lazy import ahead_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "seq",
    "(seq coll)",
    "The elements of a collection as a sequence; nil if there is none.",
    "(seq [1 2])",
    "[1 2]",
    "(seq {:a 1})",
    "[[:a 1]]",
    "(seq [])",
    "nil",
)
def seq(coll: Any, /) -> Any:
    kind = coll.__class__
    if kind is Vector or kind is List:
        return coll if len(coll) else None
    if kind is LazySeq:
        return None if is_empty_lazy(coll) else coll
    found = fresh_list("seq", coll)
    return Vector.of(found) if found else None


@builtin(
    "peek",
    "(peek coll)",
    "The last element of a vector, the first of a list; nil if there is none.",
    "(peek [1 2 3])",
    "3",
    "(peek '(1 2 3))",
    "1",
)
def peek(coll: Any, /) -> Any:
    kind = coll.__class__
    if coll is None:
        return None
    if kind is Vector:
        return coll[-1] if len(coll) else None
    if kind is List:
        return coll[0] if len(coll) else None
    raise type_error("peek", "the collection", "a vector, list or nil", coll)


@builtin(
    "pop",
    "(pop coll)",
    "A vector without its last element, a list without its first.",
    "(pop [1 2 3])",
    "[1 2]",
    "(pop '(1 2 3))",
    "(2 3)",
)
def pop(coll: Any, /) -> Any:
    kind = coll.__class__
    if coll is None:
        return None
    if kind is not Vector and kind is not List:
        raise type_error("pop", "the collection", "a vector, list or nil", coll)
    size = len(coll)
    if not size:
        raise argument_error("pop", "takes no empty collection", "index/out-of-bounds")
    return coll.slice(0, size - 1) if kind is Vector else coll.slice(1, size)


@builtin("ffirst", "(ffirst coll)", "The first element of the first element.", "(ffirst [[1 2] [3]])", "1")
def ffirst(coll: Any, /) -> Any:
    return first(first(coll))


@builtin("fnext", "(fnext coll)", "The second element; nil if there is none.", "(fnext [1 2 3])", "2")
def fnext(coll: Any, /) -> Any:
    return first(next_(coll))


@builtin("nnext", "(nnext coll)", "All elements but the first two; nil if there are none.", "(nnext [1 2 3])", "[3]")
def nnext(coll: Any, /) -> Any:
    return next_(next_(coll))


@builtin(
    "nfirst",
    "(nfirst coll)",
    "All elements of the first element but its first; nil if there are none.",
    "(nfirst [[1 2 3] [4]])",
    "[2 3]",
)
def nfirst(coll: Any, /) -> Any:
    return next_(first(coll))


@builtin(
    "nthrest",
    "(nthrest coll n)",
    "All elements but the first `n`.",
    "(nthrest [1 2 3 4] 2)",
    "[3 4]",
)
def nthrest(coll: Any, n: Any, /) -> Any:
    need_int("nthrest", "the number of elements", n)
    if coll.__class__ is LazySeq:
        return steps.lazy_drop(n, coll)
    return coll if n <= 0 else from_index("nthrest", coll, n)


@builtin(
    "nthnext",
    "(nthnext coll n)",
    "All elements but the first `n`; nil if there are none.",
    "(nthnext [1 2 3] 1)",
    "[2 3]",
    "(nthnext [1 2 3] 3)",
    "nil",
)
def nthnext(coll: Any, n: Any, /) -> Any:
    need_int("nthnext", "the number of elements", n)
    if coll.__class__ is LazySeq:
        return seq(steps.lazy_drop(n, coll))
    return seq(from_index("nthnext", coll, n))


@builtin(
    "take-last", "(take-last n coll)", "The last `n` elements; nil if there are none.", "(take-last 2 [1 2 3])", "[2 3]"
)
def take_last(n: Any, coll: Any, /) -> Any:
    need_int("take-last", "the number of elements", n)
    whole = as_vector("take-last", coll)
    size = len(whole)
    return seq(whole.slice(max(size - max(n, 0), 0), size))


@builtin(
    "drop-last",
    "(drop-last n? coll)",
    "All elements but the last `n` (1).",
    "(drop-last [1 2 3])",
    "[1 2]",
    "(drop-last 2 [1 2 3])",
    "[1]",
)
def drop_last(n: Any, coll: Any = MISSING, /) -> Any:
    count, whole = (1, n) if coll is MISSING else (need_int("drop-last", "the number of elements", n), coll)
    if whole.__class__ is LazySeq:
        return steps.lazy_map_all(lambda x, _: x, [whole, steps.lazy_drop(count, whole)])
    elements = fresh_list("drop-last", whole)
    return like(whole, elements[: max(len(elements) - max(count, 0), 0)])


@builtin(
    "split-with",
    "(split-with pred coll)",
    "A vector of two: the elements up to the first that does not fit, and the others.",
    "(split-with even? [2 4 5 6])",
    "[[2 4] [5 6]]",
)
def split_with(pred: Any, coll: Any, /) -> Any:
    return Vector.of([take_while(pred, coll), drop_while(pred, coll)])


@builtin(
    "rseq",
    "(rseq vector)",
    "The elements of a vector from the last to the first; nil if there is none.",
    "(rseq [1 2 3])",
    "[3 2 1]",
)
def rseq(coll: Any, /) -> Any:
    if coll.__class__ is not Vector:
        raise type_error("rseq", "the collection", "a vector", coll)
    return Vector.of(coll.to_list()[::-1]) if len(coll) else None


@builtin(
    "list*",
    "(list* item & more)",
    "A list of the items and then the elements of the collection, which is the last argument.",
    "(list* 1 2 [3 4])",
    "(1 2 3 4)",
    "(list* 1 nil)",
    "(1)",
)
def list_star(item: Any, /, *more: Any) -> Any:
    front, coll = ([item, *more[:-1]], more[-1]) if more else ([], item)
    if coll.__class__ is LazySeq:
        return ahead_of(front, coll) if front else coll
    found = front + fresh_list("list*", coll)
    return List.of(found) if found else None


@builtin(
    "empty",
    "(empty coll)",
    "An empty collection of the same kind; nil for a value that is not a collection.",
    "(empty [1 2])",
    "[]",
    "(empty {:a 1})",
    "{}",
)
def empty(coll: Any, /) -> Any:
    kind = coll.__class__
    if kind is Vector:
        return Vector()
    if kind is Map:
        return Map()
    if kind is Set:
        return Set()
    return List() if kind is List or kind is LazySeq else None


@builtin(
    "tree-seq",
    "(tree-seq is-branch children root)",
    "The nodes of a tree, lazily: each before its children, which are asked for if `is-branch` says so of it.",
    "(tree-seq vector? identity [1 [2]])",
    "([1 [2]] 1 [2] 2)",
)
def tree_seq(is_branch: Any, children: Any, root: Any, /) -> Any:
    return steps.lazy_tree(is_branch, children, root)


# ---------------------------------------------------------------------- computing lazy sequences
@builtin(
    "doall",
    "(doall n? coll)",
    "The collection itself, once all elements (or the first `n`) of a lazy one have been computed.",
    "(doall (map inc [1 2]))",
    "[2 3]",
)
def doall(n: Any, coll: Any = MISSING, /) -> Any:
    whole = n if coll is MISSING else coll
    if whole.__class__ is LazySeq:
        if coll is MISSING:
            count(whole)
            return whole
        steps.compute(whole, need_int("doall", "the number of elements", n))
    return whole


@builtin(
    "dorun",
    "(dorun n? coll)",
    "nil, once all elements (or the first `n`) of a lazy sequence have been computed.",
    "(dorun (map inc [1 2]))",
    "nil",
)
def dorun(n: Any, coll: Any = MISSING, /) -> None:
    doall(n, coll)


@builtin(
    "bounded-count",
    "(bounded-count n coll)",
    "`count`, but of a lazy sequence no more than `n`.",
    "(bounded-count 3 (range))",
    "3",
    "(bounded-count 3 [1 2 3 4])",
    "4",
)
def bounded_count(n: Any, coll: Any, /) -> int:
    need_int("bounded-count", "the bound", n)
    if coll.__class__ is LazySeq:
        return steps.compute(coll, n)
    return len(as_vector("bounded-count", coll))


@builtin("lazy?", "(lazy? value)", "Is it a lazy sequence?", "(lazy? (range))", "true", "(lazy? [1])", "false")
def is_lazy(value: Any, /) -> bool:
    return value.__class__ is LazySeq


@builtin(
    "realized?",
    "(realized? lazy-seq)",
    "Whether the first element of a lazy sequence has been computed, or is known to be missing; true of other values.",
    "(realized? (map inc (range)))",
    "false",
)
def is_realized(value: Any, /) -> bool:
    return value.__class__ is not LazySeq or steps.is_computed(value)


# ---------------------------------------------------------------------- kinds of sequences
@builtin(
    "sequential?",
    "(sequential? value)",
    "Is it a vector or a list, lazy or not?",
    "(sequential? [1])",
    "true",
    "(sequential? {:a 1})",
    "false",
)
def is_sequential(value: Any, /) -> bool:
    kind = value.__class__
    return kind is Vector or kind is List or kind is LazySeq


@builtin("seq?", "(seq? value)", "Is it a list, lazy or not?", "(seq? '(1))", "true", "(seq? [1])", "false")
def is_seq(value: Any, /) -> bool:
    return value.__class__ is List or value.__class__ is LazySeq


@builtin(
    "seqable?",
    "(seqable? value)",
    "Can `seq` take it: a collection, a string or nil?",
    '(seqable? "ab")',
    "true",
    "(seqable? 1)",
    "false",
)
def is_seqable(value: Any, /) -> bool:
    return value is None or value.__class__ in (str, Vector, List, Map, Set, LazySeq)


@builtin("associative?", "(associative? value)", "Is it a map or a vector?", "(associative? [1])", "true")
def is_associative(value: Any, /) -> bool:
    return value.__class__ is Map or value.__class__ is Vector


@builtin("reversible?", "(reversible? value)", "Is it a vector?", "(reversible? [1])", "true")
def is_reversible(value: Any, /) -> bool:
    return value.__class__ is Vector


@builtin("indexed?", "(indexed? value)", "Is it a vector?", "(indexed? [1])", "true")
def is_indexed(value: Any, /) -> bool:
    return value.__class__ is Vector
