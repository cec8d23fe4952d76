"""Calls as tasks: wanted by a client of 2025-11-25, offered to one of 2026-07-28 that knows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import mcp_types as types
import pytest
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim, advertise
from mcp.shared.exceptions import MCPError

from tests.cli.test_command import rtfs as command
from tests.serve.clients import Person, accepting, environment, served, told
from tests.serve.test_http import HEADERS, listening

SLOW = '(do (call "ccos.system.sleep-ms" 2600) (kv/put "n" 5) (+ 1 (kv/get "n")))'
CANCEL = '(call "shop.cancel" {:id 7})'
FORMS = {"elicitation": {"form": {}}}
EXTENSION = "io.modelcontextprotocol/tasks"
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
RELATED = "io.modelcontextprotocol/related-task"


class Wire:
    """A client of 2025-11-25 without a library: lines of JSON on standard input and output. replies: to questions."""

    def __init__(self, process: subprocess.Popen[str], capabilities: dict[str, Any]) -> None:
        self._process = process
        self._next = 0
        self.replies: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self.hello = self.ask("initialize", {**HELLO["params"], "capabilities": capabilities})
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request, or its error."""
        self._next += 1
        self._send({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            message = json.loads(line)
            if "method" in message and "id" in message:
                self.asked.append(message["params"])
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": self.replies.pop(0)})
            elif "method" in message:
                self.told.append(message)
            elif message["id"] == self._next:
                return message.get("result", message.get("error"))
        raise AssertionError("the server has ended")

    def begin(self, plan: str, **more: Any) -> dict[str, Any]:
        """The task that a plan runs as."""
        made = self.ask("tools/call", {"name": "run_plan", "arguments": {"plan": plan}, "task": {}, **more})
        found: dict[str, Any] = made["task"]
        return found

    def until(self, task: str, wanted: str) -> dict[str, Any]:
        """A task, once it has this status."""
        while (state := self.ask("tasks/get", {"taskId": task}))["status"] != wanted:
            assert state["status"] in ("working", "input_required"), state
        found: dict[str, Any] = state
        return found

    def until_it_says(self, task: str, text: str) -> None:
        """Wait until the message of a task has this text."""
        while text not in self.ask("tasks/get", {"taskId": task}).get("statusMessage", ""):
            pass


@contextmanager
def wired(folder: Path, capabilities: dict[str, Any], *arguments: str) -> Iterator[Wire]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rtfs", "mcp", "serve", "--config", "rtfs.yaml", *arguments],
        cwd=folder, env=environment(folder), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Wire(process, capabilities)
    finally:
        process.communicate(timeout=30)


# ---------------------------------------------------------------------- 2025-11-25
def test_a_plan_runs_as_a_task_that_is_asked_for_its_result(folder: Path) -> None:
    with wired(folder, {}) as client:
        assert client.hello["capabilities"]["tasks"] == {"cancel": {}, "requests": {"tools": {"call": {}}}}
        tools = client.ask("tools/list", {})["tools"]
        support = {tool["name"]: tool.get("execution", {}).get("taskSupport") for tool in tools}
        assert [name for name in support if support[name]] == ["run_plan", "resume"]
        task = client.begin('(call "ccos.system.sleep-ms" 200) (+ 1 2)', _meta={"progressToken": "p"})
        assert task["status"] == "working"
        assert task["ttl"] > 0
        result = client.ask("tasks/result", {"taskId": task["taskId"]})
        assert (result["structuredContent"]["value"], result["isError"]) == (3, False)
        assert result["structuredContent"]["run"] == task["taskId"], "the task is the durable run"
        assert result["_meta"][RELATED] == {"taskId": task["taskId"]}
        (progress,) = (note["params"] for note in client.told if note["method"] == "notifications/progress")
        assert progress["progressToken"] == "p"
        assert progress["_meta"][RELATED] == {"taskId": task["taskId"]}
        assert client.until(task["taskId"], "completed")["statusMessage"] == "3"
        assert client.ask("tasks/result", {"taskId": task["taskId"]}) == result


def test_a_task_whose_tool_fails_has_failed_and_gives_the_error_as_result(folder: Path) -> None:
    with wired(folder, {}) as client:
        for plan, code in (("(+ 1 :a)", "type/mismatch"), ('(throw {:message "no"})', "user/error")):
            task = client.begin(plan)["taskId"]
            result = client.ask("tasks/result", {"taskId": task})
            assert result["isError"]
            assert result["structuredContent"]["error"]["code"] == code
            assert client.until(task, "failed")["taskId"] == task


def test_what_cannot_be_a_task_and_tasks_that_there_are_not_are_refused(folder: Path) -> None:
    with wired(folder, {}) as client:
        call = {"name": "search", "arguments": {"query": "x"}, "task": {}}
        assert client.ask("tools/call", call)["code"] == types.METHOD_NOT_FOUND
        for method in ("tasks/get", "tasks/result", "tasks/cancel"):
            assert client.ask(method, {"taskId": "made-up"})["code"] == types.INVALID_PARAMS
            assert client.ask(method, {"taskId": "../x"})["code"] == types.INVALID_PARAMS
        assert client.ask("tasks/update", {"taskId": "x", "inputResponses": {}})["code"] == types.METHOD_NOT_FOUND


def test_a_cancelled_task_ends_its_run_and_stays_cancelled(folder: Path) -> None:
    with wired(folder, {}) as client:
        task = client.begin('(kv/put "on" 1) (call "ccos.system.sleep-ms" 60000)')["taskId"]
        client.until_it_says(task, "ccos.state.kv.put: done")
        assert client.ask("tasks/cancel", {"taskId": task})["status"] == "cancelled"
        assert client.ask("tasks/cancel", {"taskId": task})["code"] == types.INVALID_PARAMS
        assert "cancelled" in client.ask("tasks/result", {"taskId": task})["message"]
        said = client.ask("tools/call", {"name": "status", "arguments": {"run": task}})
        while said["structuredContent"]["status"] == "running":
            said = client.ask("tools/call", {"name": "status", "arguments": {"run": task}})
        assert said["structuredContent"]["status"] == "cancelled"
        assert client.ask("tasks/get", {"taskId": task})["status"] == "cancelled"


def test_the_person_is_asked_on_the_request_for_the_result(folder: Path) -> None:
    with wired(folder, FORMS) as client:
        task = client.begin(CANCEL)["taskId"]
        waiting = client.until(task, "input_required")
        assert "shop.cancel" in waiting["statusMessage"]
        assert client.asked == []
        client.replies = [{"action": "accept", "content": {"answer": "yes, this once"}}]
        result = client.ask("tasks/result", {"taskId": task})
        assert result["structuredContent"]["value"] == "cancelled 7"
        assert "{:id 7}" in client.asked[0]["message"]
        assert client.asked[0]["_meta"][RELATED] == {"taskId": task}


def test_a_task_that_waits_for_somebody_elsewhere_goes_on_when_it_was_answered_there(folder: Path) -> None:
    with wired(folder, {}) as client:
        task = client.begin(CANCEL)["taskId"]
        client.until_it_says(task, "waits for a person")
        state = str(folder / "state")
        assert command("resume", task, "--approve", cwd=folder, XDG_STATE_HOME=state)[0] == 0
        result = client.ask("tasks/result", {"taskId": task})
        assert result["structuredContent"]["value"] == "cancelled 7"


def test_a_task_outlives_the_server_that_it_began_in(folder: Path) -> None:
    with wired(folder, {}, "--principal", "ann") as client:
        task = client.begin('(kv/put "on" 1) (call "ccos.system.sleep-ms" 1500) (+ 40 2)')["taskId"]
        client.until_it_says(task, "ccos.state.kv.put: done")
    with wired(folder, {}, "--principal", "bob") as other:
        assert other.ask("tasks/get", {"taskId": task})["code"] == types.INVALID_PARAMS
    with wired(folder, {}, "--principal", "ann") as client:
        assert client.ask("tasks/get", {"taskId": task})["status"] == "working"
        result = client.ask("tasks/result", {"taskId": task})
        assert result["structuredContent"]["value"] == 42
    outcomes = command("audit", "show", "ledger.db", "--capability", "ccos.state.kv.put", cwd=folder)[1]
    assert outcomes.count("outcome ccos.state.kv.put ok") == 1, "what was done is not done again"


def test_a_task_goes_on_when_its_connection_is_gone(folder: Path) -> None:
    def begun(client: httpx.Client, url: str) -> dict[str, str]:
        answer = client.post(url, json=HELLO)
        return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-11-25"}

    def asked(client: httpx.Client, url: str, session: dict[str, str], method: str, **params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 2, "method": method, "params": params}
        text = client.post(url, json=body, headers=session).text
        data = next(line for line in text.splitlines() if line.startswith("data: {"))
        return json.loads(data[6:])["result"]

    with listening(folder, "--config", "rtfs.yaml") as url:
        with httpx.Client(headers=HEADERS, timeout=60) as client:
            plan = {"plan": '(call "ccos.system.sleep-ms" 1000) (+ 1 2)'}
            session = begun(client, url)
            made = asked(client, url, session, "tools/call", name="run_plan", arguments=plan, task={"ttl": 5})
            client.delete(url, headers=session)
        with httpx.Client(headers=HEADERS, timeout=60) as client:
            result = asked(client, url, begun(client, url), "tasks/result", taskId=made["task"]["taskId"])
            assert result["structuredContent"]["value"] == 3


# ---------------------------------------------------------------------- 2026-07-28
class Made(types.Result):
    """A task in place of a result."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class Got(types.Result):
    """What `tasks/get` answers; and what the others answer."""

    status: str = ""
    input_requests: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class About(types.RequestParams):
    """Which task is meant."""

    task_id: str
    input_responses: dict[str, Any] | None = None


class Ask(types.Request[About, str]):
    """A request about a task."""


async def ask(session: Any, method: str, id: str, **more: Any) -> Got:
    found: Got = await session.send_request(Ask(method=method, params=About(task_id=id, **more)), Got)
    return found


class Tasks(ClientExtension):
    """Knows tasks; `seen` are those that were made, `then(session, id)` finishes one."""

    identifier = EXTENSION

    def __init__(self, then: Callable[[Any, str], Awaitable[Any]]) -> None:
        self.seen: list[str] = []
        self._then = then

    def claims(self) -> list[ResultClaim[Made]]:
        return [ResultClaim(result_type="task", model=Made, resolve=self._resolve)]

    async def _resolve(self, made: Made, context: ClaimContext) -> types.CallToolResult:
        self.seen.append(made.task_id)
        found = await self._then(context.session, made.task_id)
        return types.CallToolResult.model_validate(found.result, by_name=False)


async def finished(session: Any, id: str) -> Got:
    """A task, once it is over."""
    while (found := await ask(session, "tasks/get", id)).status == "working":
        await asyncio.sleep(0.1)
    return found


def test_a_short_plan_is_answered_at_once_and_a_long_one_by_a_task(folder: Path) -> None:
    async def main() -> None:
        tasks = Tasks(finished)
        async with served(folder, "--config", "rtfs.yaml", mode="auto", extensions=[tasks]) as client:
            assert EXTENSION in (client.server_capabilities.extensions or {})
            assert client.server_capabilities.tasks is None
            assert (await told(client, "run_plan", plan="(+ 1 2)"))["value"] == 3
            assert tasks.seen == []
            assert command("runs", cwd=folder, XDG_STATE_HOME=str(folder / "state"))[1].count("\n") <= 1, "none is kept"
            assert (await told(client, "run_plan", plan=SLOW))["value"] == 6
            assert len(tasks.seen) == 1
            wrong = await told(client, "run_plan", plan="(+ 1 :a)")
            assert wrong["error"]["code"] == "type/mismatch"

    asyncio.run(main())


def test_a_client_that_does_not_know_tasks_gets_none_and_is_told_so(folder: Path) -> None:
    async def main() -> None:
        async with served(folder, "--config", "rtfs.yaml", mode="2026-07-28") as client:
            assert (await told(client, "run_plan", plan=SLOW))["value"] == 6
            with pytest.raises(MCPError) as error:
                await ask(client.session, "tasks/get", "x")
            assert error.value.error.code == types.MISSING_REQUIRED_CLIENT_CAPABILITY
            assert error.value.error.data == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        async with served(
            folder, "--config", "rtfs.yaml", mode="2026-07-28", extensions=[advertise(EXTENSION)]
        ) as client:
            for method, code in (("tasks/get", types.INVALID_PARAMS), ("tasks/result", types.METHOD_NOT_FOUND)):
                with pytest.raises(MCPError) as error:
                    await ask(client.session, method, "x")
                assert error.value.error.code == code

    asyncio.run(main())


def test_a_question_of_a_task_is_answered_by_an_update(folder: Path) -> None:
    asked: list[Any] = []

    async def then(session: Any, id: str) -> Got:
        while (found := await ask(session, "tasks/get", id)).status != "completed":
            for key, request in (found.input_requests or {}).items():
                asked.append((key, request))
                reply = {"action": "accept", "content": {"answer": "yes, this once"}}
                await ask(session, "tasks/update", id, input_responses={key: reply, "made-up": reply})
            await asyncio.sleep(0.1)
        return found

    async def main() -> None:
        person = Person(accepting(answer="yes, this once"))
        async with served(
            folder, "--config", "rtfs.yaml", mode="2026-07-28", extensions=[Tasks(then)], elicitation_callback=person
        ) as client:
            plan = f'(call "ccos.system.sleep-ms" 2600) {CANCEL}'
            assert (await told(client, "run_plan", plan=plan))["value"] == "cancelled 7"
            ((_, request),) = asked
            assert request["method"] == "elicitation/create"
            assert "shop.cancel" in request["params"]["message"]
            assert person.asked == []
            assert (await told(client, "run_plan", plan=CANCEL))["value"] == "cancelled 7"
            assert len(person.asked) == 1, "before there is a task, the client is asked between two requests"

    asyncio.run(main())


def test_a_task_of_the_extension_is_cancelled(folder: Path) -> None:
    async def then(session: Any, id: str) -> Any:
        await ask(session, "tasks/cancel", id)
        assert (await ask(session, "tasks/get", id)).status == "cancelled"
        await ask(session, "tasks/cancel", id)
        return Got(result={"content": [], "structuredContent": {"cancelled": id}})

    async def main() -> None:
        async with served(folder, "--config", "rtfs.yaml", mode="2026-07-28", extensions=[Tasks(then)]) as client:
            ended = await told(client, "run_plan", plan='(call "ccos.system.sleep-ms" 60000)')
            said = await told(client, "status", run=ended["cancelled"])
            while said["status"] == "running":
                said = await told(client, "status", run=ended["cancelled"])
            assert said["status"] == "cancelled"

    asyncio.run(main())


# ---------------------------------------------------------------------- our own client
@pytest.mark.parametrize("over", ["stdio", "http"])
def test_a_long_call_of_a_durable_run_survives_the_end_of_its_process(folder: Path, over: str) -> None:
    """A client and a server of the sessionless revision, both ours; over stdio the server ends with the client."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    environ = environment(elsewhere)
    plan = '(kv/put "on" 1) (call "ccos.system.sleep-ms" 5000) (+ 40 2)'
    (elsewhere / "long.rtfs").write_text(f'(:value (call "mcp.plans.run_plan" {{:plan {json.dumps(plan)}}}))')

    def client(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rtfs", *words, "--mcp-config", "servers.json", "--allow", "mcp.plans.*"]
        return subprocess.Popen(command, cwd=elsewhere, env=environ, text=True, stdout=subprocess.PIPE)

    with contextlib.ExitStack() as stack:
        if over == "http":
            server: dict[str, Any] = {"url": stack.enter_context(listening(folder, "--config", "rtfs.yaml"))}
        else:
            arguments = ["-m", "rtfs", "mcp", "serve", "--config", str(folder / "rtfs.yaml")]
            server = {"command": sys.executable, "args": arguments, "env": environment(folder), "cwd": str(folder)}
        (elsewhere / "servers.json").write_text(json.dumps({"mcpServers": {"plans": server}}))
        running = client("run", "--durable", "--run-id", "w", "long.rtfs")
        journal = elsewhere / "state" / "rtfs" / "runs" / "w.journal"
        while not (journal.exists() and b"task" in journal.read_bytes()):
            assert running.poll() is None
        running.kill()
        running.communicate()
        resumed = subprocess.run(
            [sys.executable, "-m", "rtfs", "resume", "w"],
            cwd=elsewhere, env=environ, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert (resumed.returncode, resumed.stdout) == (0, "42\n"), resumed.stderr
    outcomes = command("audit", "show", "ledger.db", "--capability", "ccos.state.kv.put", cwd=folder)[1]
    assert outcomes.count("outcome ccos.state.kv.put ok") == 1
