"""A server asks the person behind a call: on the call's stream, on its own, over stdio, and in rounds without a
session."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from rtfs.capabilities.sessions.questions import ACCEPT, CANCEL, DECLINE, Answer, Question
from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, result
from tests.servers.running import ROOT
from tests.sessions.mcp_support import Mcp, with_server

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "age": {"type": "integer", "default": 30},
        "sure": {"type": "boolean", "default": True},
    },
    "required": ["name"],
}
FORM = {"message": "Who are you?", "requestedSchema": SCHEMA}
MODERN = "io.modelcontextprotocol/clientCapabilities"


class Person:
    """Answers each question with what it is given to say: a dict, False or None, or a function of the question."""

    def __init__(self, says: Any = None) -> None:
        self.says = {"name": "Ada"} if says is None else says
        self.asked: list[Question] = []
        self.pause = 0.0

    async def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        await asyncio.sleep(self.pause)
        said = self.says(question) if callable(self.says) else self.says
        if isinstance(said, Answer):
            return said
        return Answer(ACCEPT, question.content(said))


async def reply_to(server: Faulty, number: Any) -> Any:
    """The client's reply to a request of the server."""
    while True:
        for request in server.requests:
            if request.method == "reply" and request.id == number:
                return request
        await asyncio.sleep(0.002)


def asking(params: Any = FORM, number: Any = "q1", times: int = 1) -> Any:
    """A fault: ask on the call's own stream, then answer with what was said."""

    async def fault(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        for _ in range(times):
            await out.event({"jsonrpc": "2.0", "id": number, "method": "elicitation/create", "params": params})
        reply = await reply_to(server, number)
        said = reply.message.get("result") or reply.message["error"]
        await out.event(result(request, {"content": [], "structuredContent": said}))
        await out.end()

    return fault


def with_asking(test: Callable[[Faulty, Mcp, Person], Any], says: Any = None, fault: Any = None) -> None:
    """Run a test against a server whose next call asks."""

    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", fault or asking())
        await test(server, mcp, Person(says))

    with_server(go)


# the handshake era


def test_a_question_is_answered_on_the_same_session_with_the_forms_defaults() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        said = await mcp.call("echo", ask=person)
        assert said == {"action": "accept", "content": {"name": "Ada", "age": 30, "sure": True}}
        reply = await reply_to(server, "q1")
        assert reply.headers["mcp-session-id"] == "s1"
        assert person.asked[0].message == "Who are you?"
        assert server.url in person.asked[0].server, "a person is told who asks"
        opening = next(request for request in server.requests if request.method == "initialize")
        assert opening.params["capabilities"] == {"elicitation": {"form": {}, "url": {}}}

    with_asking(test)


@pytest.mark.parametrize("action", [DECLINE, CANCEL])
def test_no_and_put_aside_are_told_as_such(action: str) -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert await mcp.call("echo", ask=person) == {"action": action}

    with_asking(test, Answer(action))


def test_where_nobody_can_be_asked_it_is_not_offered_and_declined() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert await mcp.call("echo") == {"action": "decline"}
        opening = next(request for request in server.requests if request.method == "initialize")
        assert opening.params["capabilities"] == {}

    with_asking(test)


PAGE = {"mode": "url", "message": "Sign in", "url": "https://example.com/in?id=7", "elicitationId": "e"}


def test_a_page_to_open_is_shown_with_its_whole_address() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert await mcp.call("echo", ask=person) == {"action": "accept"}
        assert person.asked[0].url == "https://example.com/in?id=7"
        assert person.asked[0].fields == ()

    with_asking(test, says={}, fault=asking(PAGE))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "javascript:alert(1)",
        "http://example.com/",
        "https://a:b@example.com/",
        "https://ex\u0430mple.com/",
        "//x",
    ],
)
def test_an_address_that_nobody_should_open_is_refused(url: Any) -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert (await mcp.call("echo", ask=person))["code"] == -32602
        assert person.asked == []

    with_asking(test, fault=asking({**PAGE, "url": url}))


@pytest.mark.parametrize("answer", [ACCEPT, DECLINE])
def test_a_call_that_needs_a_page_opened_first_is_sent_again_when_the_person_is_done(answer: str) -> None:
    async def wants_a_page(server: Faulty, request: Request, out: Out) -> None:
        data = {"elicitations": [{**PAGE, "elicitationId": "e9"}]}
        error = {"code": -32042, "message": "Sign in first", "data": data}
        await out.json({"jsonrpc": "2.0", "id": request.id, "error": error})

    async def done(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        while server.count("tools/call") == 0:
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.05)
        note = {"jsonrpc": "2.0", "method": "notifications/elicitation/complete", "params": {"elicitationId": "e9"}}
        await out.event(note)
        await asyncio.sleep(30)

    async def go(server: Faulty, mcp: Mcp) -> None:
        person = Person(Answer(answer))
        server.next("LISTEN", done)
        server.next("tools/call", wants_a_page)
        if answer == ACCEPT:
            assert await mcp.call("echo", {"n": 1}, ask=person) == {"n": 1}
        else:
            with pytest.raises(HostError) as caught:
                await mcp.call("echo", {"n": 1}, ask=person)
            assert caught.value.code == "session/input-required"
        assert [question.url for question in person.asked] == [PAGE["url"]]
        assert server.executed == ([1] if answer == ACCEPT else [])

    with_server(go)


def test_an_unknown_way_to_ask_is_declined() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert await mcp.call("echo", ask=person) == {"action": "decline"}
        assert person.asked == []

    with_asking(test, fault=asking({**PAGE, "mode": "telepathy"}))


@pytest.mark.parametrize(
    "params",
    [
        None,
        {"message": "x"},
        {"message": 1, "requestedSchema": SCHEMA},
        {"message": "x", "requestedSchema": {"type": "array"}},
        {"message": "x", "requestedSchema": {"properties": {"deep": {"type": "object"}}}},
        {"message": "x", "requestedSchema": {"properties": {f"f{n}": {"type": "string"} for n in range(65)}}},
    ],
)
def test_what_is_no_form_is_refused_with_an_error(params: Any) -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert (await mcp.call("echo", ask=person))["code"] == -32602
        assert person.asked == []

    with_asking(test, fault=asking(params))


def test_a_servers_words_cannot_touch_a_terminal() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        await mcp.call("echo", ask=person)
        question = person.asked[0]
        shown = question.message.split("\n") + [question.fields[0].title, question.fields[0].about, question.server]
        assert all(line.isprintable() for line in shown)
        assert question.message == "one ]0;owned\ntwo"

    field = {"type": "string", "title": "\x1b[2J", "description": "a\rb\u202e", "default": "xx"}
    nasty = {"message": "one\x1b]0;owned\x07\ntwo", "requestedSchema": {"properties": {"name": field}}}
    with_asking(test, fault=asking(nasty))


def test_the_time_a_person_takes_counts_against_no_limit() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        await mcp.call("echo", {"n": 1})
        server.next("tools/call", asking(number="q2"))
        person.pause = 0.5
        assert (await mcp.call("echo", ask=person, deadline=time.monotonic() + 0.25))["action"] == "accept"

    async def go(server: Faulty, mcp: Mcp) -> None:
        await test(server, mcp, Person())

    with_server(go, limits={"call_seconds": 0.25})


def test_after_the_answer_the_call_has_the_time_it_had_before() -> None:
    async def slow_afterwards(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        await out.event({"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": FORM})
        await reply_to(server, "q1")
        await asyncio.sleep(5)

    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        person.pause = 0.3
        begun = time.monotonic()
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", ask=person, deadline=time.monotonic() + 0.4)
        assert caught.value.code == "session/timeout"
        assert 0.6 < time.monotonic() - begun < 3
        while server.count("notifications/cancelled") == 0:
            await asyncio.sleep(0.002)

    with_asking(test, fault=slow_afterwards)


def test_a_question_that_comes_twice_is_put_once() -> None:
    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        await mcp.call("echo", ask=person)
        assert len(person.asked) == 1

    with_asking(test, fault=asking(times=3))


def test_a_call_asks_ten_times_at_most() -> None:
    async def curious(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        for number in range(14):
            await out.event({"jsonrpc": "2.0", "id": number, "method": "elicitation/create", "params": FORM})
        said = [(await reply_to(server, number)).message["result"]["action"] for number in range(14)]
        await out.event(result(request, {"content": [], "structuredContent": {"said": said}}))
        await out.end()

    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        said = (await mcp.call("echo", ask=person))["said"]
        assert sorted(said) == ["accept"] * 10 + ["decline"] * 4

    with_asking(test, fault=curious)


def test_a_question_that_the_server_takes_back_is_dropped() -> None:
    async def fickle(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        await out.event({"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": FORM})
        await asyncio.sleep(0.05)
        await out.event({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "q1"}})
        await out.event(result(request, {"content": [], "structuredContent": {"done": True}}))
        await out.end()

    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        person.pause = 60
        assert await mcp.call("echo", ask=person) == {"done": True}
        assert len(person.asked) == 1
        assert server.count("reply") == 0

    with_asking(test, fault=fickle)


def test_nobody_is_asked_again_when_a_call_is_sent_again() -> None:
    async def asks_and_breaks(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        await out.event({"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": FORM})
        await reply_to(server, "q1")
        out.reset()

    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        server.next("tools/call", asking(number="q2"))
        said = await mcp.call("echo", ask=person, idempotent=True)
        assert said["content"]["name"] == "Ada"
        assert len(person.asked) == 1

    with_asking(test, fault=asks_and_breaks)


def test_a_question_on_the_servers_own_stream_goes_to_the_call_under_way() -> None:
    async def own_stream(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        assert request.headers["mcp-session-id"] == "s1"
        while server.count("tools/call") == 0:
            await asyncio.sleep(0.002)
        await out.event({"jsonrpc": "2.0", "id": 7, "method": "ping"})
        await out.event({"jsonrpc": "2.0", "id": "own", "method": "elicitation/create", "params": FORM})
        await asyncio.sleep(30)

    async def call(server: Faulty, request: Request, out: Out) -> None:
        said = (await reply_to(server, "own")).message["result"]
        await out.json(result(request, {"content": [], "structuredContent": said}))

    async def test(server: Faulty, mcp: Mcp, person: Person) -> None:
        assert (await mcp.call("echo", ask=person))["action"] == "accept"
        assert len(person.asked) == 1
        assert (await reply_to(server, 7)).message["result"] == {}

    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("LISTEN", own_stream)
        server.next("tools/call", call)
        await test(server, mcp, Person())

    with_server(go)


def test_a_server_without_such_a_stream_is_served_all_the_same() -> None:
    async def no_stream(server: Faulty, request: Request, out: Out) -> None:
        await out.reply(405)

    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("LISTEN", no_stream)
        assert await mcp.call("echo", {"n": 1}, ask=Person()) == {"n": 1}
        assert server.count("LISTEN") == 1

    with_server(go)


def test_the_servers_own_stream_is_taken_up_again_where_it_broke() -> None:
    async def breaks(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        await out.event(None, id="e7", retry="10")
        out.reset()

    async def again(server: Faulty, request: Request, out: Out) -> None:
        assert request.headers["last-event-id"] == "e7"
        await out.stream()
        await asyncio.sleep(30)

    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("LISTEN", breaks)
        server.next("GET", again)
        await mcp.call("echo", {"n": 1}, ask=Person())
        while server.count("GET") < 1:
            await asyncio.sleep(0.002)

    with_server(go)


def test_over_stdio_too() -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        script = str(ROOT / "tests" / "servers" / "stdio_server.py")
        where = {"url": None, "mcp_command": sys.executable, "mcp_args": [script, "asks"]}
        person = Person({})
        assert await mcp.call("echo", ask=person, **where) == {"action": "accept", "content": {"name": "Ada"}}
        assert await mcp.call("echo", **where) == {"action": "decline"}
        assert len(person.asked) == 1

    with_server(go)


# the era without sessions


def wanting(requests: Any, state: Any = "opaque \u00fc", then: Any = None) -> Any:
    """A fault: want more input."""

    async def fault(server: Faulty, request: Request, out: Out) -> None:
        declared = {"elicitation": {"form": {}, "url": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}}}
        assert request.params["_meta"][MODERN] == declared or then == "nobody"
        answer: dict[str, Any] = {"resultType": "input_required"}
        answer.update({"inputRequests": requests} if requests is not None else {})
        answer.update({"requestState": state} if state is not None else {})
        await server.answer(request, out, answer)

    return fault


QUESTION = {"method": "elicitation/create", "params": FORM}


@pytest.mark.parametrize("state", ["opaque \u00fc", None])
def test_in_rounds_the_answer_and_the_state_go_with_the_retry_and_nothing_else(state: str | None) -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        person = Person()
        server.next("tools/call", wanting({"who": QUESTION, "again": QUESTION}, state))
        assert await mcp.call("echo", {"n": 1}, ask=person) == {"n": 1}
        await mcp.call("echo", {"n": 2}, ask=person)
        first, retry, other = [request for request in server.requests if request.method == "tools/call"]
        content = {"action": "accept", "content": {"name": "Ada", "age": 30, "sure": True}}
        assert retry.params["inputResponses"] == {"who": content, "again": content}
        assert retry.params.get("requestState") == state
        assert ("requestState" in retry.params) == (state is not None)
        assert retry.params["arguments"] == first.params["arguments"]
        assert len({first.id, retry.id, other.id}) == 3
        assert "inputResponses" not in other.params
        assert "requestState" not in other.params
        assert len(person.asked) == 2

    with_server(go, era="sessionless")


def test_in_rounds_no_is_told_and_further_questions_are_put() -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        answers = iter([Answer(DECLINE), Answer(CANCEL)])
        server.next("tools/call", wanting({"a": QUESTION}), wanting({"b": QUESTION}, None))
        assert await mcp.call("echo", {"n": 1}, ask=Person(lambda question: next(answers))) == {"n": 1}
        said = [request.params.get("inputResponses") for request in server.requests if request.method == "tools/call"]
        assert said == [None, {"a": {"action": "decline"}}, {"b": {"action": "cancel"}}]

    with_server(go, era="sessionless", sse=True)


def test_in_rounds_there_is_an_end() -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", *[wanting({"a": QUESTION})] * 30)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, ask=Person())
        assert "rounds" in caught.value.message
        assert server.count("tools/call") == 4

    with_server(go, era="sessionless", wire={"rounds": 3})


@pytest.mark.parametrize(
    ("requests", "who", "words"),
    [
        ({"a": QUESTION}, None, "no person can be asked"),
        ({"a": QUESTION, "b": {"method": "sampling/createMessage"}}, Person(), "not supported here"),
        ({"a": {"method": "roots/list"}}, Person(), "roots/list, which is not supported here"),
        ({"a": 7}, Person(), "more input"),
        ([1], Person(), "more input"),
    ],
)
def test_in_rounds_what_nobody_can_give_is_an_error_and_nobody_is_asked(requests: Any, who: Any, words: str) -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", wanting(requests, then="nobody"))
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, ask=who)
        assert caught.value.code == "session/input-required"
        assert words in caught.value.message
        assert who is None or who.asked == []

    with_server(go, era="sessionless")


def test_in_rounds_a_question_that_is_none_is_an_error() -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", wanting({"a": {"method": "elicitation/create", "params": {"message": "x"}}}))
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, ask=Person())
        assert caught.value.code == "session/protocol"

    with_server(go, era="sessionless")
