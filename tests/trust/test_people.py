"""What people are asked: after they saw it, with everything in sight, once, for this call under these rules; and a no
may say why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import rtfs
import rtfs.host.audit.ledger
from tests.cli.typing_at import Typist

RULES = [{"match": "t.*", "decide": "approve"}]


def test_what_was_typed_before_the_question_does_not_answer_it(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "allow: ['fs:write:.']\npolicy:\n  rules:\n    - {match: ccos.io.write-file, decide: approve}\n"
    )
    plan = f'(thread/sleep 1500) (write-file "{tmp_path}/a" "x") (write-file "{tmp_path}/b" "x")'
    arguments = ("run", "--config", str(tmp_path / "c.yaml"), "--allow", f"fs:write:{tmp_path}", "-e", plan)
    with Typist(*arguments) as person:
        time.sleep(0.3)
        person.type("y\ny\n")
        person.wait("for these arguments")
        time.sleep(0.5)
        assert not (tmp_path / "a").exists()
        person.type("y\n")
        person.wait(f"{tmp_path}/b")
        assert (tmp_path / "a").exists()
        time.sleep(0.5)
        person.type("n\n")
        person.wait("why")
        person.type("not today\n")
        person.wait("not today")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        '{:note (apply str (repeat 3000 "x")) :to "EVIL"}',
        '{:note (apply str (repeat 90000 "x")) :to "EVIL"}',
        '{:list (vec (range 50000)) :to "EVIL"}',
        '(assoc (zipmap (map (fn [i] (str "k" i)) (range 400)) (range 400)) :to "EVIL")',
        '(apply str (repeat 90000 "x")) "EVIL"',
    ],
)
def test_no_argument_pushes_another_out_of_sight(arguments: str) -> None:
    seen: list[str] = []

    def approve(request: Any) -> bool:
        seen.append(request.text)
        return True

    with rtfs.Runtime(rules=RULES, approve=approve) as rt:
        rt.register("t.do", lambda *given: 1)
        rt.run(f'(call "t.do" {arguments})')
    (text,) = seen
    assert "EVIL" in text
    assert len(text) < 30_000
    assert len(text) > 20_000 or "left out" not in text or "characters left out" in text


def test_the_reason_of_a_refusal_reaches_the_plan() -> None:
    with rtfs.Runtime(rules=RULES, approve=lambda request: request.refuse("too expensive")) as rt:
        rt.register("t.do", lambda given: 1)
        plan = '(try (call "t.do" {}) (catch e [(:code e) (:message e) (:data e)]))'
        code, message, data = rt.run(plan)
    assert code in ("policy/denied", rtfs.Keyword("policy/denied"))
    assert "too expensive" in message
    assert rtfs.to_text(data) == '{:reason "too expensive"}'


def test_an_approval_does_not_outlive_the_rules_it_was_given_under(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtfs.host.audit.ledger.Ledger, "fingerprint", lambda self, text: text)
    hashes = []
    for reason in ("one", "one", "other"):
        with rtfs.Runtime(rules=[{"match": "t.*", "decide": "approve", "reason": reason}]) as rt:
            rt.register("t.do", lambda given: 1)
            with pytest.raises(rtfs.UserError) as caught:
                rt.run('(call "t.do" {})')
            hashes.append(caught.value.data)
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("decide", ["allow", "approve"])
def test_a_durable_run_resumes_with_the_rights_of_its_rules(decide: str, tmp_path: Path) -> None:
    declared = (
        '(capability "mcp.example.tool" :metadata {:mcp {:requires_session "auto" :server_url "http://127.0.0.1:9/mcp"'
        ' :server_name "example" :tool_name "tool"}})'
    )
    rules = [{"match": "mcp.example.tool", "decide": decide}, {"match": "t.wait", "decide": "approve"}]
    options: dict[str, Any] = {"state": tmp_path, "rules": rules, "allow": ["net:127.0.0.1"]}

    def ready(**more: Any) -> rtfs.Runtime:
        rt = rtfs.Runtime(**{**options, **more})
        rt.register("t.wait", lambda given: 1)
        rt.load(declared, name="tools.rtfs")
        return rt

    plan = '(call "t.wait" {}) (call "mcp.example.tool" {})'
    with ready() as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(plan, durable=True, run_id="w")
    assert caught.value.code == "policy/approval-required"
    with ready(rules=[rules[1]], approve=lambda request: True) as rt:
        pass  # a runtime without the rule would not have the right
    with ready(approve=lambda request: True) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.resume("w")
    assert caught.value.code == "session/unavailable"  # it was allowed, but no server listens there


def test_rules_of_today_give_no_right_that_the_run_did_not_have(tmp_path: Path) -> None:
    declared = (
        '(capability "mcp.example.tool" :metadata {:mcp {:requires_session "auto" :server_url "http://127.0.0.1:9/mcp"'
        ' :server_name "example" :tool_name "tool"}})'
    )
    wait = {"match": "t.wait", "decide": "approve"}

    def ready(rules: list[Any], **more: Any) -> rtfs.Runtime:
        rt = rtfs.Runtime(state=tmp_path, rules=rules, allow=["net:127.0.0.1"], **more)
        rt.register("t.wait", lambda given: 1)
        rt.load(declared, name="tools.rtfs")
        return rt

    with ready([wait]) as rt, pytest.raises(rtfs.UserError):
        rt.run('(call "t.wait" {}) (call "mcp.example.tool" {})', durable=True, run_id="w")
    with (
        ready([wait, {"match": "mcp.*", "decide": "allow"}], approve=lambda request: True) as rt,
        pytest.raises(rtfs.UserError) as caught,
    ):
        rt.resume("w")
    assert caught.value.code == "policy/denied"
