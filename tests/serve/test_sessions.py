"""Sessions of code mode: what a plan defines is there for the next one of the same name, and nothing is done again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.serve.console.runs import RunBrowser
from rtfs.serve.session_source import SessionSource
from rtfs.serve.sessions import MOST, Definition, PlanSession, PlanSessions
from rtfs.source import Source
from rtfs.values import HostError
from tests.cli.test_command import rtfs as command
from tests.serve.clients import served, told

LIST = """(capability "shop.list" :description "The orders" :input-schema {} :output-schema [:vector :int]
  :implementation (fn [i] [3 4 5]))"""


@pytest.fixture
def folder(folder: Path) -> Path:
    with (folder / "caps.rtfs").open("a") as caps:
        caps.write(LIST)
    return folder


@pytest.mark.parametrize("isolated", [False, True])
def test_functions_macros_types_and_values_stay(folder: Path, isolated: bool) -> None:
    async def main() -> None:
        options = ["--config", "rtfs.yaml", *(["--isolate"] if isolated else [])]
        async with served(folder, *options) as client:

            async def run(plan: str, session: str = "s", **more: Any) -> Any:
                return await told(client, "run_plan", plan=plan, session=session, **more)

            first = await run('(defn twice [x] (* 2 x)) (def orders (call "shop.list")) (map twice orders)')
            assert first["value"] == [6, 8, 10]
            assert first["session"] == {"defines": ["twice", "orders"]}
            second = await run(
                "(defmacro unless2 [c x] `(if ~c nil ~x)) (deftype Id :int) (def best (twice (first orders)))"
            )
            assert (second["status"], second["value"]) == ("done", 6)
            third = await run('(let [i :Id best] (unless2 false [i orders {:a #{1} :b "x"}]))')
            assert third["value"][:2] == [6, [3, 4, 5]]
            assert third["session"]["defines"] == ["twice", "orders", "unless2", "Id", "best"]
            assert "calls" not in third
            again = await run("(defn twice [x] (* 20 x)) (twice 1)")
            assert again["value"] == 20
            assert (await run("(twice 1)"))["value"] == 20
            assert (await run("(twice 1)", session="other"))["error"]["code"] == "undefined"
            assert (await told(client, "run_plan", plan="(twice 1)"))["error"]["code"] == "undefined"
            assert (await run("(map twice orders)", args={"n": 1}))["value"] == [60, 80, 100]
            plan = '(plan "p" {:params {:n :int}} (twice n))'
            assert (await run(plan, args={"n": 3}))["value"] == 60
        outcomes = command("audit", "show", "ledger.db", "--capability", "shop.list", cwd=folder)[1]
        assert outcomes.count("outcome shop.list ok") == 1

    asyncio.run(main())


def test_what_cannot_be_kept_is_told_and_no_call_is_made_for_it_again(folder: Path) -> None:
    async def main() -> None:
        async with served(folder, "--config", "rtfs.yaml") as client:

            async def run(plan: str) -> Any:
                return await told(client, "run_plan", plan=plan, session="s")

            plan = '(def n (count (call "shop.list"))) (def f (fn [x] (+ n x))) (def all (range)) (f 1)'
            found = await run(plan)
            assert found["value"] == 4
            assert found["session"]["defines"] == ["n"]
            assert sorted(found["session"]["not_kept"]) == ["all", "f"]
            assert (await run("(def f (fn [x] (* n x))) (def all (range)) 1"))["session"]["defines"] == [
                "n",
                "f",
                "all",
            ]
            assert (await run("[(f 2) (first all)]"))["value"] == [6, 0]
            assert (await run("(def big (vec (range 300000))) 1"))["session"]["not_kept"] == {
                "big": "it has more than 200,000 characters"
            }
            failed = await run('(defn g [] 1) (throw {:message "no"})')
            assert failed["status"] == "failed"
            assert "g" not in failed["session"]["defines"], "of a plan that fails nothing stays"
            waits = await run('(def c (call "shop.cancel" {:id 7})) c')
            assert waits["status"] == "paused"
            code, out, _ = await asyncio.to_thread(
                command, "resume", waits["run"], "--approve", cwd=folder, XDG_STATE_HOME=str(folder / "state")
            )
            assert (code, out) == (0, '"cancelled 7"\n')

    asyncio.run(main())


def test_errors_are_where_the_model_wrote_them(folder: Path) -> None:
    async def main() -> None:
        async with served(folder, "--config", "rtfs.yaml") as client:

            async def run(plan: str) -> Any:
                return (await told(client, "run_plan", plan=plan, session="s"))["error"]

            await told(client, "run_plan", plan="(defn f\n  [x]\n  (subs x 9))", session="s")
            wrong = await run('(def a 1)\n(def b 2) (throw {:message "no"})')
            assert (wrong["line"], wrong["column"]) == (2, 11)
            assert '2 | (def b 2) (throw {:message "no"})' in wrong["report"]
            refused = await run("(def a 1)\n\n  (+ a :b)")
            assert (refused["line"], refused["column"]) == (3, 8)
            assert "3 |   (+ a :b)" in refused["report"]
            inside = await run('(def a "abc")\n(f a)')
            assert "(subs x 9)" in inside["report"]
            assert "in the program at plan.rtfs:2:1" in inside["report"]
            assert (await run("(def a 1)\n(f a"))["line"] == 2

    asyncio.run(main())


def test_sessions_are_bounded_and_of_one_principal() -> None:
    sessions = PlanSessions()
    ann = sessions.session("ann", "s")
    assert ann.keep([Definition("a", "(def a 1)", (1,), 1)]) == {}
    assert sessions.session("ann", "s") is ann
    assert sessions.session("bob", "s").names == []
    for n in range(MOST):
        sessions.session("ann", f"s{n}")
    assert sessions.session("ann", "s").names == [], "the one used longest ago was given up"
    for name in ("", " ", "x" * 101):
        with pytest.raises(HostError):
            sessions.session("ann", name)
    full = PlanSession()
    assert full.keep([Definition("a", "x" * 60_000), Definition("b", "x" * 60_000)]) == {
        "b": "the definitions of a session have at most 100,000 characters"
    }
    assert full.keep([Definition("a", "(def a 1)"), Definition("b", "x" * 60_000)]) == {}


@pytest.mark.parametrize("at", range(17))
def test_places_in_a_session_are_those_of_the_plan(at: int) -> None:
    original = Source("(def a 1)\n(f a)\n", "plan.rtfs")
    source = SessionSource(original, "(defn f [x] x)\n(def y 2)\n", at, "\n[\n", "\n{}]")
    for offset in range(len(original.text)):
        found = offset + 25 if offset < at else offset - len(original.text) + len(source.text) - 4
        assert source.text[found] == original.text[offset]
        assert source.position(found) == original.position(offset)
    assert source.position(0) == (-2, 1)
    assert source.line(-2) == "(defn f [x] x)"
    assert source.line(2) == "(f a)"
    assert source.position(len(source.text)) == original.position(len(original.text))


def test_a_resumed_plan_of_a_session_gives_its_value_without_those_of_the_session(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.chdir(folder)
    composed = PlanSession().compose('(def a 40)\n(+ a (await-signal "go"))', "plan.rtfs")
    assert composed.wrapped
    with rtfs.Runtime.from_config("rtfs.yaml") as runtime:
        runtime.shell["config"] = str(folder / "rtfs.yaml")
        with pytest.raises(HostError) as stopped:
            runtime.run(composed.source, durable=True, run_id="task")
        assert stopped.value.code == "run/waiting"
    assert command("signal", "task", "go", "2", cwd=folder)[0] == 0
    assert command("resume", "task", cwd=folder)[:2] == (0, "42\n")
    with rtfs.Runtime.from_config("rtfs.yaml") as runtime:
        assert RunBrowser(runtime).details("task").value == "42"


def test_the_sessions_of_a_server_are_on_its_own_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rtfs.cli.main import main
    from rtfs.serve import server as serving

    seen: list[tuple[bool, bool]] = []

    async def serve(server: Any) -> None:
        engine = server.tools.runtime._engine
        seen.append((engine.loop() is asyncio.get_running_loop(), engine.started))

    monkeypatch.setattr(serving, "serve_stdio", serve)
    monkeypatch.chdir(tmp_path)
    assert main(["mcp", "serve"]) == 0
    assert seen == [(True, False)], "no thread of its own"
