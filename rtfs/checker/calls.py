"""The places where a program calls a capability: what is declared of it, what it is given, how often at most.

Knows declarations only by the `Capability` that is handed in. Importing this module declares the handlers. Invariant: a
call whose id is a literal is found wherever it stands; one whose id is computed is listed without an id.
"""

from __future__ import annotations

from rtfs.checker.control import report_misfit
from rtfs.checker.facts import ANY, NEVER, UNKNOWN, Fact, kinds
from rtfs.checker.inference import Inference, infers
from rtfs.checker.schemas import fact_of, misfit
from rtfs.compiler.analysis import nodes
from rtfs.values import Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Span
    from rtfs.types import Type

FALLBACKS = ("runtime.fallback", "runtime.learning.fallback")


class Capability:
    """What is declared of a capability.

    id         as it is called
    input      the type of its arguments, or None
    output     the type of its result, or None
    known      False if nothing declares it
    hint       of an unknown one: how to declare it
    message    of an unknown one: what is wrong
    strict     whether argument keys that the type does not name are refused
    names      names of positional arguments, in order; None: they are not named
    """

    __slots__ = ("hint", "id", "input", "known", "message", "names", "output", "strict")

    def __init__(
        self,
        id: str,
        input: Type | None = None,
        output: Type | None = None,
        *,
        known: bool = True,
        message: str = "",
        hint: str | None = None,
        strict: bool = False,
        names: tuple[str, ...] | None = None,
    ) -> None:
        self.id = id
        self.input = input
        self.output = output
        self.known = known
        self.message = message
        self.hint = hint
        self.strict = strict
        self.names = names


class CallSite:
    """One place that calls.

    id           of the capability, or None where it is computed
    span         the place
    arguments    what is known of each argument
    literal      the arguments as values where they are all constants, or None
    at_most      how often one run can get here, or None if that is not known
    result       what is known of the result
    fallback     whether it is the fallback of another call
    """

    __slots__ = ("arguments", "at_most", "fallback", "id", "literal", "result", "span")

    def __init__(
        self, id: str | None, span: Span | None, arguments: list[Fact], at_most: int | None, fallback: bool = False
    ) -> None:
        self.id = id
        self.span = span
        self.arguments = arguments
        self.at_most = at_most
        self.fallback = fallback
        self.result: Fact = ANY
        values = [constant(one) for one in arguments]
        self.literal: tuple[Any, ...] | None = None if UNKNOWN in values else tuple(values)


def constant(fact: Fact) -> Any:
    """The value, if all of it is known; else UNKNOWN."""
    if fact.value is not UNKNOWN:
        return fact.value
    if fact.only("map") and fact.closed and fact.fields is not None:
        parts = {key: constant(part) for key, part in fact.fields.items()}
        return UNKNOWN if any(part is UNKNOWN for part in parts.values()) else Map(parts.items())
    if fact.only("vector") and fact.items is not None:
        from rtfs.values import Vector

        items = [constant(part) for part in fact.items]
        return UNKNOWN if any(part is UNKNOWN for part in items) else Vector(items)
    return UNKNOWN


@infers(nodes.HostRequest)
def infer_request(inference: Inference, node: nodes.HostRequest) -> Fact:
    if node.kind == "capability":
        return _declaration(inference, node)
    id = inference.infer(node.id)
    arguments = inference.infer_all(node.arguments)
    if node.kind != "call":
        return ANY if node.kind != "parallel" else Fact(kinds("vector"))
    hints = None if node.hints is None else inference.infer(node.hints)
    fallbacks = _fallbacks(hints)
    name = id.value if id.value.__class__ is str else id.value.name if id.value.__class__ is Keyword else None
    site = CallSite(name, inference.span_at(node.at), arguments, inference.rounds)
    if not inference.silent:
        inference.calls.append(site)
        for one in fallbacks:
            inference.calls.append(CallSite(one, site.span, arguments, inference.rounds, fallback=True))
    if name is None:
        return ANY
    inference.use(("capability", name))
    if any(one.kinds == frozenset() for one in arguments):
        return NEVER
    inference.catching += bool(fallbacks)
    try:
        site.result = _called(inference, node, name, arguments)
    finally:
        inference.catching -= bool(fallbacks)
    return ANY if fallbacks else site.result


def _called(inference: Inference, node: nodes.HostRequest, id: str, arguments: list[Fact]) -> Fact:
    known = inference.capability(id)
    if known is None:
        return ANY
    if not known.known:
        inference.report("capability/unknown", known.message, node.at, hint=known.hint, capability=id)
        return NEVER
    if known.input is not None:
        given = one_argument(arguments, known)
        wrong = None if given is None else misfit(known.input, given, known.strict)
        if wrong is not None:
            report_misfit(inference, wrong, f'the input of "{id}"', _place(node, wrong.path), capability=id)
            return NEVER
    return fact_of(known.output)


def one_argument(arguments: list[Fact], known: Capability) -> Fact | None:
    """The arguments as the one value that the schema sees: `{}`, the argument itself, a map of named ones, or a vector.
    None if that depends on what the arguments are."""
    if not arguments:
        return Fact(kinds("map"), fields={}, closed=True)
    if known.names is not None and not (len(arguments) == 1 and arguments[0].may_be(kinds("map"))):
        if len(arguments) > len(known.names) or any(one.may_be(kinds("map")) for one in arguments):
            return None
        return Fact(
            kinds("map"),
            fields={Keyword(name): one for name, one in zip(known.names, arguments, strict=False)},
            closed=True,
        )
    if len(arguments) == 1:
        return arguments[0]
    return Fact(kinds("vector"), items=tuple(arguments))


def _place(node: nodes.HostRequest, path: tuple[Any, ...]) -> int:
    """The `at` of the part of the written arguments that a path leads to, as far as they are written out."""
    part: nodes.Node = node.arguments[0] if len(node.arguments) == 1 else node
    found = part.at
    for key in path:
        if isinstance(part, nodes.MapDisplay):
            for name, value in zip(part.items[::2], part.items[1::2], strict=True):
                if isinstance(name, nodes.Const) and name.value == key and name.value.__class__ is key.__class__:
                    part = value
                    break
            else:
                break
        elif isinstance(part, nodes.VectorDisplay) and key.__class__ is int and key < len(part.items):
            part = part.items[key]
        else:
            break
        found = part.at or found
    return found


def _fallbacks(hints: Fact | None) -> list[str | None]:
    """Ids of the capabilities that a call falls back on; None where one is computed."""
    found: list[str | None] = []
    for name in FALLBACKS:
        option = None if hints is None or hints.fields is None else hints.fields.get(Keyword(name))
        if option is None:
            continue
        if option.fields is not None:
            option = option.fields.get(Keyword("capability"), option.fields.get("capability"))
        value = None if option is None else option.value
        found.append(value.name if value.__class__ is Keyword else value if value.__class__ is str else None)
    return found


def _declaration(inference: Inference, node: nodes.HostRequest) -> Fact:
    """A `(capability …)` form: what it declares is known from here on."""
    id = node.id.value if isinstance(node.id, nodes.Const) else None
    outer = inference.owners
    inference.owners = (*outer, ("capability", id))
    try:
        inference.infer_all(node.arguments)
    finally:
        inference.owners = outer
    return Fact(kinds("string"), value=id)
