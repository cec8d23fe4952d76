"""One form of a call: whatever its spelling, rules, approvals, `check --policy`, ledger and provider see the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rtfs
from rtfs.capabilities.signature import Signature, canonical
from rtfs.host.bundled.capabilities import SIGNATURES
from rtfs.host.checks.verdicts import verdicts as check
from rtfs.source import Source

SPELLINGS = (
    '(write-file "sent.txt" "x")',
    '(call "ccos.io.write-file" "sent.txt" "x")',
    '(call "ccos.io.write-file" {:path "sent.txt" :content "x"})',
    '(call "ccos.io.write-file" {"content" "x" "path" "sent.txt"})',
    '(call "ccos.io.write-file" :path "sent.txt" :content "x")',
    '(call "ccos.io.write-file" {:path "other.txt" :content "x"} :path "sent.txt")',
)


@pytest.mark.parametrize("path", ["0", "path"])
@pytest.mark.parametrize("plan", SPELLINGS)
def test_a_rule_sees_an_argument_however_it_is_spelled(plan: str, path: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    rules = [{"match": "ccos.io.write-file", "when": {path: "sent.txt"}, "decide": "deny"}]
    with rtfs.Runtime(allow=["fs:write:."], rules=rules) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(plan)
    assert caught.value.code == "policy/denied"
    assert not (tmp_path / "sent.txt").exists()


def test_an_approval_holds_for_every_spelling_of_the_call(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def approve(request: rtfs.ApprovalRequest) -> str:
        asked.append(request.text)
        return "always"

    rules = [{"match": "ccos.io.write-file", "decide": "approve"}]
    with rtfs.Runtime(allow=["fs:write:."], rules=rules, approve=approve) as rt:
        for plan in SPELLINGS:
            rt.run(plan)
    assert asked == ['{:path "sent.txt" :content "x"}']


@pytest.mark.parametrize(
    ("wanted", "given", "fits"),
    [
        (5, "5.0", True), (5.0, "5", True), (10**20, "100000000000000000000", True), (5, '"5"', False),
        (True, "1", False), (1, "true", False), (True, "true", True), (True, '"true"', False), (None, "nil", True),
        ([4, 5], "5.0", True), ("a*", '"ab"', True), ("a*", ":ab", True),
    ],
)  # fmt: skip
def test_numbers_are_compared_by_value_and_other_kinds_are_kept_apart(wanted: Any, given: str, fits: bool) -> None:
    rules = [{"match": "t.do", "when": {"n": wanted}, "decide": "deny"}]
    with rtfs.Runtime(rules=rules) as rt:
        rt.register("t.do", lambda given: 1)
        plan = f'(call "t.do" {{:n {given}}})'
        if not fits:
            assert rt.run(plan) == 1
            return
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(plan)
    assert caught.value.code == "policy/denied"


def test_a_rule_that_compares_with_a_mapping_is_refused() -> None:
    with pytest.raises(rtfs.HostError) as caught:
        rtfs.Runtime(rules=[{"match": "*", "when": {"a": {"b": 1}}, "decide": "deny"}])
    assert caught.value.code == "config/invalid"


@pytest.mark.parametrize(
    "plan",
    [
        '(call "ccos.io.write-file" "sent.txt" :content "x")',
        '(call "t.do" 1 2 :k 3)',
        '(let [x 5] (call "t.do" x :k 3))',
    ],
)
def test_positions_and_keywords_do_not_mix(plan: str) -> None:
    with rtfs.Runtime() as rt:
        rt.register("t.do", lambda *given: 1)
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(plan)
    assert caught.value.code == "form/shape"


@pytest.mark.parametrize("arguments", ['"x"', "[{:path 1}]", "[]", "1 2", '{:a 1} "b"'])
def test_a_tool_of_a_server_takes_its_arguments_by_name(arguments: str) -> None:
    declared = (
        '(capability "t.s" :metadata {:mcp {:requires_session "auto" :server_url "http://127.0.0.1:9/mcp"'
        ' :server_name "t" :tool_name "s"}})'
    )
    with rtfs.Runtime(allow=["t.*", "net:*"]) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(f'{declared} (call "t.s" {arguments})')
    assert caught.value.code == "arity"


def test_a_missing_argument_is_denied_where_any_would_be() -> None:
    with rtfs.Runtime(level="paranoid") as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run('(call "ccos.state.kv.put")')
    assert caught.value.code == "policy/denied"
    with rtfs.Runtime() as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run('(call "ccos.state.kv.put")')
    assert caught.value.code == "arity"


def test_a_fallback_gets_the_arguments_as_the_plan_gave_them() -> None:
    with rtfs.Runtime() as rt:
        rt.register("t.other", lambda path: f"other {path}")
        plan = '^{:runtime.fallback {:capability "t.other"}} (call "ccos.io.read-file" "nowhere.txt")'
        with pytest.raises(rtfs.UserError):
            rt.run(plan)  # denied: nothing to fall back from
    with rtfs.Runtime(allow=["fs:read:."]) as rt:
        rt.register("t.other", lambda path: f"other {path}")
        assert rt.run(plan) == "other nowhere.txt"


# ---------------------------------------------------------------------- properties
_texts = st.text("abc./", min_size=1, max_size=4)
_values = st.one_of(_texts, st.integers(-3, 3), st.booleans(), st.none(), st.floats(-2, 2))
_by_name = {
    id: signature for id, signature in SIGNATURES.items() if signature.rest is None and not signature.pair
}  # fmt: skip


def _spellings(signature: Signature, values: list[Any]) -> list[tuple[Any, ...]]:
    """Every way to spell a call with values for the first parameters."""
    pairs = list(zip(signature.names, values, strict=False))
    keyword = rtfs.Map([(rtfs.Keyword(name), value) for name, value in pairs])
    text = rtfs.Map(list(reversed(pairs)))
    padded = rtfs.Map([(rtfs.Keyword(name), None) for name in signature.names[len(values) :]] + list(keyword.items()))
    return [tuple(values), (keyword,), (text,), (padded,)]


@settings(deadline=None)
@given(st.sampled_from(sorted(_by_name)), st.data())
def test_all_spellings_of_a_call_have_one_form_which_stays(id: str, data: Any) -> None:
    signature = _by_name[id]
    count = data.draw(st.integers(len(signature.needed), len(signature.names)))
    values = data.draw(st.lists(_values, min_size=count, max_size=count))
    forms = [signature.arrange(id, spelled) for spelled in _spellings(signature, values)]
    assert len({rtfs.to_text(form) for form in forms}) == 1
    assert rtfs.to_text(signature.arrange(id, (forms[0],))) == rtfs.to_text(forms[0])


@pytest.fixture(scope="module")
def runtime_of() -> Any:
    def make(rules: list[dict[str, Any]]) -> rtfs.Runtime:
        return rtfs.Runtime(rules=rules, approve=lambda request: False)

    return make


_rules = st.lists(
    st.fixed_dictionaries(
        {
            "match": st.sampled_from(["ccos.system.get-env", "ccos.system.*", "*", "t.do"]),
            "decide": st.sampled_from(["allow", "deny", "approve"]),
        },
        optional={"when": st.dictionaries(st.sampled_from(["0", "1", "name", "default"]), _values, max_size=2)},
    ),
    max_size=3,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_rules, st.sampled_from(["ccos.system.get-env", "t.do"]), _texts, _values, st.integers(0, 3))
def test_what_check_says_is_what_the_run_does(
    runtime_of: Callable[[list[dict[str, Any]]], rtfs.Runtime],
    rules: list[dict[str, Any]],
    id: str,
    name: str,
    default: Any,
    how: int,
) -> None:
    first, second = rtfs.to_text(name), rtfs.to_text(default)
    spelled = (
        f"{first} {second}",
        f"{{:default {second} :name {first}}}",
        f":name {first} :default {second}",
        f'{{"name" {first}}} :default {second}',
    )[how]
    plan = f'(call "{id}" {spelled})'
    with runtime_of(rules) as rt:
        rt.register("t.do", lambda *given: 1)
        (call,) = check(rt, Source(plan, "plan.rtfs")).calls
        try:
            rt.run(plan)
            done = "allow"
        except rtfs.UserError as error:
            done = {"policy/denied": "deny"}.get(error.code, error.code)
    assert call.decision == done or (call.decision, done) == ("ask", "deny")


def test_a_capability_without_names_keeps_its_arguments_as_they_are() -> None:
    with rtfs.Runtime() as rt:
        rt.register("t.do", lambda *given: len(given))
        entry = rt._registry.find("t.do")
        assert entry is not None
        assert canonical(entry, (1, 2)) == (1, 2)
