"""Tracing rules for each kind of node. Importing this module registers them.

Must not know rules. Invariant: a node of which it is not known what it does gives `ANYTHING`, or something of all that
is in it.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import GETS
from rtfs.compiler.labelled.calls import PRIMITIVE_MOVES
from rtfs.host.flow.abstract import (
    ANY,
    ANYTHING,
    INPUT,
    NONE,
    NOTHING,
    Abstract,
    alternatives,
    constant,
    joined,
    key_of,
    name_of,
    same,
)
from rtfs.host.flow.tracing import NEVER, ROUNDS, Later, follows
from rtfs.host.flow.visits import Visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.flow.abstract import Atoms
    from rtfs.host.flow.tracing import Environment, Tracing


@follows(nodes.Const)
def follow_const(tracing: Tracing, node: nodes.Const, env: Environment) -> Abstract:
    return constant(node.value, tracing.literal)


@follows(nodes.Local)
def follow_local(tracing: Tracing, node: nodes.Local, env: Environment) -> Abstract:
    return env.get(id(node.binding), ANYTHING)


@follows(nodes.Global)
def follow_global(tracing: Tracing, node: nodes.Global, env: Environment) -> Abstract:
    if node.core:
        return Abstract(functions=frozenset((node.name,)))
    values = tracing.globals.get(node.name)
    if values is None or node.name not in tracing.defined:
        return ANYTHING
    return alternatives(values)


@follows(nodes.Broken)
def follow_broken(tracing: Tracing, node: nodes.Broken, env: Environment) -> Abstract:
    return ANYTHING


@follows(nodes.If)
def follow_if(tracing: Tracing, node: nodes.If, env: Environment) -> Abstract:
    return tracing.branch(tracing.of(node.test, env).everything(), [node.then, node.orelse], env)


@follows(nodes.Logic)
def follow_logic(tracing: Tracing, node: nodes.Logic, env: Environment) -> Abstract:
    pc, found, by = tracing.pc, [], NONE
    before = tracing.before
    for number, operand in enumerate(node.operands):
        value = tracing.of(operand, env)
        found.append(value.decided(by))
        by |= value.everything()
        tracing.pc = pc | by
        if number == 0:
            before = tracing.before
    tracing.pc, tracing.before = pc, before
    tracing.tests |= by
    return alternatives(found)


@follows(nodes.Do)
def follow_do(tracing: Tracing, node: nodes.Do, env: Environment) -> Abstract:
    values = tracing.all(node.body, env)
    return NEVER if NEVER in values else values[-1]


@follows(nodes.Let)
def follow_let(tracing: Tracing, node: nodes.Let, env: Environment) -> Abstract:
    env = dict(env)
    for binding, value in node.bindings:
        env[id(binding)] = tracing.of(value, env)
    return tracing.of(node.body, env)


@follows(nodes.Fn)
def follow_fn(tracing: Tracing, node: nodes.Fn, env: Environment) -> Abstract:
    env = dict(env)
    key = id(node)
    known = tracing.functions.get(key)
    if known is not None:  # made again, with other values around it
        around = {one: alternatives((value, known[1][one])) for one, value in env.items() if one in known[1]}
        env = {**known[1], **env, **around}
    made = Abstract(functions=frozenset((key,)))
    if node.binding is not None:
        env[id(node.binding)] = made
    tracing.functions[key] = node, env, tracing.file
    return made


@follows(nodes.Def)
def follow_def(tracing: Tracing, node: nodes.Def, env: Environment) -> Abstract:
    value = tracing.of(node.value, env).decided(tracing.pc)
    tracing.globals.setdefault(node.name, []).append(value)
    return value


@follows(nodes.Loop)
def follow_loop(tracing: Tracing, node: nodes.Loop, env: Environment) -> Abstract:
    values = tracing.all(node.values, env)
    return tracing.rounds(node.target, node.variables, values, node.body, env)


@follows(nodes.Recur)
def follow_recur(tracing: Tracing, node: nodes.Recur, env: Environment) -> Abstract:
    values = tracing.all(node.arguments, env)
    recurred = tracing.loops.get(id(node.target))
    if recurred is not None:
        for known, value in zip(recurred.values, values, strict=False):
            known.append(value)
    return NEVER


@follows(nodes.Match)
def follow_match(tracing: Tracing, node: nodes.Match, env: Environment) -> Abstract:
    env = dict(env)
    by: Atoms = NONE
    for clause in node.clauses:
        for step in clause.steps:
            if isinstance(step, nodes.Node):
                by |= tracing.of(step, env).everything()
            else:
                env[id(step[0])] = tracing.of(step[1], env)
    return tracing.branch(by, [*[clause.body for clause in node.clauses], node.otherwise], env)


@follows(nodes.Try)
def follow_try(tracing: Tracing, node: nodes.Try, env: Environment) -> Abstract:
    before, pc, tests = tracing.before, tracing.pc, tracing.tests
    failed = frozenset((ANY,))
    found, befores = [], []
    body = tracing.of(node.body, env)
    if body is not NEVER:
        found.append(body)
        befores.append(tracing.before)
    for handler in node.handlers:
        tracing.pc, tracing.before = pc | failed, before
        value = tracing.of(handler.body, {**env, id(handler.binding): ANYTHING})
        if value is not NEVER:
            found.append(value)
            befores.append(tracing.before)
    tracing.before = frozenset.intersection(*befores) if befores else before
    if node.cleanup is not None:
        tracing.pc = pc | failed
        tracing.of(node.cleanup, env)
    tracing.pc, tracing.tests = pc, tests | failed
    return alternatives(found).decided(failed) if found else NEVER


@follows(nodes.VectorDisplay)
def follow_vector(tracing: Tracing, node: nodes.VectorDisplay, env: Environment) -> Abstract:
    return Abstract(kids=tracing.all(node.items, env))


@follows(nodes.MapDisplay)
def follow_map(tracing: Tracing, node: nodes.MapDisplay, env: Environment) -> Abstract:
    values = tracing.all(node.items, env)
    keys = [name_of(key.value) if isinstance(key, nodes.Const) else None for key in node.items[::2]]
    if None in keys:
        return joined(values, False)
    kids = {str(key): value for key, value in zip(keys, values[1::2], strict=True)}
    return Abstract(tracing.literal, kids=kids)


@follows(nodes.Cast)
def follow_cast(tracing: Tracing, node: nodes.Cast, env: Environment) -> Abstract:
    value = tracing.of(node.value, env)
    if value.kids is not None:
        return value
    return Abstract(value.data, value.control, value.must, None, value.functions, None, value.literal)


@follows(nodes.TypeTest)
def follow_type_test(tracing: Tracing, node: nodes.TypeTest, env: Environment) -> Abstract:
    return joined([tracing.of(node.value, env)])


@follows(nodes.Each)
def follow_each(tracing: Tracing, node: nodes.Each, env: Environment) -> Abstract:
    """An inlined call of `map` and its like; on a lazy sequence its rounds come later."""
    initial = NOTHING if node.initial is None else tracing.of(node.initial, env)
    collection = tracing.of(node.collection, env)
    whole = joined([collection, initial], False)
    by = whole.data | whole.control
    variables = [node.item] if node.accumulator is None else [node.item, node.accumulator]
    item = tracing.vague(collection.element())
    with Later(tracing, by):
        accumulator = tracing.vague(alternatives((initial, item)) if node.initial is None else initial)
        result: Abstract = NOTHING
        for number in range(ROUNDS + 1):
            if number == ROUNDS:
                accumulator = ANYTHING
            inner = {**env, id(variables[0]): item}
            if node.accumulator is not None:
                inner[id(node.accumulator)] = accumulator
            result = tracing.of(node.body, inner)
            following = alternatives((accumulator, result.decided(by)))
            if node.accumulator is None or same(accumulator, following):
                break
            accumulator = following
    gathered = joined([collection, initial, result, *([] if node.accumulator is None else [accumulator])], False)
    return tracing.vague(Abstract(gathered.data, gathered.control | by | gathered.data, functions=gathered.functions))


@follows(nodes.Invoke)
def follow_invoke(tracing: Tracing, node: nodes.Invoke, env: Environment) -> Abstract:
    function = tracing.of(node.function, env)
    arguments = tracing.all(node.arguments, env)
    if isinstance(node.function, nodes.Global) and node.function.core:
        return tracing.standard(node.function.name, arguments)
    return tracing.called(function, arguments)


@follows(nodes.Primitive)
def follow_primitive(tracing: Tracing, node: nodes.Primitive, env: Environment) -> Abstract:
    operation = node.operation
    arguments = tracing.all(node.arguments, env)
    if operation == "throw":
        return NEVER
    if operation == "parallel":
        return _parallel(tracing, arguments[0])
    if (operation in ("keyword_get", "pattern_get") or operation in GETS) and len(arguments) == 2:
        key, value = arguments if operation == "keyword_get" else reversed(arguments)
        name = key_of(key.literal)
        if name is not None:
            return value.at_key(name)
    if operation in ("pattern_items", "pattern_sequence") and (
        isinstance(arguments[0].kids, list) or arguments[0].answer
    ):
        return arguments[0]
    if operation in ("pattern_map", "pattern_record") and (isinstance(arguments[0].kids, dict) or arguments[0].answer):
        return arguments[0]
    if operation in ("unpacked", "pattern_item", "sequence_item") and isinstance(arguments[0].kids, list):
        return arguments[0].element(int(arguments[1].literal or 0))
    if operation == "with_keywords" and all(isinstance(one.kids, dict) for one in arguments):
        return Abstract(tracing.literal, kids={**arguments[0].kids, **arguments[1].kids})  # type: ignore[dict-item]
    if operation in ("list_of", "vector_of"):
        return Abstract(kids=arguments)
    if operation == "plan_parameters":
        return joined(arguments, False)
    whole = joined(arguments, operation not in PRIMITIVE_MOVES)
    return tracing.vague(whole)


@follows(nodes.HostRequest)
def follow_request(tracing: Tracing, node: nodes.HostRequest, env: Environment) -> Abstract:
    id_value = tracing.of(node.id, env)
    arguments = tracing.all(node.arguments, env)
    if node.kind == "parallel":
        return _parallel(tracing, Abstract(kids=arguments))
    hints = [] if node.hints is None else [tracing.of(node.hints, env)]
    tracing.hand_out([*arguments, *hints])
    if node.kind == "context":
        return ANYTHING if tracing.contexts else Abstract(frozenset((INPUT,)), must=frozenset())
    if node.kind != "call":
        return joined([id_value, *arguments], False)
    id = node.id.value if isinstance(node.id, nodes.Const) else None
    by = tracing.pc | id_value.everything()
    visit = Visit(id, arguments, by, tracing.before, tracing.maybe)
    tracing.visits.setdefault((tracing.file, node.at), []).append(visit)
    mine = id is None or id in tracing.own or None in tracing.own
    declared = None if mine else tracing.declared(str(id))
    tracing.maybe |= frozenset((None,) if declared is None or declared.guest or hints else (id,))
    if id is None or declared is None or declared.guest or declared.keeps or hints:
        if id is not None and not hints and declared is not None and not declared.guest:
            tracing.before |= frozenset((visit,))
        return ANYTHING
    tracing.before |= frozenset((visit,))
    given = NOTHING if declared.drops else joined(arguments)
    own = (id, ())
    return Abstract(given.data | {own}, given.control, given.must | {id}, None, given.functions, own)


def _parallel(tracing: Tracing, functions: Abstract) -> Abstract:
    """Functions that are called at once."""
    before, maybe = tracing.before, tracing.maybe
    parts = functions.kids if isinstance(functions.kids, list) else None
    if parts is None or any(len(one.functions) != 1 for one in parts):
        tracing.hand_out([functions])
        return ANYTHING
    gathered = before
    for _ in range(2):  # each branch may come after any call of the others
        found = []
        for part in parts:
            tracing.before = before
            found.append(tracing.called(part, []))
            gathered |= tracing.before
        if tracing.maybe == maybe:
            break
        maybe = tracing.maybe
    tracing.before = gathered
    return Abstract(kids=[one if one is not NEVER else NOTHING for one in found])
