"""The support library of generated code: what a `Primitive` calls, and what guards fall back to.

Knows nothing of forms. Every entry of `SUPPORT` is a global of generated code under its name with a blank in front,
which no symbol can spell. Functions here raise errors without a place; the machine finds the place from the traceback.
"""

from __future__ import annotations

from rtfs.builtins import calling, comparison, errors, numbers, strings
from rtfs.builtins.argument_errors import MAX_ITEMS
from rtfs.builtins.building import range_
from rtfs.builtins.collection_support import asked, fold, fresh_list, items, like, next_batch, parts
from rtfs.builtins.declare import MISSING
from rtfs.builtins.deferred import steps
from rtfs.builtins.fixed_arity import EXACT, PATHS, getting, putting, putting_plain
from rtfs.compiler.analysis.error_classes import catches
from rtfs.compiler.analysis.inlined import CHANGING
from rtfs.compiler.analysis.special_forms import MIXED_ARGUMENTS
from rtfs.compiler.codegen.in_place import IN_PLACE
from rtfs.compiler.codegen.patterns import PATTERNS, a_kind, pattern_map, pattern_without
from rtfs.compiler.mangling import id_of_keyword
from rtfs.values import Keyword, LazySeq, List, Map, Reduced, Set, Symbol, Vector
from rtfs.values.error import UNCATCHABLE, EvalError, LimitError, TypeMismatch, UserError
from rtfs.values.lazy import Cursor
from rtfs.values.lookup import keyword_get
from rtfs.values.short_vector import SIMPLE, LookupKey, ShortVector, item
from rtfs.values.step_account import LARGE, PART, PORTION, account, look, paced, portions, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PRODUCT_BOUND = 1 << 4096

_EMPTY_LIST = List()
_EMPTY_MAP = Map()


def not_callable(value: Any, /, *arguments: Any) -> Any:
    raise calling.not_callable(value)


def wrong_arity(name: str, given: tuple[Any, ...], open_end: bool, /, *wanted: int) -> Any:
    """Raise for a call of a function of several arities. given: how many arguments were named, and further ones."""
    count = given[0] + (len(given[1]) if len(given) > 1 else 0)
    counts = [str(one) for one in wanted]
    if open_end:
        if wanted[-1] - wanted[0] == len(wanted) - 1:
            counts = counts[:1]
        counts[-1] += " or more"
    raise EvalError("arity", f"`{name or 'fn'}` takes {' or '.join(counts)} arguments, got {count}")


def rest_list(items: Any, /) -> List | None:
    """The value that `& r` binds: a list of the further arguments (a tuple or list), nil if there is none."""
    if len(items) > LARGE:
        look()  # passing so many arguments has taken long
    return List.of(list(items)) if items else None


# ---------------------------------------------------------------------- building
class Splice:
    """A sequence on its way into a template."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items


def splice(value: Any, /) -> Splice:
    if value is None:
        return Splice([])
    if value.__class__ in (Vector, List, Set, LazySeq):
        return Splice(fresh_list("~@", value))
    if value.__class__ is Map:
        return Splice([Vector(pair) for pair in value.items()])
    if value.__class__ is str:
        return Splice(list(value))
    raise TypeMismatch("type/mismatch", f"`~@` splices a sequence, not {a_kind(value)}")


MAX_SPLICED = 1_000_000


def _joined(parts: tuple[Any, ...]) -> list[Any]:
    """Raises `limit/size` for what would be too large: a macro may double its arguments at each expansion."""
    size = sum([len(part.items) if part.__class__ is Splice else 1 for part in parts])
    if size > MAX_SPLICED:
        raise LimitError("limit/size", f"a template would make a form of more than {MAX_SPLICED:,} elements")
    items: list[Any] = []
    for part in parts:
        if part.__class__ is Splice:
            items.extend(part.items)
        else:
            items.append(part)
    return items


def list_spliced(*parts: Any) -> List:
    return List.of(_joined(parts))


def vector_spliced(*parts: Any) -> Vector:
    return Vector.of(_joined(parts))


def set_spliced(*parts: Any) -> Set:
    return Set(_joined(parts))


def set_of(*items: Any) -> Set:
    return Set(items)


def map_of(*items: Any) -> Map:
    return Map.of_columns(items[::2], items[1::2])


# ---------------------------------------------------------------------- inlined higher-order calls
def range_items(first: Any, end: Any = MISSING, /) -> Any:
    """The elements of `(range …)`, without building it: a Python range for ints."""
    if first.__class__ is int and (end is MISSING or end.__class__ is int):
        made = range(first) if end is MISSING else range(first, end)
        if len(made) <= MAX_ITEMS:
            spend(len(made))
            return made
    return range_(first) if end is MISSING else range_(first, end)


def sum_ints(initial: int, elements: Any, /) -> int:
    """The sum of what is known to be ints."""
    return numbers.checked(sum(elements, initial))


def sum_items(initial: Any, elements: Any, /) -> Any:
    """`(reduce + initial elements)`."""
    if elements.__class__ is LazySeq:
        return fold("reduce", numbers.add2, initial, elements)
    if len(elements) <= FEW:
        for element in elements:
            both_ints = element.__class__ is initial.__class__ is int
            initial = initial + element if both_ints else numbers.add2(initial, element)
        return numbers.checked(initial) if initial.__class__ is int else initial
    if initial.__class__ is int and set(map(type, elements)) <= _INTS:
        return numbers.checked(sum(elements, initial))
    for element in elements:
        initial = numbers.add2(initial, element)
    return initial


def few(elements: Any, /) -> Any:
    """The elements of a vector that the text spells out, accounted for."""
    spend(len(elements))
    return elements


def whole_or_lazy(function: str, collection: Any, /) -> Any:
    """The elements of a collection, or a lazy sequence itself."""
    if type(collection) is ShortVector and account.spent < PORTION:
        account.spent += len(collection)
        return collection
    return collection if collection.__class__ is LazySeq else items(function, collection)


def parts_or_lazy(function: str, collection: Any, /) -> Any:
    """The elements of a collection in parts between which the machine looks at the clock, or a lazy sequence itself."""
    if type(collection) is ShortVector and account.spent < PORTION:
        account.spent += len(collection)
        return (collection,)
    return collection if collection.__class__ is LazySeq else parts(function, collection)


def at_once(function: str, found: Any, /) -> Any:
    """The elements that an inlined call gathered: a list, or the elements of a lazy sequence."""
    return items(function, found) if found.__class__ is LazySeq else found


def indexed(elements: Any, /) -> Any:
    """The elements, each behind its index, in parts between which the machine looks at the clock."""
    return (enumerate(elements),) if len(elements) <= PART else portions(list(enumerate(elements)))


_INTS = {int}
FEW = 8
"""Elements whose sum is made here: looking at the kinds of all first costs more."""


def lazy_map(f: Any, sequence: LazySeq, /) -> LazySeq:
    return steps.lazy_map(f, sequence)


def lazy_filter(pred: Any, sequence: LazySeq, wanted: bool, /) -> LazySeq:
    return steps.lazy_filter(pred, sequence, wanted)


def lazy_keep(f: Any, sequence: LazySeq, /) -> LazySeq:
    return steps.lazy_keep(f, sequence)


def lazy_map_indexed(f: Any, sequence: LazySeq, /) -> LazySeq:
    return steps.lazy_map_indexed(f, sequence)


def defined(value: Any, /) -> Any:
    """The value of a definition as the last form of a program: itself, but nil for a lazy sequence."""
    return None if value.__class__ is LazySeq else value


def gathered(collection: Any, found: Any, /) -> Any:
    """The result of an inlined call: a lazy sequence, or a list that becomes a collection like its source."""
    if type(collection) is ShortVector:
        return ShortVector(found)
    return found if found.__class__ is LazySeq else like(collection, found)


def lazy_batches(found: Any, /) -> tuple[Any, Any]:
    """`batches` of what `whole_or_lazy` gave."""
    return next_batch(Cursor(found)) if found.__class__ is LazySeq else (found, None)


def begin(function: str, collection: Any, /) -> tuple[Any, Any]:
    """(parts, cursor): all elements of a collection in parts and None, or the first ones of a lazy sequence and where
    `go_on` gets the next ones."""
    if type(collection) is ShortVector and account.spent < PORTION:
        account.spent += len(collection)
        return (collection,), None
    if collection.__class__ is LazySeq:
        return go_on(Cursor(collection))
    return parts(function, collection), None


def begin_asking(function: str, collection: Any, /) -> tuple[Any, Any]:
    """`begin`, for a call that may end with the first element."""
    return go_on(Cursor(collection)) if collection.__class__ is LazySeq else (asked(function, collection), None)


def begin_gathered(found: Any, /) -> tuple[Any, Any]:
    """`begin`, of what an inlined call gathered."""
    return go_on(Cursor(found)) if found.__class__ is LazySeq else (portions(found), None)


def go_on(cursor: Any, /) -> tuple[Any, Any]:
    """The next elements of a lazy sequence in parts, and the cursor for further ones; at its end None for that."""
    found, following = next_batch(cursor)
    return portions(found), following


# ---------------------------------------------------------------------- errors
def thrown(value: Any) -> UserError:
    """The error that `(throw value)` raises."""
    if isinstance(value, UserError):
        return value
    if value.__class__ is str:
        return EvalError("user/error", value, data=None)
    if value.__class__ is Map:
        code = value.get(Keyword("code"))
        code_text = code.name if code.__class__ is Keyword else str(code) if code is not None else "user/error"
        message = value.get(Keyword("message"))
        from rtfs.syntax.printer import display

        text = display(message) if message is not None else code_text
        known = ("code", "message", "data")
        data = value.get(Keyword("data"))
        if data is None and any(key not in [Keyword(one) for one in known] for key in value):
            data = pattern_without(value, *(Keyword(one) for one in known))
        return EvalError(code_text, text, data=data)
    from rtfs.syntax.printer import display

    return EvalError("user/error", display(value), data=value)


def new_error(code: str, message: Any = None, more: Any = None, /) -> UserError:
    """The error that a constructor makes of a message, then data or a cause; of a cause alone."""
    if isinstance(message, UserError) and more is None:
        message, more = message.message, message
    error = errors.make_error("" if message is None else message, more)
    error.code = code
    return error


def throw(value: Any, /) -> Any:
    raise thrown(value)


def error_catches(error: UserError, kind: str, name: str, /) -> bool:
    return catches(error.code, kind, name)


def times(a: Any, b: Any, /) -> Any:
    """The product of two numbers of which one is small."""
    product = a * b
    if -PRODUCT_BOUND < product < PRODUCT_BOUND or product.__class__ is float:
        return product
    spend(product.bit_length() >> 11)  # it takes time by the length, not by its square as other products do
    return numbers.checked(product)


# ---------------------------------------------------------------------- host
def capability_id(value: Any, /) -> str:
    if value.__class__ is str:
        return value
    if value.__class__ is Keyword:
        return id_of_keyword(value)
    raise TypeMismatch("type/mismatch", f"a capability's id is a string or a keyword, not {a_kind(value)}")


def with_keywords(value: Any, keywords: Map, /) -> Map:
    """The arguments of a call that has a map and keyword arguments."""
    if value.__class__ is not Map:
        raise EvalError("form/shape", f"`call`: {MIXED_ARGUMENTS}")
    return value.merge_pairs(keywords.items())


def step_name(value: Any, /) -> str:
    if value.__class__ in (Keyword, Symbol):
        return value.name
    if value.__class__ is str:
        return value
    raise TypeMismatch("type/mismatch", f"a step's name is a string, not {a_kind(value)}")


MAX_STEP_ROUNDS = 10_000


def plan_parameters(plan: str, given: Any, names: Vector, defaults: Map, /) -> Map:
    """The parameters of a plan, the given ones before the defaults. Raises EvalError `plan/parameter`."""
    known = list(names)
    given = _EMPTY_MAP if given is None else given
    for key in given.keys():  # noqa: SIM118
        if key.name not in known:
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(key.name, known)
            hint = f"did you mean {near}?" if near else f"it takes {', '.join(known)}" if known else "it takes none"
            raise EvalError("plan/parameter", f'the plan "{plan}" has no parameter {key.name}', hint=hint)
    missing = [name for name in known if Keyword(name) not in given and Keyword(name) not in defaults]
    if missing:
        shown = " and ".join(missing)
        hint = f'give it: --param {missing[0]}=…, or params={{"{missing[0]}": …}}'
        raise EvalError("plan/parameter", f'the plan "{plan}" needs {shown}', hint=hint)
    return Map([*defaults.items(), *given.items()])


def count_round(rounds: int, /) -> int:
    """One more round of a `step-loop`."""
    if rounds >= MAX_STEP_ROUNDS:
        raise LimitError("limit/step-loop", f"a `step-loop` ran more than {MAX_STEP_ROUNDS:,} rounds")
    return rounds + 1


def cast(type: Any, value: Any, what: str, /) -> Any:
    checked = type.check(value, what)
    if type.called is None or checked is None:
        return checked
    from rtfs.compiler.codegen.typed_functions import typed

    return typed(type.called, checked, what)


def accepts(type: Any, value: Any, /) -> bool:
    return type.accepts(value)  # type: ignore[no-any-return]


SUPPORT: dict[str, Any] = {
    " " + function.__name__: function
    for function in (
        not_callable,
        wrong_arity,
        rest_list,
        splice,
        list_spliced,
        vector_spliced,
        set_spliced,
        set_of,
        map_of,
        new_error,
        throw,
        numbers.bounded,
        times,
        capability_id,
        step_name,
        with_keywords,
        count_round,
        plan_parameters,
        cast,
        accepts,
        keyword_get,
        range_items,
        sum_ints,
        sum_items,
        items,
        parts,
        few,
        whole_or_lazy,
        parts_or_lazy,
        lazy_map,
        lazy_filter,
        lazy_keep,
        lazy_map_indexed,
        at_once,
        indexed,
        asked,
        defined,
        gathered,
        begin,
        begin_asking,
        begin_gathered,
        go_on,
        like,
    )
}
SUPPORT.update({f" {name}/{count}": function for (name, count), function in EXACT.items()})
SUPPORT.update(PATTERNS)
SUPPORT.update(IN_PLACE)
SUPPORT.update({f" {name}/get": getting(name) for name in CHANGING})
SUPPORT.update({f" {name}/put": putting(name) for name in CHANGING})
SUPPORT.update({f" {name}/plain": putting_plain(name) for name in ("assoc", *CHANGING)})
SUPPORT.update({f" {name}/{count}/{keys}": function for (name, count, keys), function in PATHS.items()})
SUPPORT.update(
    {
        " catches": error_catches,
        " pattern_record": pattern_map,
        " type": type,
        " len": len,
        " call_many": calling.call_with,
        " LazySeq": LazySeq,
        " Reduced": Reduced,
        " vector": Vector.of,
        " short": ShortVector,
        " lookup_key": LookupKey,
        " simple": SIMPLE,
        " item": item,
        " growing": Vector.adopt,
        " list": List.of,
        " plain_map": Map.of_plain,
        " portions": portions,
        " paced": paced,
        " missing": MISSING,
        " bound": PRODUCT_BOUND,
        " -bound": -PRODUCT_BOUND,
        " int": int,
        " float": float,
        " str": str,
        " bool": bool,
        " tuple": tuple,
        " Map": Map,
        " Set": Set,
        " Vector": Vector,
        " Keyword": Keyword,
        " BaseException": BaseException,
        " uncatchable": UNCATCHABLE,
        " concatenated": strings.strings_together,
        " str1": strings.str1,
        " inc_slow": lambda value, _, /: numbers.inc1(value),
        " dec_slow": lambda value, _, /: numbers.dec1(value),
        " add2": numbers.add2,
        " sub2": numbers.sub2,
        " mul2": numbers.mul2,
        " div2": numbers.div2,
        " mod2": numbers.mod2,
        " lt2": comparison.lt2,
        " gt2": comparison.gt2,
        " le2": comparison.le2,
        " ge2": comparison.ge2,
        " eq2": comparison.eq2,
    }
)
