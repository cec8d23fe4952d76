"""A server asks the person behind a call: `Runtime(elicit=…)`, with a provider that knows nothing but to ask."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.handler import Session, SessionCall, SessionKey
from rtfs.capabilities.sessions.questions import Question
from rtfs.values import to_python

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 30, "maximum": 150}},
    "required": ["name"],
}
DECLARATION = """
(capability "form.ask" :metadata {:form {:requires_session "auto"}})
(capability "form.twice" :metadata {:form {:requires_session "auto" :times 2}})
"""


class Form:
    """Asks, once or as often as the metadata say, and answers what was said; or says that no person is there."""

    def __init__(self) -> None:
        self.made = 0
        self.given_up = threading.Event()
        self.leaves_after = 0.0

    def session_key(self, call: SessionCall) -> SessionKey:
        return SessionKey("form.example", principal=call.principal)

    async def initialize_session(self, call: SessionCall) -> Session:
        return Session()

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        self.made += 1
        if call.ask is None:
            return {"action": "nobody"}
        question = Question("form.example", "Who are you?", SCHEMA)
        try:
            if self.leaves_after:
                return await asyncio.wait_for(call.ask(question), self.leaves_after)
            times = int(call.metadata.get("form_times", 1))
            said = await asyncio.gather(*(call.ask(question) for _ in range(times)))
        except TimeoutError:
            return {"action": "left"}
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        return [{"action": one.action, "content": one.content} for one in said]

    async def terminate_session(self, session: Session) -> None:
        return


def runtime(elicit: Callable[[Question], Any] | None = None, form: Form | None = None, **options: Any) -> rtfs.Runtime:
    made = rtfs.Runtime(["form.*"], elicit=elicit, **options)
    made.register_session_handler("form", form or Form())
    made.load(DECLARATION)
    return made


def asked(elicit: Any, source: str = '(call "form.ask")', **options: Any) -> Any:
    with runtime(elicit, **options) as rt:
        return to_python(rt.run(source))


async def later(value: Any) -> Any:
    await asyncio.sleep(0.01)
    return value


@pytest.mark.parametrize("wrapped", [lambda value: value, later], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"name": "Ada"}, {"action": "accept", "content": {"name": "Ada", "age": 30}}),
        ({"name": "Ada", "age": 36}, {"action": "accept", "content": {"name": "Ada", "age": 36}}),
        (False, {"action": "decline", "content": None}),
        (None, {"action": "cancel", "content": None}),
    ],
)
def test_what_is_answered_reaches_the_server(wrapped: Any, said: Any, found: Any) -> None:
    assert asked(lambda question: wrapped(said)) == [found]


def test_rtfs_values_are_answers_too() -> None:
    said = rtfs.Map([("name", "Ada")])
    assert asked(lambda question: said)[0]["content"] == {"name": "Ada", "age": 30}


def test_where_nobody_can_be_asked_the_provider_sees_that() -> None:
    assert asked(None) == {"action": "nobody"}


def test_the_one_who_is_asked_knows_who_asks_and_for_what() -> None:
    seen: list[Question] = []
    with runtime(lambda question: seen.append(question), principal="ann") as rt:
        rt.run('(call "form.ask")', run_id="r7")
    question = seen[0]
    assert (question.server, question.capability) == ("form.example", "form.ask")
    assert (question.principal, question.run_id) == ("ann", "r7")
    assert [field.name for field in question.fields] == ["name", "age"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "'name' is missing"),
        ({"name": 7}, "'name': it has to be text"),
        ({"name": "a", "age": 999}, "'age': it has to be a whole number, at most 150"),
        ({"name": "a", "more": 1}, "'more' is not asked for"),
        (True, "a mapping, False or None was expected, not a bool"),
        ("yes", "was expected, not a str"),
    ],
)
def test_an_answer_that_does_not_fit_ends_the_call_and_is_not_sent(said: Any, words: str) -> None:
    form = Form()
    with runtime(lambda question: said, form) as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run('(call "form.ask")')
        assert caught.value.code == "session/input-required"
        assert words in caught.value.message
        assert caught.value.capability == "form.ask"
        assert form.given_up.wait(5), "the server is told that the call is given up"
        assert to_python(rt.run('(try (call "form.ask") (catch e (:code e)))')) == "session/input-required"


def test_asking_that_fails_ends_the_call() -> None:
    def fails(question: Question) -> Any:
        raise RuntimeError("no screen")

    with pytest.raises(rtfs.UserError) as caught:
        asked(fails)
    assert caught.value.code == "session/input-required"
    assert "RuntimeError" in caught.value.message


def test_an_interrupt_while_somebody_is_asked_ends_the_run() -> None:
    def interrupted(question: Question) -> Any:
        raise KeyboardInterrupt

    form = Form()
    with runtime(interrupted, form) as rt:
        with pytest.raises(KeyboardInterrupt):
            rt.run('(call "form.ask")')
        assert form.given_up.wait(5)
        assert rt.run("(+ 1 2)") == 3


def test_a_call_may_ask_several_things_at_once() -> None:
    names = iter(["Ada", "Bob"])
    found = asked(lambda question: later({"name": next(names)}), '(call "form.twice")')
    assert sorted(one["content"]["name"] for one in found) == ["Ada", "Bob"]


def test_a_provider_that_does_not_wait_for_the_answer_is_not_held_up() -> None:
    form = Form()
    form.leaves_after = 0.05

    async def never(question: Question) -> Any:
        await asyncio.Event().wait()

    with runtime(never, form) as rt:
        assert to_python(rt.run('(call "form.ask")')) == {"action": "left"}


def test_in_a_running_loop_an_async_function_is_awaited_there() -> None:
    async def go() -> None:
        here = asyncio.get_running_loop()

        async def elicit(question: Question) -> Any:
            assert asyncio.get_running_loop() is here
            return {"name": "Ada"}

        with runtime(elicit) as rt:
            said = to_python(await rt.arun('(call "form.ask")'))
            assert said[0]["content"]["name"] == "Ada"

    asyncio.run(asyncio.wait_for(go(), 20))


def test_the_ledger_has_who_asked_and_what_became_of_it_but_not_what_was_said() -> None:
    records: list[Any] = []
    with runtime(lambda question: {"name": "secret-name"}, on_event=records.append) as rt:
        rt.run('(call "form.ask")')
    questions = [record for record in records if record.kind == "question"]
    decision = next(record for record in records if record.kind == "decision")
    assert [record.detail for record in questions] == ["asks a person: form.example", "accept"]
    assert {record.parent for record in questions} == {decision.seq}
    assert {record.subject for record in questions} == {"form.ask"}
    assert "secret-name" not in repr([record.content() for record in records])
    assert "Who are you" not in repr([record.content() for record in records])


@pytest.mark.parametrize(("said", "became"), [(False, "decline"), (None, "cancel"), ({}, "failed")])
def test_the_ledger_has_every_end_of_a_question(said: Any, became: str) -> None:
    records: list[Any] = []
    with runtime(lambda question: said, on_event=records.append) as rt:
        rt.run('(try (call "form.ask") (catch e nil))')
    assert [record.detail for record in records if record.kind == "question"][1] == became


def test_a_retry_does_not_ask_again_what_was_answered_wrongly() -> None:
    seen: list[Question] = []

    def elicit(question: Question) -> Any:
        seen.append(question)
        return {}

    with pytest.raises(rtfs.UserError):
        asked(elicit, '^{:runtime.learning.retry {:max-retries 3 :initial-delay-ms 1}} (call "form.ask")')
    assert len(seen) == 1


def slow(question: Question) -> Any:
    time.sleep(0.4)
    return {"name": "Ada"}


async def slow_async(question: Question) -> Any:
    await asyncio.sleep(0.4)
    return {"name": "Ada"}


@pytest.mark.parametrize("elicit", [slow, slow_async])
def test_the_time_a_person_takes_counts_against_no_limit(elicit: Any) -> None:
    from rtfs.capabilities.sessions.limits import PoolLimits

    quota = {"match": "form.*", "seconds": 0.3}
    with runtime(elicit, quotas=[quota], limits={"seconds": 0.3}, pool_limits=PoolLimits(call_seconds=0.3)) as rt:
        rt.run('(call "form.ask")')
        rt.run('^{:runtime.timeout 300} (call "form.ask")')
        rt.run('(do (call "form.ask") (call "form.ask"))', timeout=0.3)


def test_a_timeout_hint_still_ends_what_takes_long_otherwise() -> None:
    with runtime(slow) as rt:
        rt.register("sleep", lambda: time.sleep(0.4), blocking=True)
        with pytest.raises(rtfs.UserError) as caught:
            rt.run('^{:runtime.timeout 50} (call "sleep")')
        assert caught.value.code == "capability/timeout"


def test_branches_ask_one_after_the_other_and_all_get_their_answer() -> None:
    asking = 0
    most = 0

    def elicit(question: Question) -> Any:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        time.sleep(0.01)
        asking -= 1
        return {"name": "Ada"}

    call = '(fn [] (get-in (call "form.ask") [0 :content :name]))'
    found = asked(elicit, f'(call "ccos.concurrent/parallel" {call} {call} {call})')
    assert found == ["Ada"] * 3
    assert most == 1


def test_a_branch_that_fails_takes_another_ones_question_with_it() -> None:
    begun = threading.Event()

    async def never(question: Question) -> Any:
        begun.set()
        await asyncio.Event().wait()

    form = Form()
    with runtime(never, form) as rt:
        rt.register("fail", lambda: begun.wait(5) and 1 / 0, blocking=True)
        with pytest.raises(rtfs.UserError):
            rt.run('(call "ccos.concurrent/parallel" (fn [] (call "form.ask")) (fn [] (call "fail")))')
        assert form.given_up.wait(5)


def test_in_a_durable_run_the_answer_is_part_of_the_call_and_asked_for_once(tmp_path: Path) -> None:
    seen: list[Question] = []

    def elicit(question: Question) -> Any:
        seen.append(question)
        return {"name": "Ada"}

    source = '(let [said (call "form.ask")] (call "stop") (get-in said [0 :content :name]))'

    def stop() -> None:
        raise KeyboardInterrupt

    with runtime(elicit, state=tmp_path) as rt:
        rt.register("stop", stop)
        with pytest.raises(KeyboardInterrupt):
            rt.run(source, durable=True, run_id="r")
    assert len(seen) == 1
    form = Form()
    with runtime(elicit, form, state=tmp_path) as rt:
        rt.register("stop", lambda: None)
        assert rt.resume("r", retry=True) == "Ada"
    assert len(seen) == 1
    assert form.made == 0


def test_a_replayed_run_asks_nobody(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with runtime(lambda question: {"name": "Ada"}) as rt:
        rt.run('(call "form.ask")', record=file)
    with runtime(None) as rt:
        assert to_python(rt.run('(call "form.ask")', replay=file))[0]["content"]["name"] == "Ada"
