"""Removing any stage of the pipeline fails a test: each stage is taken out of the very text of `Pipeline.perform` (and
of what it consists of), and what then goes wrong is seen by one of the probes below."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host import redaction
from rtfs.host.calls import pipeline
from rtfs.host.calls.pipeline import Pipeline
from rtfs.host.run.durability import NOT_JOURNALED
from tests.flow.banking import Bank

DENIED = rtfs.Keyword("policy/denied")
CANARY = "canary-stage-1234"

# stage: (method, what is taken out, what is there instead)
STAGES = {
    "decide": ("_perform", "journaled.decision or self.decide(entry, arguments, context)", "policy.Decision(True, '')"),
    "ask": ("_admit_in_time", "decision = await self._asked(entry, call.args, text, decision, frame, call.span)",
            "decision = policy.Decision(True, '')"),
    "admit": ("_perform", "number = self._admit(entry, text, decision, frame)", "number = 0"),
    "deny": ("_admit", "if not decision.allow:", "if False:"),
    "record the decision": ("_admit", "number = self.events.call_decided(", "number = (lambda *_: 0)("),
    "quota of calls": ("_admit", "context.spend_call()", "pass"),
    "quota of arguments": ("_admit", "quota.spending.begin(entry.id, size_of(text))", "pass"),
    "quota of results": ("_perform", "spending.end(entry.id, size_of(result),", "spending.took(entry.id,"),
    "quota of failed time": ("_failed", "if spending is not None and error.__class__ is not LimitError:", "if False:"),
    "output": ("check_arguments", "frame.run.budget.print(text)", "pass"),
    "functions": ("check_arguments", "refuse_functions(entry, arguments)", "pass"),
    "input": ("check_arguments", "if entry.check_input is not None:", "if False:"),
    "hints": ("_perform", "self.hints.chosen(call.hints, entry, frame)", "None"),
    "announce": ("_perform", "await journaled.announce(entry, bool(chosen))", "pass"),
    "journal": ("perform", "run.durability.perform(self._perform, call, frame)",
                "self._perform(call, frame, NOT_JOURNALED)"),
    "route": ("_perform", "value = await self.route(entry, arguments, frame, number, needs)", "value = None"),
    "output schema": ("checked_result", "if entry.check_output is not None:", "if False:"),
    "secrets": ("_failed", "clean(error)", "pass"),
    "outcome": ("_perform", 'self.events.call_ended(context, number, entry.id, "ok"',
                '(lambda *_: 0)(context, number, entry.id, "ok"'),
    "outcome of a failure": ("_failed", "self.events.call_ended(", "(lambda *_: 0)("),
    "decide again": ("again", "decision = self.decide(entry, arguments, frame.context)",
                     "decision = policy.Decision(True, '')"),
    "record the question": ("_asked", "record(decision.text)", "pass"),
    "stop the unapproved": ("_asked", "raise Stop(error, waiting=request.call, for_run=request.for_run) from None",
                            "raise"),
    "needs": ("_decide", "needs = self.needs(entry, arguments, context)", "needs = []"),
    "rules": ("_decide", "decision = policy.ruled(self.rules, entry, arguments, context, needs)",
              "decision = self.policy(entry, arguments, context, needs)"),
    "guard": ("_decide", "if self.guard is not None:", "if False:"),
    "deny at once": ("_settle", "or not decision.allow", ""),
    "permit at once": ("_settle", "or entry.told", ""),
    "journal at once": ("_settle", "or run.durability is not NOT_DURABLE", ""),
    "flow at once": ("_settle", "or run.flow is not None", ""),
    "sequence at once": ("_settle", "or self.sequence is not None", ""),
    "quotas at once": ("_settle", "or context.quota.spending is not None", ""),
    "subscribers at once": ("at_once", "or self.events.observed", ""),
    "hints at once": ("at_once", "or call.hints is not None", ""),
    "form at once": ("at_once", "self._bring_into_form(entry, call, frame)", "pass"),
    "record the decision at once": ("at_once", "number = ledger.fill(decided, frame.parent, text, 0)", "number = 1"),
    "quota of calls at once": ("at_once", "context.spend_call()", "pass"),
    "checks at once": ("at_once", "check_arguments(entry, arguments, text, frame, self.strict_arguments)", "pass"),
    "output schema at once": ("at_once", "checked_result(entry, value)", "(value, '')"),
    "outcome at once": ("at_once", "ledger.fill(ended, number, result, perf_counter_ns() - started)", "pass"),
    "output schema of a coroutine": ("_later", "checked_result(entry, as_value(value, entry))", "(value, '')"),
    "outcome of a coroutine": ("_later", "self.events.ledger.fill(ended, number, result, perf_counter_ns() - started)",
                               "pass"),
    "outcome of a coroutine's failure": ("_later",
                                         "self._failed(error, call, entry, frame, number, started, 0.0)", "pass"),
    "outcome of a failure at once": ("at_once", "self._failed(error, call, entry, frame, number, started, 0.0)",
                                     "pass"),
}  # fmt: skip


def code(work: Callable[[], Any]) -> str:
    try:
        work()
    except rtfs.UserError as error:
        return error.code
    return "ok"


def details(rt: rtfs.Runtime, *kinds: str) -> list[str]:
    return [f"{record.kind} {record.detail}" for record in rt.ledger if record.kind in kinds and record.subject == "a"]


def probe_decisions(folder: Path) -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda: 1)
        assert rt.run('(call "a")') == 1
        assert details(rt, "decision", "outcome") == ["decision allow: registered by the embedder", "outcome ok"]
        assert code(lambda: rt.run('(get-env "HOME")')) == "policy/denied"
    with rtfs.Runtime(rules=[{"match": "a", "decide": "deny"}]) as rt:
        rt.register("a", lambda: 1)
        assert code(lambda: rt.run('(call "a")')) == "policy/denied"
    with rtfs.Runtime(policy=lambda request: False) as rt:
        rt.register("a", lambda: 1)
        assert code(lambda: rt.run('(call "a")')) == "policy/denied"


def probe_approvals(folder: Path) -> None:
    with rtfs.Runtime(rules=[{"match": "a", "decide": "approve"}]) as rt:
        rt.register("a", lambda: 1)
        assert code(lambda: rt.run('(try (call "a") (catch e 1))')) == "policy/approval-required"
        assert details(rt, "decision") == ["decision ask: rule a", "decision deny: policy/approval-required"]


def probe_quotas(folder: Path) -> None:
    def fail(*_: Any) -> None:
        import time

        time.sleep(0.02)
        raise rtfs.HostError("no")

    def ended(source: str, **quota: Any) -> str:
        with rtfs.Runtime(**quota) as rt:
            rt.register("a", lambda *_: None)
            rt.register("long", lambda: "x" * 100)
            rt.register("fail", fail)
            return code(lambda: rt.run(source))

    assert ended('(call "a") (call "a") (call "a")', max_calls=2) == "limit/calls"
    assert ended('(call "a" "xxxxxxxxxxxxxxxxxxxxxxxxxxx")', quotas=[{"bytes": 20}]) == "limit/quota"
    assert ended('(call "long")', quotas=[{"bytes": 20}]) == "limit/quota"
    assert ended('(dotimes [i 9] (try (call "fail") (catch e 1)))', quotas=[{"seconds": 0.01}]) == "limit/quota"
    with rtfs.Runtime(limits={"output": 10}) as rt:
        assert code(lambda: rt.run('(log "a text that is too long")')) == "limit/output"


def probe_checks(folder: Path) -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda *_: "text", input_schema=":int", output_schema=":string")
        rt.register("b", lambda *_: "text", output_schema=":int")
        rt.register("c", lambda *_: None)
        assert code(lambda: rt.run('(call "a" "x")', check=False)) == "type/mismatch"  # else no call is made
        assert code(lambda: rt.run('(call "b")')) == "type/mismatch"
        assert code(lambda: rt.run('(call "c" inc)')) == "argument/function"
        assert details(rt, "outcome") == ["outcome error: type/mismatch"]


def probe_hints(folder: Path) -> None:
    made: list[int] = []

    def fail() -> None:
        made.append(1)
        raise rtfs.HostError("no")

    allowed = [True, False]
    with rtfs.Runtime(policy=lambda request: allowed.pop(0)) as rt:
        rt.register("a", fail)
        retried = '^{:runtime.retry {:max-retries 1 :initial-delay-ms 0}} (call "a")'
        assert code(lambda: rt.run(retried)) == "policy/denied"
    assert (made, allowed) == ([1], [])


def probe_routes(folder: Path) -> None:
    with rtfs.Runtime() as rt:
        assert rt.run('(capability "own" :implementation (fn [x] (+ x 1))) (call "own" 1)') == 2
        rt.register("a", lambda: rt.close)
        assert code(lambda: rt.run('(call "a")')) == "capability/result"


def probe_durability(folder: Path) -> None:
    made: list[int] = []

    def dies(n: int) -> None:
        made.append(n)
        if n == 2:
            raise KeyboardInterrupt

    with rtfs.Runtime(state=folder) as rt:
        rt.register("dies", dies)
        with pytest.raises(KeyboardInterrupt):
            rt.run('(call "dies" 1) (call "dies" 2)', durable=True, run_id="r")
        assert code(lambda: rt.resume("r")) == "run/in-doubt"
    assert made == [1, 2]


def probe_cancellation(folder: Path) -> None:
    with rtfs.Runtime() as rt:
        code(lambda: rt.run('(step-parallel (call "ccos.system.sleep-ms" 60000) (throw "x"))'))
        assert [record.detail for record in rt.ledger if record.kind == "outcome"] == ["cancelled"]


def probe_secrets(folder: Path) -> None:
    def fail() -> None:
        raise rtfs.HostError(f"it is {CANARY}")

    redaction.know(CANARY)
    with rtfs.Runtime() as rt:
        rt.register("a", fail)
        assert CANARY not in rt.run('(try (call "a") (catch e (:message e)))')


def probe_repetition(folder: Path) -> None:
    """The second call of a capability in a run is looked at as the first was."""

    def fail(*_: Any) -> None:
        raise rtfs.HostError("no")

    def named(x: int, y: int = 0) -> int:
        return x - y

    with rtfs.Runtime() as rt:
        rt.register("a", fail)
        rt.register("b", lambda n: n, input_schema=":int", output_schema="[:enum 1 2]")
        rt.register("named", named)
        assert rt.run('(for [_ (range 2)] (try (call "a") (catch e (:message e))))') == rtfs.Vector(["no", "no"])
        assert details(rt, "decision", "outcome") == [
            "decision allow: registered by the embedder", "outcome error: capability/failed",
        ] * 2  # fmt: skip
        assert code(lambda: rt.run('(call "b" 1) (call "b" 3)', check=False)) == "type/mismatch"
        rt.register("c", lambda n: 1, input_schema=":int")
        assert code(lambda: rt.run('(call "c" 1) (call "c" "x")', check=False)) == "type/mismatch"
        assert rt.run('(call "named" 5 3) (call "named" 5 3)') == 2
        assert [record.detail for record in rt.ledger if record.subject == "named"][2:] == [
            "allow: registered by the embedder", "ok",
        ]  # fmt: skip
        heard: list[Any] = []
        unsubscribe = rt.events.subscribe(heard.append)
        rt.run('(call "named" 5 3) (call "named" 5 3)')
        unsubscribe()
        assert [event.subject for event in heard].count("named") == 4
        hinted = '^{:runtime.learning.fallback {:value 7}} (call "a")'
        assert rt.run(f'(try (call "a") (catch e 1)) {hinted}') == 7

    async def later(n: int) -> int:
        if n == 3:
            raise rtfs.HostError("no")
        return n

    with rtfs.Runtime() as rt:
        rt.register("a", later, output_schema="[:enum 1 2 3]")
        assert code(lambda: rt.run('(call "a" 1) (call "a" 2) (call "a" 3)')) == "capability/failed"
        assert details(rt, "outcome") == ["outcome ok", "outcome ok", "outcome error: capability/failed"]
        assert code(lambda: rt.run('(call "a" 1) (call "a" 4)')) == "type/mismatch"
    with rtfs.Runtime(max_calls=3) as rt:
        rt.register("a", lambda: 1)
        assert code(lambda: rt.run('(dotimes [_ 4] (call "a"))')) == "limit/calls"
    with rtfs.Runtime(quotas=[{"calls": 2}]) as rt:
        rt.register("a", lambda: 1)
        assert code(lambda: rt.run('(dotimes [_ 3] (call "a"))')) == "limit/quota"
    with rtfs.Runtime(level="paranoid") as rt:
        rt.register("a", lambda: 1)
        assert rt.run('(for [_ (range 2)] (try (call "a") (catch e (:code e))))') == rtfs.Vector([DENIED, DENIED])
    with rtfs.Runtime(sequence=[{"after": "b", "deny": "a"}]) as rt:
        rt.register("a", lambda: 1)
        rt.register("b", lambda: 1)
        assert code(lambda: rt.run('(call "a") (call "b") (call "a")')) == "policy/sequence"
    bank = Bank()
    pay = '(call "bank.send_money" {{:recipient {} :amount 1}})'
    bill = '(call "bank.read_file" {:name "bill"})'
    assert code(lambda: bank.runtime.run(pay.format('"CH5"') + pay.format(bill))) == "policy/flow"
    bank.runtime.close()
    texts: list[str] = []
    with rtfs.Runtime() as rt:
        rt.run('(log "a") (log "b")', output=texts.append)
    assert "".join(texts).split() == ["a", "b"]


PROBES = [probe for name, probe in list(globals().items()) if name.startswith("probe_")]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_the_whole_pipeline_passes_every_probe(probe: Callable[[Path], None], tmp_path: Path):
    probe(tmp_path)


@pytest.mark.parametrize("stage", STAGES)
def test_without_a_stage_a_probe_fails(stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    method, there, instead = STAGES[stage]
    owner: Any = Pipeline if hasattr(Pipeline, method) else pipeline
    text = textwrap.dedent(inspect.getsource(getattr(owner, method)))
    assert text.count(there) == 1, "the stage is written otherwise now: write it so above"
    names: dict[str, Any] = {}
    exec(
        compile(text.replace(there, instead), f"<without {stage}>", "exec"),
        {**vars(pipeline), "NOT_JOURNALED": NOT_JOURNALED},
        names,
    )
    monkeypatch.setattr(owner, method, names[method])
    failed = []
    for probe in PROBES:
        folder = tmp_path / probe.__name__
        folder.mkdir()
        try:
            probe(folder)
        except BaseException:  # an interruption comes again where its call does
            failed.append(probe)
    assert failed, f"no test notices that the stage is missing: {stage}"
