"""Labelled closures of calls: functions, primitives, displays, casts, requests to the host.

Knows nothing of what a function does to labels. Invariant: the function is evaluated before the arguments; a request
takes the tags of its arguments along, and what decided that it is made.
"""

from __future__ import annotations

from rtfs.builtins import CORE, comparison
from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import fresh_list
from rtfs.builtins.fixed_arity import EXACT
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import CHANGING
from rtfs.compiler.closures.calls import _is_never_callable
from rtfs.compiler.codegen import support
from rtfs.compiler.labelled.control import global_pair
from rtfs.compiler.labelled.higher_order import call_value
from rtfs.compiler.labelled.maker import LabelledMaker, labels
from rtfs.compiler.labelled.moves import (
    COLLECTIONS,
    MOVES,
    SCALARS,
    join_all,
    keyword_look_up,
    look_up,
    map_tag,
    moved,
    pairs,
    tries,
)
from rtfs.compiler.mangling import global_name
from rtfs.flow.label import NOTHING, OF_LAZY, join, join_through
from rtfs.flow.state import Gathering
from rtfs.flow.tag import NO_TAG, SEQUENCES, UNKNOWN_TAG, Tag, at_index, joined, simple
from rtfs.values import LazySeq, List, Map, Vector
from rtfs.values.lazy import hooks, realised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.labelled.maker import Frame, Labelled
    from rtfs.compiler.labelled.moves import Move
    from rtfs.flow.label import Step
    from rtfs.flow.state import FlowState
    from rtfs.flow.tag import Pair


# ---------------------------------------------------------------------- calls
@labels(nodes.Invoke)
def label_invoke(m: LabelledMaker, node: nodes.Invoke) -> Labelled:
    function, arguments = node.function, m.make_all(node.arguments)
    if function.__class__ is nodes.Global and function.core:
        name: str = function.name
        called = EXACT.get((name, len(arguments)), m.core[name])
        return call_known(MOVES.get(name, join_all), called, arguments, m.step(name, node.at), name in CORE)
    if _is_never_callable(function):
        return call_known(join_all, support.not_callable, [m.make(function), *arguments], m.step("call", node.at))
    if function.__class__ is nodes.Global:
        key, step = global_name(function.name), m.step(function.name, node.at)

        def call_global(f: Frame, s: FlowState, at: int = node.at) -> Any:
            called, tag = global_pair(f[0], key)
            given = [argument(f, s) for argument in arguments]
            return call_value(s, called, tag, [one for one, _ in given], [one for _, one in given], step)

        return call_global
    target, way = m.make(function), m.step("call", node.at)

    def call(f: Frame, s: FlowState, at: int = node.at) -> Any:
        called, tag = target(f, s)
        given = [argument(f, s) for argument in arguments]
        return call_value(s, called, tag, [one for one, _ in given], [one for _, one in given], way)

    return call


def call_known(move: Move, function: Any, arguments: list[Labelled], step: Step, computes: bool = False) -> Labelled:
    """A call of a function that is known now. computes: of scalars it only computes; one of the prelude asks the
    host."""
    if computes and move is join_all and len(arguments) == 2:
        return _call_of_two(function, arguments[0], arguments[1], step)
    if computes and move is join_all and len(arguments) == 1:
        return _call_of_one(function, arguments[0], step)

    def known(f: Frame, s: FlowState, at: int = step[2]) -> Any:
        given = [argument(f, s) for argument in arguments]
        return move(s, function, [one for one, _ in given], [one for _, one in given], step)

    return known


def _call_of_one(function: Any, argument: Labelled, step: Step) -> Labelled:
    """A call that joins the labels of one argument: with a scalar, they are often those of the last time."""
    last: list[Any] = [None, None]

    def of_one(f: Frame, s: FlowState, at: int = step[2]) -> Any:
        value, tag = argument(f, s)
        if value.__class__ not in SCALARS:
            return join_all(s, function, [value], [tag], step)
        if s.trying is not None:
            s.tried(tag)
        value = function(value)
        if tag is last[0]:
            return value, last[1]
        data, control = tag.flat()
        made = simple(data.through(step), control)
        last[:] = tag, made
        return value, made

    return of_one


def _call_of_two(function: Any, first: Labelled, second: Labelled, step: Step) -> Labelled:
    """A call that joins two labels: arithmetic, mostly, so that the labels are often those of the last time."""
    last: list[Any] = [None, None, None]

    def of_two(f: Frame, s: FlowState, at: int = step[2]) -> Any:
        one, tag = first(f, s)
        two, other = second(f, s)
        if one.__class__ not in SCALARS or two.__class__ not in SCALARS:
            return join_all(s, function, [one, two], [tag, other], step)
        if s.trying is not None:
            s.tried(tag)
            s.tried(other)
        value = function(one, two)
        if tag is last[0] and other is last[1]:
            return value, last[2]
        data, control = tag.flat()
        more, further = other.flat()
        made = simple(join_through(data, more, step), join(control, further))
        last[:] = tag, other, made
        return value, made

    return of_two


# ---------------------------------------------------------------------- primitives
@labels(nodes.Primitive)
def label_primitive(m: LabelledMaker, node: nodes.Primitive) -> Labelled:
    arguments = m.make_all(node.arguments)
    operation = node.operation
    if operation == "parallel":
        return _label_parallel(m, node, arguments)
    function = _OPERATIONS.get(operation) or m.core.get(" " + operation)
    if function is None:
        kind = List if operation == "list_of" else Vector
        return _display(kind, arguments)
    name = _CALLED.get(operation, operation)
    return call_known(PRIMITIVE_MOVES.get(operation, join_all), function, arguments, m.step(name, node.at))


def _display(kind: Any, items: list[Labelled]) -> Labelled:
    def made(f: Frame, s: FlowState) -> Any:
        given = [item(f, s) for item in items]
        return kind.of([one for one, _ in given]), Tag(NOTHING, NOTHING, [one for _, one in given])

    return made


def _unpacked(items: Any, index: int) -> Any:
    return items[index]


def _pattern_items(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    """The first elements as a Python list; nil for missing ones."""
    if values[0].__class__ not in SEQUENCES:
        value, tag = join_all(s, function, values, tags, step)
        return value, Tag(tag.data, tag.control, [tag] * len(value))
    tries(s, tags)
    by, size = tags[0].structure(), len(values[0])
    kids = [at_index(values[0], tags[0], index) if index < size else NO_TAG for index in range(values[1])]
    return call_with(function, values), Tag(tags[0].data, tags[0].control, [kid.decided(by) for kid in kids])


def _item(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    kids = tags[0].kids
    if values[0].__class__ is list and kids.__class__ is list:
        return call_with(function, values), kids[values[1]]
    return look_up(s, function, values, tags, step)


def _same(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    """The value that a pattern destructures, unchanged if it has the right kind."""
    tries(s, tags)
    if values[0].__class__ is LazySeq or (values[0].__class__ not in COLLECTIONS and values[0] is not None):
        return join_all(s, function, values, tags, step)
    value = call_with(function, values)
    if value.__class__ is not values[0].__class__ and values[0] is not None:
        return value, joined(tags)
    return value, tags[0]


_OPERATIONS: dict[str, Any] = {
    "equals": comparison.eq2,
    "unpacked": _unpacked,
    "is_map": lambda value: value.__class__ is Map,
}
_CALLED = {
    **{f"{name}/{part}": name for name in CHANGING for part in ("get", "put")},
    "keyword_get": "get",
    "equals": "=",
    "pattern_get": "get",
    "regex_fits": "re-matches",
}
PRIMITIVE_MOVES: dict[str, Move] = {
    **{f"{name}/get": look_up for name in CHANGING},
    **{f"{name}/put": MOVES["assoc"] for name in CHANGING},
    "keyword_get": keyword_look_up,
    "pattern_items": _pattern_items,
    "unpacked": _item,
    "pattern_sequence": _same,
    "pattern_map": _same,
    "pattern_record": _same,
    "pattern_item": _item,
    "sequence_item": _item,
    "pattern_get": look_up,
    "sequence_rest": moved(1),
    "pattern_rest": moved(1),
    "pattern_without": moved(1),
    "pattern_keywords": moved(1),
    "map_of": pairs,
    "with_keywords": moved(1),
}
"""Primitives that move parts of their arguments; the result of any other depends on all of them."""


# ---------------------------------------------------------------------- displays
@labels(nodes.VectorDisplay)
def label_vector(m: LabelledMaker, node: nodes.VectorDisplay) -> Labelled:
    return _display(Vector, m.make_all(node.items))


@labels(nodes.MapDisplay)
def label_map(m: LabelledMaker, node: nodes.MapDisplay) -> Labelled:
    parts = list(zip(m.make_all(node.items[::2]), m.make_all(node.items[1::2]), strict=True))

    def map_(f: Frame, s: FlowState, at: int = node.at) -> Any:
        given = [(key(f, s), value(f, s)) for key, value in parts]
        tag = map_tag([key[0] for key, _ in given], [key[1] for key, _ in given], [one[1] for _, one in given])
        return Map([(key[0], one[0]) for key, one in given]), tag

    return map_


# ---------------------------------------------------------------------- types
@labels(nodes.Cast)
def label_cast(m: LabelledMaker, node: nodes.Cast) -> Labelled:
    value, type, what, cast = m.make(node.value), m.types.of(node.type), node.what, support.cast

    def cast_(f: Frame, s: FlowState, at: int = node.at) -> Any:
        given, tag = value(f, s)
        s.tried(tag)
        around, s.around = s.around, s.run.lazy if hooks.made else s.around
        try:
            made = cast(type, given, what)
        finally:
            s.around = around
        return made, tag if made is given else tag.everywhere()

    return cast_


@labels(nodes.TypeTest)
def label_type_test(m: LabelledMaker, node: nodes.TypeTest) -> Labelled:
    accepts = m.types.of(node.type).accepts
    return call_known(join_all, accepts, [m.make(node.value)], m.step("type", node.at))


# ---------------------------------------------------------------------- the host
def ask(m: LabelledMaker, s: FlowState, kind: str, id: Pair, given: list[Pair], hints: Pair | None, place: int) -> Any:
    """The answer of the host, with its tag."""
    name, id_tag = id
    tags = [tag for _, tag in given]
    values = tuple([value for value, _ in given])
    if hooks.made:
        values = _realised(s, values)
    by = join(s.pc, id_tag.everything())
    if s.trying is not None:
        for tag in tags:
            s.tried(tag)
        s.trying.add(id_tag.flat()[0], by)
    call = m.core[" labelled_call"](kind, name, values, None if hints is None else hints[0], m.filename, place)
    call.labels, call.decided_by = tags, by
    call.hint_labels = None if hints is None else hints[1]
    pc, around, trying = s.pc, s.around, s.trying
    try:
        value = m.core[" switch"](call)
    except BaseException:
        if call.answer_tag is not None:
            s.tried(call.answer_tag)
        raise
    finally:
        s.pc, s.around, s.trying = pc, around, trying
    if kind == "context":
        return value, Tag(join(s.run.input, s.run.context.data), s.run.context.control)
    if kind == "context-enter":
        for tag in tags:
            s.run.context.add(*tag.flat())
    if call.answer_tag is not None:
        return value, call.answer_tag.decided(id_tag.everything())
    return value, NO_TAG if kind != "call" else UNKNOWN_TAG


def _realised(s: FlowState, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values without lazy sequences, whose elements are computed now."""
    around = s.around
    s.around = Gathering(OF_LAZY, OF_LAZY)
    try:
        return tuple([realised(value) for value in values])
    finally:
        s.around = around


@labels(nodes.HostRequest)
def label_request(m: LabelledMaker, node: nodes.HostRequest) -> Labelled:
    kind, id, arguments = node.kind, m.make(node.id), m.make_all(node.arguments)
    hints = m.make(node.hints) if node.hints is not None else None

    def request_(f: Frame, s: FlowState, at: int = node.at) -> Any:
        name = id(f, s)
        given = [argument(f, s) for argument in arguments]
        return ask(m, s, kind, name, given, None if hints is None else hints(f, s), at)

    return request_


def _label_parallel(m: LabelledMaker, node: nodes.Primitive, arguments: list[Labelled]) -> Labelled:
    """`(parallel* functions)`: a request with the functions as its arguments."""
    (functions,) = arguments

    def parallel(f: Frame, s: FlowState, at: int = node.at) -> Any:
        value, tag = functions(f, s)
        every = tag.everywhere()
        thunks = fresh_list("parallel*", value)
        result, result_tag = ask(m, s, "parallel", ("", NO_TAG), [(one, every) for one in thunks], None, at)
        return result, result_tag.decided(tag.everything())

    return parallel
