"""Ownership: where an accumulator may be changed in place because nothing else can see it.

Knows nothing of Python code. As long as a loop variable, or the accumulator of an inlined `reduce`, is only read
(`get`, `count` …) and then passed on with an entry changed, building it in place has the same result as building new
versions. An accumulator that starts as a new map or vector belongs to the loop from the beginning; any other from its
first change, which makes a new version anyway. Invariant: when in doubt the answer is no.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import GETS, PUTS
from rtfs.compiler.analysis.nodes import Binding, Invoke, Local, Node, children, walk
from rtfs.values import Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Harmless = Callable[[Node, Binding], bool]


ANY = "any"
"""The kind of an accumulator that starts as whatever it is given."""
TAIL = "tail"
"""The kind of a loop variable that is gone through: each round passes on what is behind its first element."""

# kind of accumulator -> functions that change it, with the numbers of their arguments
_ASSOC = frozenset((("assoc", 3), ("assoc", 5), ("assoc", 7)))
_CHANGES = {
    "map": _ASSOC,
    "vector": frozenset((("conj", 2),)),
    ANY: _ASSOC | {("conj", 2), ("disj", 2), ("dissoc", 2), ("pop", 1)},
}

# functions that look at their first argument and keep nothing of it but elements
_ASKING = frozenset(
    (
        *("get", "count", "length", "contains?", "nth", "empty?", "get-in", "first", "last", "second", "peek"),
        *("keys", "vals", "nil?", "some?"),
    )
)


def fresh_kind(node: Node | None) -> str | None:
    """`map` or `vector` if the node makes a new one each time it is evaluated (an empty constant counts)."""
    if isinstance(node, nodes.MapDisplay):
        return "map"
    if isinstance(node, nodes.VectorDisplay):
        return "vector"
    if isinstance(node, nodes.Const) and not isinstance(node.value, str):
        if node.value.__class__ is Map and not len(node.value):
            return "map"
        if node.value.__class__ is Vector and not len(node.value):
            return "vector"
    return None


def is_new(node: Node | None) -> bool:
    """True if nothing else can refer to the map that a node returns: a version with an entry changed, or a display;
    also for a nameless local, which only the analyser's own nodes mention."""
    while True:
        if isinstance(node, nodes.Let):
            node = node.body
        elif isinstance(node, Local):
            if node.binding.uses or node.binding.definitions > 1:
                return False
            node = node.binding.value
        elif isinstance(node, nodes.Primitive) and node.entry is not None:
            node = node.entry
        else:
            break
    if isinstance(node, nodes.Primitive):
        return node.operation in PUTS
    return isinstance(node, nodes.MapDisplay) or (
        isinstance(node, Invoke) and (core_name(node), len(node.arguments)) in _ASSOC
    )


def core_name(node: Node) -> str | None:
    """The standard function that a call calls."""
    if isinstance(node, Invoke) and isinstance(node.function, nodes.Global) and node.function.core:
        return node.function.name
    return None


def changed(node: Node, kind: str) -> tuple[Node, list[Node]] | None:
    """(collection, operands) of a node that changes entries of a collection of the kind; None for any other."""
    if kind == TAIL:
        if core_name(node) in ("rest", "next") and isinstance(node, Invoke) and len(node.arguments) == 1:
            return node.arguments[0], []
    elif isinstance(node, nodes.Primitive):
        if node.operation in PUTS and kind != "vector":
            return node.arguments[0], node.arguments[1:]
    elif isinstance(node, Invoke) and (
        (core_name(node), len(node.arguments)) in _CHANGES[kind] or (kind == ANY and hands_over(node))
    ):
        return node.arguments[0], node.arguments[1:]
    return None


def called(node: Node) -> nodes.Traits | None:
    """What is known of the function of the program that a node calls with as many arguments as it takes."""
    if isinstance(node, Invoke) and isinstance(node.function, nodes.Global):
        traits = node.function.traits
        if traits is not None and len(traits.fn.arities[0].params) == len(node.arguments):
            return traits
    return None


def hands_over(node: Node) -> bool:
    """True if a node calls a function of the program that may change its first argument in place."""
    traits = called(node)
    return traits is not None and traits.changes


def traits_of(fn: nodes.Fn, plain: str) -> nodes.Traits | None:
    """What others may rely on when they call a function, if there is anything. plain: see `Traits`."""
    arity = fn.arities[0]
    if len(fn.arities) > 1 or arity.rest is not None or not arity.params:
        return None
    kept = set(arity.params)
    for binding in given_away(arity.body):
        kept.discard(binding)
        if not kept:
            break
    asked = frozenset([place for place, one in enumerate(arity.params) if one in kept])
    changes = 0 not in asked and _changes_any(arity.body, ANY) and updates(arity.body, arity.params[0], ANY)
    width = width_of(arity.body)
    return nodes.Traits(fn, plain, asked, changes, width) if asked or changes or width else None


def display_of(node: Node) -> nodes.VectorDisplay | None:
    """The vector that a node spells out, as `[a b]` or `(vector a b)`."""
    if isinstance(node, nodes.VectorDisplay):
        return node
    if isinstance(node, Invoke) and node.arguments and core_name(node) == "vector":
        return nodes.VectorDisplay(node.at, node.arguments)
    return None


def width_of(node: Node) -> int:
    """The number of elements of the vectors that a node makes on every way through it; 0 if it makes anything else."""
    width = 0
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, nodes.If):
            pending += (one.then, one.orelse)
        elif isinstance(one, (nodes.Let, nodes.Loop)):
            pending.append(one.body)
        elif isinstance(one, nodes.Do):
            pending.append(one.body[-1])
        elif isinstance(one, nodes.VectorDisplay) and width in (0, len(one.items)):
            width = len(one.items)
        elif not isinstance(one, nodes.Recur):
            return 0
    return width


def _changes_any(node: Node, kind: str) -> bool:
    """True if a part of a node changes entries of a collection of the kind."""
    return any(isinstance(part, (Invoke, nodes.Primitive)) and changed(part, kind) is not None for part in walk(node))


def is_update(node: Node, accumulator: Binding, kind: str, harmless: Harmless) -> bool:
    """True for the accumulator itself, or with changed entries, whose collection may be such an update again."""
    if isinstance(node, Local):
        return node.binding is accumulator
    change = changed(node, kind)
    if change is None:
        return False
    inner, rest = change
    if isinstance(inner, Local):
        return inner.binding is accumulator and all(harmless(one, accumulator) for one in rest)
    # a chain: the outer arguments are evaluated after the first change
    return updates(inner, accumulator, kind, harmless) and not any(mentions(one, accumulator) for one in rest)


def updates(node: Node, accumulator: Binding, kind: str, harmless: Harmless | None = None) -> bool:
    """True if every way through `node` ends with an update of the accumulator, and what is done with it before is
    `harmless` (only asking, unless told otherwise)."""
    harmless = harmless or only_asked
    if isinstance(node, nodes.If):
        return harmless(node.test, accumulator) and all(
            updates(one, accumulator, kind, harmless) for one in (node.then, node.orelse)
        )
    if isinstance(node, nodes.Let):
        for place, (binding, value) in enumerate(node.bindings):
            if harmless(value, accumulator) or is_read_first(node, place, accumulator):
                continue
            # a new name for what is passed on: the old one must not be used any more
            if kind not in (ANY, TAIL) or binding.definitions > 1 or not updates(value, accumulator, kind, harmless):
                return False
            later = [one for _, one in node.bindings[place + 1 :]]
            if any(mentions(one, accumulator) for one in (*later, node.body)):
                return False
            rest = nodes.Let(node.at, node.bindings[place + 1 :], node.body)
            return updates(rest, binding, kind, harmless)
        return updates(node.body, accumulator, kind, harmless)
    if isinstance(node, nodes.Do):
        return all(harmless(one, accumulator) for one in node.body[:-1]) and updates(
            node.body[-1], accumulator, kind, harmless
        )
    if isinstance(node, nodes.Each) and node.operation == "reduce":
        # an inner reduce that continues with the same accumulator
        return (
            isinstance(node.initial, Local)
            and node.initial.binding is accumulator
            and node.accumulator is not None
            and not node.closes
            and not mentions(node.collection, accumulator)
            and not mentions(node.body, accumulator)
            and updates(node.body, node.accumulator, kind, harmless)
        )
    if isinstance(node, nodes.Loop):
        index = continued(node, accumulator)
        return (
            index is not None
            and kind != TAIL
            and harmless is only_asked
            and not node.closes
            and not mentions(node.body, accumulator)
            and changes(node, index, kind)
            and loop_updates(node.body, node, index, kind)
            and _ends_with(node.body, node.variables[index])
        )
    return is_update(node, accumulator, kind, harmless)


def is_read_first(node: nodes.Let, place: int, accumulator: Binding) -> bool:
    """True if what binding number `place` takes from the accumulator is not used after a change: it is a further name
    that nothing uses, as a `loop` makes them, or the entries of a map of which a pattern picks some at once."""
    binding, value = node.bindings[place]
    record = is_record_of(value, accumulator)
    if not record and not (isinstance(value, Local) and value.binding is accumulator):
        return False
    later = [one for _, one in node.bindings[place + 1 :]]
    while record and later and mentions(later[0], binding) and only_asked(later[0], accumulator):
        del later[0]
    return not any(mentions(one, binding) for one in (*later, node.body))


def is_record_of(node: Node, accumulator: Binding) -> bool:
    """True for the entries of the accumulator, from which a pattern takes some; nothing else ever sees them."""
    return _is_record(node) and node.arguments[0].binding is accumulator  # type: ignore[attr-defined]


def _is_record(node: Node) -> bool:
    """True for the entries of the map that a local holds, from which a pattern takes some."""
    return (
        isinstance(node, nodes.Primitive)
        and node.operation == "pattern_record"
        and isinstance(node.arguments[0], Local)
    )


def continued(loop: nodes.Loop, accumulator: Binding) -> int | None:
    """The number of the one variable that starts as the accumulator, if the others only ask that."""
    found = None
    for index, value in enumerate(loop.values):
        if isinstance(value, Local) and value.binding is accumulator:
            if found is not None:
                return None
            found = index
        elif not only_asked(value, accumulator):
            return None
    return found


def _ends_with(node: Node, variable: Binding) -> bool:
    """True if every way out of a loop's body returns the variable."""
    if isinstance(node, nodes.If):
        return _ends_with(node.then, variable) and _ends_with(node.orelse, variable)
    if isinstance(node, nodes.Let):
        return _ends_with(node.body, variable)
    if isinstance(node, nodes.Do):
        return _ends_with(node.body[-1], variable)
    return isinstance(node, nodes.Recur) or (isinstance(node, Local) and node.binding is variable)


def names_of_rests(loop: nodes.Loop, index: int) -> dict[Binding, str]:
    """The locals that hold what is behind the first element of variable `index` and are only passed on as that
    variable, as in `(let [x (first xs) more (rest xs)] … (recur more))`, with the function that gives it."""
    if index in loop.rests:
        return loop.rests[index]
    variable = loop.variables[index]
    recurs, behind = _rounds(loop)
    loop.rests[index] = found = {binding: name for binding, value, name in behind if _is_of(value, variable)}
    if found:
        passed = [getattr(one.arguments[index], "binding", None) for one in recurs]
        mentioned = list(_locals(loop.body))
        for one in [one for one in found if not 0 < passed.count(one) == mentioned.count(one)]:
            del found[one]
    return found


def _rounds(loop: nodes.Loop) -> tuple[list[nodes.Recur], list[tuple[Binding, Node, str]]]:
    """The recurs to a loop, and the locals that are bound in it once, to what is behind the first element of something,
    with the call and the function."""
    if loop.rounds is None:
        recurs: list[nodes.Recur] = []
        behind: list[tuple[Binding, Node, str]] = []
        for part in walk(loop.body):
            if isinstance(part, nodes.Recur):
                if part.target is loop.target:
                    recurs.append(part)
            elif isinstance(part, nodes.Let):
                for binding, value in part.bindings:
                    name = core_name(value)
                    if name is not None and name in ("rest", "next") and binding.definitions <= 1:
                        behind.append((binding, value, name))
        loop.rounds = recurs, behind
    return loop.rounds  # type: ignore[no-any-return]


def loop_updates(node: Node, loop: nodes.Loop, index: int, kind: str, rests: dict[Binding, str] | None = None) -> bool:
    """True if each round of the loop either ends it or passes on an update of variable `index`, only asked before."""
    variable = loop.variables[index]
    if rests is None:
        rests = names_of_rests(loop, index) if kind == TAIL else {}
    if isinstance(node, nodes.If):
        return (_is_seq_of(node.test, variable) or only_asked(node.test, variable)) and all(
            loop_updates(one, loop, index, kind, rests) for one in (node.then, node.orelse)
        )
    if isinstance(node, nodes.Let):
        return all(
            binding in rests or only_asked(value, variable) for binding, value in node.bindings
        ) and loop_updates(node.body, loop, index, kind, rests)
    if isinstance(node, nodes.Do):
        return all(only_asked(one, variable) for one in node.body[:-1]) and loop_updates(
            node.body[-1], loop, index, kind, rests
        )
    if isinstance(node, nodes.Recur):
        if node.target is not loop.target:
            return False
        before, passed, after = node.arguments[:index], node.arguments[index], node.arguments[index + 1 :]
        if not all(only_asked(one, variable) for one in (*before, *after)):
            return False
        if isinstance(passed, Local) and passed.binding in rests:
            return True
        if any(mentions(one, variable) for one in after):  # they see it as it is before the change
            return is_straight(passed, kind) and is_update(passed, variable, kind, only_asked)
        return updates(passed, variable, kind, only_asked)
    # a way out: nothing is changed any more, so the value may go anywhere
    return not any(isinstance(part, nodes.Recur) for part in walk(node))


def _is_seq_of(node: Node, variable: Binding) -> bool:
    """`(seq xs)`, which as a test is kept nowhere."""
    return core_name(node) == "seq" and _is_of(node, variable)


def is_straight(node: Node, kind: str) -> bool:
    """True for an update whose operands can be computed first, and applied later without an error."""
    if kind == TAIL:
        return isinstance(node, Local) or (isinstance(node, Invoke) and isinstance(node.arguments[0], Local))
    while isinstance(node, Invoke) and len(node.arguments) in (2, 3):
        node = node.arguments[0]
    return kind != ANY and isinstance(node, Local)


def changes(loop: nodes.Loop, index: int, kind: str) -> bool:
    """True if a round of the loop changes what variable `index` holds."""
    if kind == TAIL and names_of_rests(loop, index):
        return True
    return any(_changes_any(one.arguments[index], kind) for one in _rounds(loop)[0])


def only_asked(node: Node, accumulator: Binding) -> bool:
    """True if the accumulator is at most looked into: it is not kept, passed on, returned or captured."""
    return all(binding is not accumulator for binding in given_away(node))


def given_away(node: Node) -> Iterator[Binding]:
    """The locals whose values a node does more with than to look into them, some of them repeatedly."""
    pending = [node]
    while pending:
        one = pending.pop()
        kind = one.__class__
        if kind is Local:
            yield one.binding  # type: ignore[attr-defined]
        elif kind is Invoke:
            pending.extend(_not_asked(one))  # type: ignore[arg-type]
        elif kind is nodes.Primitive:
            place, arguments = _place_asked(one), one.arguments  # type: ignore[arg-type, attr-defined]
            if place >= 0 and arguments[place].__class__ is Local:
                arguments = [*arguments[:place], *arguments[place + 1 :]]
            pending.extend(arguments)
        elif kind is nodes.Const:
            continue
        elif kind is nodes.Let:
            pending.extend([value for _, value in one.bindings if not _is_record(value)])  # type: ignore[attr-defined]
            pending.append(one.body)  # type: ignore[attr-defined]
        elif kind is nodes.Fn:
            yield from _locals(one)
        else:
            pending.extend(children(one))
            if kind is nodes.Each and one.operation != "reduce":  # type: ignore[attr-defined]
                yield from _locals(one.body)  # type: ignore[attr-defined]  # of a lazy collection it would run later


def _locals(node: Node) -> Iterator[Binding]:
    return (part.binding for part in walk(node) if isinstance(part, Local))


def _not_asked(node: Invoke) -> list[Node]:
    """The parts of a call but for locals that it only asks, and for a function that has a name."""
    function, arguments = node.function, node.arguments
    if isinstance(function, nodes.Global):
        if function.core:
            asks = function.name in _ASKING and arguments and arguments[0].__class__ is Local
            return arguments[1:] if asks else arguments
        traits = called(node)
        if traits is None:
            return arguments
        return [one for at, one in enumerate(arguments) if at not in traits.asked or one.__class__ is not Local]
    if isinstance(function, Local):  # (accumulator key)
        return arguments
    return [function, *arguments]


def _place_asked(node: nodes.Primitive) -> int:
    """Which argument of a primitive is only asked; -1 for none."""
    operation = node.operation
    if operation == "keyword_get":
        return 1
    return 0 if operation in GETS or operation == "pattern_items" else -1


def goes_forward(loop: nodes.Loop, index: int) -> bool:
    """True if all that the loop does with variable `index` is to ask for its first element and whether there is one,
    and to pass on what is behind that."""
    variable = loop.variables[index]
    rests = names_of_rests(loop, index)

    def is_fine(node: Node) -> bool:
        if isinstance(node, nodes.Let):
            values = [value for binding, value in node.bindings if binding not in rests]
            return all(is_fine(one) for one in (*values, node.body))
        if isinstance(node, Local):
            return node.binding is not variable
        if isinstance(node, (nodes.Each, nodes.Fn)):
            return not mentions(node, variable)
        if isinstance(node, nodes.Recur) and node.target is loop.target:
            return all(passes(one) if place == index else is_fine(one) for place, one in enumerate(node.arguments))
        if core_name(node) in ("first", "empty?", "seq") and _is_of(node, variable):
            return True
        return all(is_fine(part) for part in children(node))

    def passes(node: Node) -> bool:
        if isinstance(node, nodes.If):
            return is_fine(node.test) and passes(node.then) and passes(node.orelse)
        if isinstance(node, Local):
            return node.binding is variable or node.binding in rests
        return core_name(node) in ("rest", "next") and _is_of(node, variable)

    return is_fine(loop.body)


def _is_of(node: Node, variable: Binding) -> bool:
    """True for a call with the variable as its only argument."""
    if not isinstance(node, Invoke) or len(node.arguments) != 1:
        return False
    held = node.arguments[0]
    return isinstance(held, Local) and held.binding is variable


def never_asked(node: Node, accumulator: Binding) -> bool:
    """True if the node has nothing to do with the accumulator."""
    return not mentions(node, accumulator)


def mentions(node: Node, binding: Binding) -> bool:
    return any(isinstance(part, Local) and part.binding is binding for part in walk(node))
