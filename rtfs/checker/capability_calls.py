"""The places where a program calls a capability: its declaration, the arguments, how often at most.

Knows declarations only by the `Capability` that is passed in. Importing this module declares the handlers. Invariant: a
call whose id is a literal is found wherever it is; one whose id is computed is listed without an id.
"""

from __future__ import annotations

from rtfs.checker.control import report_misfit
from rtfs.checker.facts import ANY, NEVER, Fact, kinds, never
from rtfs.checker.inference import Inference, infers
from rtfs.checker.places import Placed
from rtfs.checker.schemas import fact_of, misfit
from rtfs.compiler.analysis import nodes
from rtfs.values import Keyword, Map, TypeMismatch, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.checker.places import Place
    from rtfs.source import Span
    from rtfs.types import Type

_MAP = kinds("map")
FALLBACKS = ("runtime.fallback", "runtime.learning.fallback")


class Capability:
    """The declaration of a capability.

    id         as it is called
    input      the type of its arguments, or None
    output     the type of its result, or None
    gives      the fact about its result
    keys       the names of its parameters as keywords, where they have names and one map always names them; else None
    known      False if nothing declares it
    hint       of an unknown one: how to declare it
    message    of an unknown one: what is wrong
    """

    __slots__ = ("gives", "hint", "id", "input", "keys", "known", "message", "output")

    def __init__(
        self,
        id: str,
        input: Type | None = None,
        output: Type | None = None,
        *,
        names: tuple[str, ...] | None = None,
        known: bool = True,
        message: str = "",
        hint: str | None = None,
    ) -> None:
        self.id = id
        self.input = input
        self.output = output
        self.gives = fact_of(output)
        self.keys = None if names is None else [Keyword(name) for name in names]
        self.known = known
        self.message = message
        self.hint = hint


class CallSite(Placed):
    """One place that calls.

    id           of the capability, or None where it is computed
    place        where it is
    at_most      how often one run can get here, or None if that is not known
    """

    __slots__ = ("at_most", "id")

    def __init__(self, id: str | None, place: Place | None, at_most: int | None) -> None:
        self.id = id
        self.place = place
        self.at_most = at_most


@infers(nodes.HostRequest)
def infer_request(inference: Inference, node: nodes.HostRequest) -> Fact:
    if node.kind == "capability":
        return _declaration(inference, node)
    id = (
        node.id.value if node.id.__class__ is nodes.Const and not inference.detailed else inference.infer(node.id).value
    )
    arguments = inference.infer_all(node.arguments)
    if node.kind != "call":
        return ANY if node.kind != "parallel" else Fact(kinds("vector"))
    hints = None if node.hints is None else inference.infer(node.hints)
    fallbacks = [] if hints is None else _fallbacks(hints)
    name = id if id.__class__ is str else id.name if id.__class__ is Keyword else None
    if not inference.silent:
        place = inference.span_at, node.at
        inference.calls.append(CallSite(name, place, inference.rounds))
        for one in fallbacks:
            inference.calls.append(CallSite(one, place, inference.rounds))
    if name is None:
        return ANY
    inference.use(("capability", name))
    if never(arguments):
        return NEVER
    if not fallbacks:
        return _called(inference, node, name, arguments)
    inference.catching += 1
    try:
        _called(inference, node, name, arguments)
    finally:
        inference.catching -= 1
    return ANY


def _called(inference: Inference, node: nodes.HostRequest, id: str, arguments: list[Fact]) -> Fact:
    known = inference.capability(id)
    if known is None:
        return ANY
    if not known.known:
        inference.report("capability/unknown", known.message, node.at, hint=known.hint, capability=id)
        return NEVER
    if known.input is not None:
        wrong = misfit(known.input, one_argument(arguments) if known.keys is None else named(arguments, known.keys))
        if wrong is not None:
            what = f'the input of "{id}"'
            whole = None if inference.silent else inference.span_at(node.at)
            span = None if whole is None else _written(whole, wrong.message(what), wrong.path, id)
            report_misfit(inference, wrong, what, _place(node, wrong.path), span=span, capability=id)
            return NEVER
    return known.gives


def one_argument(arguments: list[Fact]) -> Fact:
    """The arguments as the one value that the schema sees: `{}`, the argument itself, or a vector of them."""
    if not arguments:
        return Fact(kinds("map"), fields={}, closed=True)
    return arguments[0] if len(arguments) == 1 else Fact(kinds("vector"), items=tuple(arguments))


def named(arguments: list[Fact], keys: list[Keyword]) -> Fact:
    """The arguments as the map of parameters that the schema sees; anything where it depends on the value."""
    if len(arguments) == 1 and (arguments[0].kinds is None or "map" in arguments[0].kinds):
        return arguments[0] if arguments[0].kinds == _MAP else ANY
    if len(arguments) > len(keys):
        return ANY
    return Fact(_MAP, fields=dict(zip(keys, arguments, strict=False)), closed=True)


def _written(whole: Span, message: str, path: tuple[Any, ...], id: str) -> Span | None:
    """The place of the wrong part in the text of the call, None where that is not written out. (A constant map is one
    node, without places inside.)"""
    from rtfs.machine.errors.refine import refine_error

    error = TypeMismatch("type/mismatch", message, span=whole, capability=id)
    error.data = Map([(Keyword("path"), Vector(path))])
    refine_error(error)
    return None if error.span is whole else error.span


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


def _fallbacks(hints: Fact) -> list[str | None]:
    """Ids of the capabilities that a call falls back on; None where one is computed."""
    found: list[str | None] = []
    if hints.fields is None:
        return found
    for name in FALLBACKS:
        option = hints.fields.get(Keyword(name))
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
