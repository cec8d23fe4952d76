"""However a call spells its arguments, their canonical form is one."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.capabilities.signature import Signature
from rtfs.values import EvalError, Keyword, Map, Vector

SIGNATURES = {
    "two needed": Signature(("a", "b"), 2),
    "one needed": Signature(("a", "b", "c"), 1),
    "the second needed": Signature(("a", "b"), ("b",)),
    "one by position": Signature(("a", "b", "c"), ("a", "c"), positional=1),
    "the rest": Signature(("a",), 1, rest="more"),
    "a map first": Signature(("a", "b"), 1, any_first=True),
    "a pair": Signature(("key", "value"), 2, pair=True),
    "names in maps": Signature(("a", "b"), 1, map_names=True),
    "nothing": Signature((), 0),
}
ONE = Map([(Keyword("x"), 1)])
ARGUMENTS: list[tuple[Any, ...]] = [
    (), (1,), (None,), (1, 2), (1, None), (None, 2), (ONE, 2), (1, ONE), (1, 2, 3), (None, None, 3),
    (1, 2, 3, 4),
]  # fmt: skip


def by_hand(signature: Signature, arguments: tuple[Any, ...]) -> Map | None:
    """The canonical map of arguments by position; None where they do not fit."""
    names = signature.names[: signature.positional]
    given = dict(zip(names, arguments, strict=False))
    if signature.rest is not None and len(arguments) > len(names):
        given[signature.rest] = Vector(arguments[len(names) :])
    fits = len(arguments) <= len(names) or signature.rest is not None
    if not fits or any(name not in given for name in signature.needed):
        return None
    kept = {name: value for name, value in given.items() if value is not None or name in signature.needed}
    return Map([(Keyword(name), value) for name, value in kept.items()])


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=repr)
@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_arguments_by_position_have_the_names_of_their_places(signature: Signature, arguments: tuple[Any, ...]) -> None:
    wanted = by_hand(signature, arguments)
    if wanted is None:
        with pytest.raises(EvalError, match="arity"):
            signature.arrange("t.f", arguments)
        return
    made = signature.arrange("t.f", arguments)
    assert made == wanted
    assert list(made) == list(wanted)
    assert signature.arrange("t.f", (made,)) == made


def test_a_single_map_names_the_arguments_unless_it_may_be_the_first() -> None:
    named = Map([(Keyword("a"), 1), (Keyword("b"), 2)])
    for name in ("two needed", "a map first", "names in maps"):
        assert SIGNATURES[name].arrange("t.f", (named,)) == named
    assert SIGNATURES["a map first"].arrange("t.f", (ONE,)) == Map([(Keyword("a"), ONE)])
    assert SIGNATURES["a pair"].arrange("t.f", (ONE,)) == Map([(Keyword("key"), Keyword("x")), (Keyword("value"), 1)])


@pytest.mark.parametrize("name", SIGNATURES)
def test_maps_with_the_same_keys_are_arranged_by_their_own_values(name: str) -> None:
    signature = SIGNATURES[name]
    for keys in ([], ["a"], ["a", "b"], ["b", "a"], ["c", "a"], ["key", "value"], ["more", "a"], ["x"]):
        for values in ([1, 2], [None, 2], [1, None], [Vector([1]), Vector([2])], [1, 2]):
            named = Map([(Keyword(key), value) for key, value in zip(keys, values, strict=False)])
            by_text = Map([(key.name, value) for key, value in named.items()])
            made, again = _arranged(signature, named), _arranged(signature, named)
            assert made == again
            if {*keys} <= {*signature.names, signature.rest} and (made is None or named not in made.values()):
                other = _arranged(signature, by_text)
                assert made == other
                assert [*(made or ())] == [*(other or ())]


def _arranged(signature: Signature, given: Map) -> Map | None:
    try:
        return signature.arrange("t.f", (given,))
    except EvalError:
        return None
