"""Labels stay with values in the key-value store, in files, and in the journal of a durable run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.flow.label import MOST, OF_PLAN, Label, Source, join
from rtfs.flow.tag import Tag, at_index, at_key
from rtfs.host.flow.tag_text import decode_tag, encode_tag
from rtfs.values import Keyword, Map, Vector
from rtfs.values.map import encode_key
from tests.flow.banking import Bank

FILE = '(call "bank.read_file" {:name "bill"})'
PAY = '(call "bank.send_money" {:recipient %s :amount 1})'
RULE = {"call": "bank.send_money", "argument": "recipient", "from": ["plan", "input"]}


def bank(**options: Any) -> Bank:
    return Bank([RULE], **options)


GET, GET_TOO = '(call "ccos.state.kv.get" "k")', '(kv/get "k")'
ASSOC = '(call "ccos.state.kv.assoc" {:key "k" :pairs [:b %s]})'
DELETE = '(call "ccos.state.kv.delete" "k")'


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(
    ("program", "from_file"),
    [
        (f'(kv/put "k" "CH5") {PAY % GET}', False),
        (f'(kv/put "k" {FILE}) {PAY % GET}', True),
        (f'(kv/put "k" {FILE}) {PAY % GET_TOO}', True),
        (f'(call "ccos.state.kv.put" "k" {{:a "CH5" :b {FILE}}}) {PAY % f"(:a {GET})"}', False),
        (f'(call "ccos.state.kv.put" "k" {{:a "CH5" :b {FILE}}}) {PAY % f"(:b {GET})"}', True),
        (f'(kv/put "k" "CH5") (kv/put "k" {FILE}) {PAY % GET}', True),
        (f'(kv/put "k" {FILE}) (kv/put "k" "CH5") {PAY % GET}', False),
        (
            f'(kv/put "k" {{:a 1}}) (call "ccos.state.kv.assoc" {{:key "k" :pairs [:b {FILE}]}}) {PAY % f"(:b {GET})"}',
            True,
        ),
        (f'(kv/put "k" {FILE}) {PAY % DELETE}', True),
    ],
)
def test_a_stored_value_has_its_labels(tmp_path: Path, stored: bool, program: str, from_file: bool):
    made = bank(kv=tmp_path / "kv" if stored else None)
    assert ("bank.read_file" in made.refused(program)) is from_file
    assert bool(made.sent) is not from_file


@pytest.mark.parametrize("stored", [False, True])
def test_labels_are_there_in_later_runs(tmp_path: Path, stored: bool):
    made = bank(kv=tmp_path / "kv" if stored else None)
    made.runtime.run(f'(kv/put "good" "CH5") (kv/put "bad" {FILE})')
    if stored:
        made.runtime.close()
        made = bank(kv=tmp_path / "kv")
    assert not made.refused(PAY % '(kv/get "good")')
    assert "bank.read_file" in made.refused(PAY % '(kv/get "bad")')


def test_what_something_else_has_stored_is_unknown(tmp_path: Path):
    made = bank(kv=tmp_path / "kv")
    made.runtime.run('(kv/put "k" "CH5")')
    with rtfs.Runtime(kv=tmp_path / "kv") as other:
        other.run('(kv/put "k" "CH6")')
    assert "unknown" in made.refused(PAY % '(kv/get "k")')


def test_a_default_is_what_the_program_gives():
    assert not bank().refused(PAY % '(kv/get "nothing" "CH5")')
    assert "bank.read_file" in bank().refused(PAY % f'(kv/get "nothing" {FILE})')


@pytest.mark.parametrize("stored", [False, True])
def test_a_file_that_a_plan_wrote_has_its_labels(tmp_path: Path, stored: bool):
    grants = [f"fs:read:{tmp_path}/", f"fs:write:{tmp_path}/"]
    kv = tmp_path / "kv" if stored else None
    made = bank(kv=kv, allow=grants)
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    made.runtime.run(f'(write-file "{good}" "CH5") (write-file "{bad}" {FILE})')
    if stored:
        made.runtime.close()
        made = bank(kv=kv, allow=grants)
    assert not made.refused(PAY % f'(read-file "{good}")')
    assert "bank.read_file" in made.refused(PAY % f'(read-file "{bad}")')
    good.write_text("CH6")
    assert "unknown" in made.refused(PAY % f'(read-file "{good}")')


def test_an_implementation_that_is_answered_from_the_record_has_its_labels(tmp_path: Path):
    """With a hint around it, an implementation in RTFS is not run again when its run is resumed."""

    def house(stopping: bool) -> Bank:
        made = bank(state=tmp_path)
        made.runtime.load('(capability "my.pick" :implementation (fn [input] {:a (:a input) :b (:b input)}))')

        def stop(_: Any) -> str:
            if stopping:
                raise KeyboardInterrupt
            return "on"

        made.runtime.register("test.stop", stop, effects=[], idempotent=True)
        return made

    call = f'^{{:runtime.retry {{:max-attempts 2}}}} (call "my.pick" {{:a "CH5" :b {FILE}}})'
    for part, refused in (("a", False), ("b", True)):
        program = f'(let [got {call}] (call "test.stop" {{}}) {PAY % f"(:{part} got)"})'
        with pytest.raises(KeyboardInterrupt):
            house(True).runtime.run(program, durable=True, run_id=f"run-{part}")
        second = house(False)
        if not refused:
            assert second.runtime.resume(f"run-{part}") == "sent"
            continue
        with pytest.raises(rtfs.UserError) as caught:
            second.runtime.resume(f"run-{part}")
        assert caught.value.code == "policy/flow"
        assert "bank.read_file" in caught.value.message


def test_the_text_of_a_tag_loses_nothing():
    account = Map([(Keyword("sender"), "me")])
    source = Source("bank.transactions", ("recipient",), ((0, account),), ("ann",), True)
    tag = Tag(OF_PLAN, kids={encode_key(Keyword("a")): Tag(Label({source: (("first", "x", 3),)}, frozenset(("ann",))))})
    value = Map([(Keyword("a"), "CH5")])
    back = decode_tag(encode_tag(tag, value, lambda data, control: (data, control)))
    kid = at_key(value, back, encode_key(Keyword("a")))
    ((one, way),) = kid.data.sources.items()
    assert (one.id, one.path, one.origin, one.trusted) == ("bank.transactions", ("recipient",), ("ann",), True)
    assert one.objects[0][1].get(Keyword("sender")) == "me"
    assert (way, kid.data.readers) == ((("first", "x", 3),), frozenset(("ann",)))


def test_a_tag_that_is_too_large_is_joined():
    value = Vector(["x"] * 20_000)
    tag = Tag(OF_PLAN, kids=[Tag(Label({Source(f"s{index % 150}"): ()})) for index in range(20_000)])
    back = decode_tag(encode_tag(tag, value, lambda data, control: (data, control)))
    assert len(at_index(value, back, 7).data.sources) == 151


def test_labels_of_many_calls_stay_small():
    label = OF_PLAN
    for _ in range(3 * MOST):
        label = join(label, Label({Source("bank.read_file"): ()}))
    assert len(label.sources) <= MOST


@pytest.mark.parametrize("text", ["", "[]", "[[0,0],[],[]]", "{}", "[[0],[[[[0,[]]],null]],[]]"])
def test_text_that_is_not_of_a_tag_is_refused(text: str):
    with pytest.raises(ValueError, match="this is not a tag"):
        decode_tag(text)
