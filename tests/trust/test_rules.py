"""Rules, quotas and approvals: the first rule that fits decides, what is asked is asked once for these very arguments,
and nothing widens what a run was narrowed to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import rtfs

DENY_ACME = {"match": "a.*", "when": {"owner": "acme"}, "decide": "deny", "reason": "not for acme"}
ASK = {"match": "a.x", "decide": "approve", "reason": "it costs money"}


def runtime(**fields: Any) -> rtfs.Runtime:
    made = rtfs.Runtime(**fields)
    for id in ("a.x", "a.y"):
        made.register(id, lambda value: value)
    return made


def code(rt: rtfs.Runtime, source: str, **fields: Any) -> str:
    try:
        rt.run(source, **fields)
    except rtfs.UserError as error:
        return error.code
    return "ok"


def decisions(rt: rtfs.Runtime) -> list[str]:
    return [record.detail for record in rt.ledger if record.kind == "decision"]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ('{:owner "acme"}', "policy/denied"),
        ('{"owner" "acme"}', "policy/denied"),
        ("{:owner :acme}", "policy/denied"),
        ('{:owner "other" "owner" "acme"}', "policy/denied"),
        ('{:owner "other"}', "ok"),
        ("{}", "ok"),
    ],
)
def test_a_rule_that_denies_fits_any_spelling_of_an_argument(argument: str, expected: str):
    with runtime(rules=[DENY_ACME]) as rt:
        assert code(rt, f'(call "a.y" {argument})') == expected


@pytest.mark.parametrize(
    ("path", "argument"),
    [
        ("filter.name", '{"filter.name" "x"}'),
        ("filter.name", '{:filter.name "x"}'),
        ("filter.name", '{:filter {:name "x"}}'),
        ("a.b.c", '{"a.b" {:c "x"}}'),
        ("a.b.c", '{"a" {"b.c" "x"}}'),
        ("names.0", '{:names ["x"]}'),
        ("names.0", '{:names #{"x"}}'),
        ("names.1", '{:names #{"y" "x"}}'),
    ],
)
def test_a_path_means_names_with_dots_and_elements_of_sets_too(path: str, argument: str):
    with runtime(rules=[{"match": "a.y", "when": {path: "x"}, "decide": "deny"}]) as rt:
        assert code(rt, f'(call "a.y" {argument})') == "policy/denied"
    allowing = [{"match": "a.y", "when": {path: "x"}, "decide": "allow"}, {"match": "*", "decide": "deny"}]
    with runtime(rules=allowing) as rt:
        assert code(rt, '(call "a.y" {:filter {:name "x"} "filter.name" "evil"})') == "policy/denied"
        assert code(rt, '(call "a.y" {:names #{"y" "x"}})') == "policy/denied"


def test_a_rule_that_allows_fits_only_if_every_spelling_does():
    rules = [{"match": "a.y", "when": {"owner": ["acme", "b*"]}, "decide": "allow"}, {"match": "*", "decide": "deny"}]
    with runtime(rules=rules) as rt:
        assert code(rt, '(call "a.y" {:owner "acme"})') == "ok"
        assert code(rt, '(call "a.y" {:owner "bcme"})') == "ok"
        assert code(rt, '(call "a.y" {:owner "acme" "owner" "evil"})') == "policy/denied"
        assert code(rt, '(call "a.y" {:owner "evil"})') == "policy/denied"


def test_positions_and_parts_of_arguments_can_be_looked_at():
    rules = [
        {"match": "a.*", "when": {"1": 7}, "decide": "deny"},
        {"match": "a.*", "when": {"repo.name": "secret*"}, "decide": "deny"},
    ]
    with rtfs.Runtime(rules=rules) as rt:
        rt.register("a.many", lambda *values: None)
        assert code(rt, '(call "a.many" 1 7)') == "policy/denied"
        assert code(rt, '(call "a.many" 7 1)') == "ok"
        assert code(rt, '(call "a.many" {:repo {:name "secret-plans"}})') == "policy/denied"


def test_a_rule_allows_a_capability_but_no_resource_and_widens_no_narrowed_run():
    rules = [{"match": "ccos.*", "decide": "allow"}, {"match": "s.*", "decide": "allow"}]
    with rtfs.Runtime(rules=rules, level="paranoid") as rt:
        assert code(rt, '(call "ccos.system.current-timestamp-ms")') == "ok"
        assert code(rt, '(call "ccos.io.read-file" "/etc/passwd")') == "policy/denied"
        assert code(rt, '(call "ccos.system.current-timestamp-ms")', allow=[]) == "policy/denied"


@pytest.mark.parametrize("first", ["2", "1"])
def test_a_rule_with_a_condition_is_asked_about_every_call_of_a_run(first: str):
    rules = [
        {"match": "a.x", "when": {"0": 1}, "decide": "deny"},
        {"match": "a.*", "decide": "allow", "reason": "fine"},
    ]
    with runtime(rules=rules) as rt:
        tried = "(for [i [%s 1 2]] (try (call %s i) (catch e :no)))"
        assert code(rt, '(call "a.x" 2) (call "a.x" 2) (call "a.x" 1)', check=False) == "policy/denied"
        denied = rtfs.Keyword("no")
        assert rt.run(tried % (first, '"a.x"')).to_list() == [2 if first == "2" else denied, denied, 2]
        assert rt.run(tried % (first, '"a.y"')).to_list() == [int(first), 1, 2]
    assert decisions(rt)[-3:] == ["allow: fine"] * 3


def test_a_rule_without_conditions_decides_about_all_calls_of_a_run():
    rules = [{"match": "a.x", "decide": "deny"}, {"match": "a.x", "when": {"0": 1}, "decide": "allow"}]
    with runtime(rules=rules) as rt:
        assert rt.run('(for [i [2 1 2]] (try (call "a.x" i) (catch e :no)))').to_list() == [rtfs.Keyword("no")] * 3
        assert decisions(rt) == ["deny: rule a.x"] * 3
        narrowed = '(try (call "a.x" 1) (catch e 0)) (with-context {:a 1} (call "a.x" 1))'
        assert code(rt, narrowed) == "policy/denied"


def test_without_anybody_to_ask_the_error_says_that_an_approval_is_needed():
    with runtime(rules=[ASK]) as rt:
        assert code(rt, '(call "a.x" 1)') == "policy/approval-required"
        assert decisions(rt) == ["ask: it costs money", "deny: policy/approval-required"]


OWN = '(capability "own" :implementation (fn [x] (call "a.x" x)))'


@pytest.mark.parametrize(
    "source",
    [
        '(try (call "a.x" 1) (catch e :went-on))',
        '(try (call "a.x" 1) (catch e :went-on) (finally (call "a.y" 1)))',
        '(try (call "a.x" 1) (finally (call "a.y" 1)))',
        OWN + ' ^{:runtime.fallback {:value :went-on}} (call "own" 1)',
        OWN + ' ^{:runtime.fallback "a.y"} (call "own" 1)',
        OWN + ' ^{:runtime.retry 3} (call "own" 1)',
        '^{:runtime.fallback "a.x"} (call "nobody" 1)',
        '(try (step-parallel (call "a.x" 1) (call "ccos.system.sleep-ms" 60000)) (catch e (call "a.y" 1)))',
        '(try (step "s" (call "a.x" 1)) (catch e (call "a.y" 1)))',
        '(try (map (fn [x] (call "a.x" x)) [1]) (catch e (call "a.y" 1)))',
    ],
)
@pytest.mark.parametrize("how", ["plain", "durable", "recorded"])
def test_no_program_goes_on_without_an_approval_that_is_missing(source: str, how: str, tmp_path: Path):
    options: dict[str, Any] = {"durable": {"durable": True}, "recorded": {"record": tmp_path / "r"}}.get(how, {})
    made: list[Any] = []
    with runtime(rules=[ASK], state=tmp_path / "state") as rt:
        rt.register("a.y", made.append, replace=True)
        rt.register("nobody", lambda value: 1 / 0)
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(source, **options)
    assert (caught.value.code, made) == ("policy/approval-required", [])
    assert caught.value.span is not None
    assert (".resume(" in (caught.value.hint or "")) == (how == "durable")


def test_a_program_goes_on_after_a_denial_that_it_catches_and_the_denial_stays_on_record():
    with runtime(rules=[ASK], approve=lambda request: False) as rt:
        assert rt.run('(try (call "a.x" 1) (catch e (:code e)))') == rtfs.Keyword("policy/denied")
        assert decisions(rt) == ["ask: it costs money", "deny: policy/denied"]


def test_somebody_is_asked_once_for_each_call_and_the_record_says_so():
    asked: list[Any] = []

    def approve(request: Any) -> bool:
        asked.append((request.capability, request.text, request.reason))
        return True

    with runtime(rules=[ASK], approve=approve) as rt:
        assert rt.run('(call "a.x" {:n 1})') == rtfs.Map({rtfs.Keyword("n"): 1})
        rt.run('(call "a.x" {:n 1})')
        assert asked == [("a.x", "{:n 1}", "it costs money")] * 2
        assert decisions(rt) == ["ask: it costs money", "allow: approved"] * 2


@pytest.mark.parametrize("answer", [False, 1, "yes", object(), rtfs.Vector([True])])
def test_whatever_is_no_clear_yes_is_a_no(answer: Any):
    with runtime(rules=[ASK], approve=lambda request: answer) as rt:
        assert code(rt, '(call "a.x" 1)') == "policy/denied"


def test_always_holds_for_the_same_arguments_only():
    asked: list[str] = []

    def approve(request: Any) -> str:
        asked.append(request.text)
        return "always"

    with runtime(rules=[ASK], approve=approve) as rt:
        rt.run('(call "a.x" 1) (call "a.x" 1) (call "a.x" 2)')
        assert asked == ["1", "2"]


def test_a_yes_for_the_run_is_for_the_calls_that_the_same_rule_asks_about():
    asked: list[tuple[str, str]] = []

    def approve(request: Any) -> str:
        asked.append((request.run_id, request.text))
        return "run"

    costly = {"match": "a.x", "when": {"0": 7}, "decide": "approve", "reason": "seven is costly", "for_run": True}
    with runtime(rules=[costly, {**ASK, "for_run": True}], approve=approve) as rt:
        rt.run('(call "a.x" 1) (call "a.x" 2) (call "a.x" 7) (call "a.x" 7)', run_id="one")
        assert asked == [("one", "1"), ("one", "7")]
        assert decisions(rt) == [
            "ask: it costs money", "allow: approved, for this run",
            "ask: it costs money", "allow: approved before, for this run",
            "ask: seven is costly", "allow: approved, for this run",
            "ask: seven is costly", "allow: approved before, for this run",
        ]  # fmt: skip
        rt.run('(call "a.x" 3)', run_id="two")
        assert asked[2:] == [("two", "3")]


def test_a_yes_for_the_run_is_a_no_where_the_rule_does_not_let_one_say_it():
    with runtime(rules=[ASK], approve=lambda request: "run") as rt:
        assert code(rt, '(call "a.x" 1)') == "policy/denied"
    with pytest.raises(rtfs.HostError, match="`for_run` is for rules that decide `approve`"):
        runtime(rules=[{"match": "a.x", "decide": "allow", "for_run": True}])


def test_an_approval_in_advance_is_for_one_call_with_these_arguments_and_ends():
    with runtime(rules=[ASK]) as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run('(call "a.x" 1)')
        approvals = rt._pipeline.approvals
        approvals.give(caught.value.data)
        assert code(rt, '(call "a.x" 2)') == "policy/approval-required"
        assert code(rt, '(call "a.x" 1)') == "ok"
        assert code(rt, '(call "a.x" 1)') == "policy/approval-required"
        approvals.give(caught.value.data, seconds=-1)
        assert code(rt, '(call "a.x" 1)') == "policy/approval-required"
        approvals.give(caught.value.data)
        assert code(rt, '(call "a.x" 1)', principal="somebody else") == "policy/approval-required"


def test_an_async_callback_is_awaited_and_its_time_counts_against_no_limit():
    async def approve(request: Any) -> bool:
        await asyncio.sleep(0.4)
        return True

    with runtime(rules=[ASK], approve=approve, limits={"seconds": 0.2}) as rt:
        assert rt.run('(call "a.x" 1) (loop [i 0] (if (< i 50000) (recur (inc i)) i))') == 50000


def test_a_callback_that_fails_is_a_no():
    def approve(request: Any) -> bool:
        raise ValueError("no terminal")

    with runtime(rules=[ASK], approve=approve) as rt:
        assert code(rt, '(call "a.x" 1)') == "policy/denied"


def test_the_embedders_policy_can_want_an_approval():
    with runtime(policy=lambda request: "approve", approve=lambda request: request.capability == "a.x") as rt:
        assert code(rt, '(call "a.x" 1)') == "ok"
        assert code(rt, '(call "a.y" 1)') == "policy/denied"


@pytest.mark.parametrize(
    "source",
    [
        '(dotimes [i 4] (call "a.x" i))',
        '(step-parallel (call "a.x" 1) (call "a.x" 2) (call "a.x" 3) (call "a.x" 4))',
        '(capability "own" :implementation (fn [x] (call "a.x" x))) (dotimes [i 4] (call "own" i))',
        '(dotimes [i 4] (try (call "a.x" i) (catch e nil)))',
    ],
)
def test_a_quota_of_calls_is_shared_by_everything_that_a_run_starts(source: str):
    with runtime(quotas=[{"match": "a.*", "calls": 3}]) as rt:
        assert code(rt, source) == "limit/quota"
        assert code(rt, '(call "a.x" 1)') == "ok", "a new run starts again"


def test_quotas_of_bytes_and_seconds():
    with runtime(quotas=[{"match": "a.*", "bytes": 1000}, {"match": "ccos.system.*", "seconds": 0.05}]) as rt:
        assert code(rt, '(call "a.x" (join "" (repeat 2000 "x")))') == "limit/quota"
        assert code(rt, '(call "a.x" (join "" (repeat 600 "x")))') == "limit/quota", "the answer counts too"
        assert code(rt, '(call "a.x" "x")') == "ok"
        assert code(rt, '(thread/sleep 60) (call "ccos.system.current-timestamp-ms")') == "limit/quota"


@pytest.mark.parametrize("rule", [{"match": "a", "decide": "maybe"}, {"decide": "deny"}, {"match": "a", "deny": 1}])
def test_what_is_no_rule_is_an_error(rule: dict[str, Any]):
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(rules=[rule])
    assert caught.value.code == "config/invalid"


@pytest.mark.parametrize("path", ["out/x", "./out/x", "out/../out//x", "{here}/out/x", "link", "way/x", "out/../link"])
@pytest.mark.parametrize("decide", ["deny", "approve"])
@pytest.mark.parametrize("wanted", ["out/x", "./out/x", ["a", "out/*"], "link", "*/x"])
def test_a_rule_about_a_path_fits_however_the_path_is_spelled(
    path: str, decide: str, wanted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out/x")
    (tmp_path / "way").symlink_to("out")
    rule = {"match": "ccos.io.*", "when": {"0": wanted}, "decide": decide}
    with rtfs.Runtime(["fs:write:."], rules=[rule]) as rt:
        said = code(rt, f'(write-file "{path.format(here=tmp_path)}" "text")')
    assert said == ("policy/denied" if decide == "deny" else "policy/approval-required")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("out/x", "ok"), ("./out/x", "ok"), ("out/../plan.rtfs", "policy/denied"), ("out/back", "policy/denied")],
)
def test_a_rule_that_allows_a_path_fits_where_it_leads(
    path: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "back").symlink_to("../plan.rtfs")
    rules = [{"match": "*", "when": {"0": "out/*"}, "decide": "allow"}, {"match": "*", "decide": "deny"}]
    with rtfs.Runtime(["fs:write:."], rules=rules) as rt:
        assert code(rt, f'(write-file "{path}" "text")') == expected


def test_deleting_a_link_is_about_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("text")
    (tmp_path / "link").symlink_to("x")
    rule = {"match": "*", "when": {"0": "link"}, "decide": "deny"}
    with rtfs.Runtime(["fs:write:."], rules=[rule]) as rt:
        assert code(rt, '(delete-file "./link")') == "policy/denied"


def test_a_rule_that_asks_fits_any_spelling_of_an_argument():
    rule = {"match": "a.y", "when": {"owner": "acme"}, "decide": "approve"}
    with runtime(rules=[rule]) as rt:
        assert code(rt, '(call "a.y" {:owner "other" "owner" "acme"})') == "policy/approval-required"


def test_a_text_that_is_no_path_is_compared_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rule = {"match": "*", "when": {"1": "*secret*"}, "decide": "deny"}
    with rtfs.Runtime(["fs:write:."], rules=[rule]) as rt:
        assert code(rt, '(write-file "x" "nothing\\u0000/")') == "ok"
        assert code(rt, '(write-file "x" "a secret\\u0000")') == "policy/denied"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("(do\n (log 1))", "(log 1)"),
        ("(map\n log [1])", "(map\n log [1])"),
        ("(defmacro m [] `(do (log 1)))\n(m)", "(m)"),
    ],
)
def test_what_waits_for_an_approval_is_shown_in_the_users_own_text(source: str, shown: str):
    rules = [{"match": "ccos.io.log", "decide": "approve"}]
    with rtfs.Runtime(rules=rules) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(source, name="plan.rtfs")
    assert caught.value.span is not None
    assert (caught.value.span.source.name, caught.value.span.text) == ("plan.rtfs", shown)


@pytest.mark.parametrize("quota", [{"calls": "x"}, {"calls": -1}, {"bytes": True}, {"seconds": float("nan")}])
def test_a_quota_is_a_number_from_0(quota: dict[str, Any]):
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(quotas=[quota])
    assert caught.value.code == "config/invalid"
