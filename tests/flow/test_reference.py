"""Labels of random programs are at least those of a slow reference interpreter."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.host.flow.control import RunControl
from tests.flow.reference import reference
from tests.flow.test_properties import Maker, outcome

HARMLESS = [{"call": "sink", "argument": "value", "from": ["*"]}]
OPEN = 3


def labels(text: str, secret: int, patch: pytest.MonkeyPatch) -> tuple[frozenset[str], frozenset[str]] | None:
    """What a run says of the value that reaches the sink: what it is made of, and what decided about it."""
    found: list[Any] = []
    decide = RunControl.decide

    async def looking(self: RunControl, decision: Any, entry: Any, call: Any, frame: Any) -> Any:
        if entry.id == "sink":
            (tag,) = self.tags(call, frame)
            data, control = self.labels.resolve(*tag.flat())
            found.append(tuple(frozenset(one.id for one in part.sources) for part in (data, control)))
        return await decide(self, decision, entry, call, frame)

    with patch.context() as context:
        context.setattr(RunControl, "decide", looking)
        outcome(text, secret, HARMLESS)
    return found[0] if found else None


@pytest.mark.parametrize(("depth", "first"), [(1, 0), (2, 0), (2, 60), (3, 0), (3, 60)])
def test_labels_are_at_least_those_of_the_reference(depth: int, first: int, monkeypatch: pytest.MonkeyPatch):
    compared = 0
    for seed in range(first, first + 60):
        text = f'(call "sink" {{:value {Maker(seed).number(depth)}}})'
        for secret in (0, 5):
            wanted = reference(text, {"src.open": OPEN, "src.secret": secret})
            if wanted is None:
                continue
            found = labels(text, secret, monkeypatch)
            assert found is not None, text
            compared += 1
            assert wanted.made_of() <= found[0], text
            assert wanted.decided() <= found[0] | found[1], text
    assert compared > 60


def test_the_reference_sees_what_it_should():
    sources = {"src.open": 3, "src.secret": 5}
    chosen = reference('(call "sink" {:value (if (< 1 (call "src.secret")) (call "src.open") 2)})', sources)
    assert chosen is not None
    assert (chosen.raw, chosen.made_of()) == (3, {"src.open"})
    assert chosen.decided() == {"plan", "src.secret"}
    neighbour = reference('(call "sink" {:value (:a {:a 1 :b (call "src.secret")})})', sources)
    assert neighbour is not None
    assert neighbour.all() == {"plan"}
