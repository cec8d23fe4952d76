"""Calls that a person approves: by a form of the client, or while the run waits on disk; never by the model's tools."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mcp_types import ElicitResult

from tests.cli.test_command import rtfs as command
from tests.serve.clients import ERAS, Person, accepting, served, told

PLAN = '(kv/put "before" 1) (try (call "shop.cancel" {:id 7}) (catch :policy e (:reason (:data e))))'


@pytest.mark.parametrize("era", ERAS)
def test_a_person_says_yes_or_no_in_a_form(folder: Path, era: str) -> None:
    async def main() -> None:
        person = Person(accepting(answer="yes, this once"), accepting(answer="no", reason="too late"))
        async with served(folder, "--config", "rtfs.yaml", mode=era, elicitation_callback=person) as client:
            yes = await told(client, "run_plan", plan=PLAN)
            assert (yes["status"], yes["value"]) == ("done", "cancelled 7")
            assert [(call["id"], call["outcome"]) for call in yes["calls"]] == [
                ("ccos.state.kv.put", "done"),
                ("shop.cancel", "done"),
            ]
            assert "shop.cancel" in person.asked[0]
            assert "{:id 7}" in person.asked[0]
            assert "it cannot be undone" in person.asked[0]
            no = await told(client, "run_plan", plan=PLAN)
            assert (no["status"], no["value"]) == ("done", "too late")
            assert no["calls"][-1]["outcome"] == "denied"

    asyncio.run(main())


@pytest.mark.parametrize("era", ERAS)
def test_a_form_that_is_put_aside_leaves_the_run_waiting(folder: Path, era: str) -> None:
    async def main() -> None:
        person = Person(ElicitResult(action="cancel"), accepting(answer="yes, this once"))
        async with served(folder, "--config", "rtfs.yaml", mode=era, elicitation_callback=person) as client:
            if era == "legacy":
                paused = await told(client, "run_plan", plan=PLAN)
                assert paused["status"] == "paused"
                assert paused["pending"]["capability"] == "shop.cancel"
                assert (await told(client, "status", run=paused["run"]))["status"] == "waiting"
                assert (await told(client, "resume", run=paused["run"]))["value"] == "cancelled 7"
            else:  # the client asks again by itself
                assert (await told(client, "run_plan", plan=PLAN))["value"] == "cancelled 7"

    asyncio.run(main())


@pytest.mark.parametrize("era", ERAS)
def test_where_the_rule_lets_one_a_person_says_yes_for_the_run(folder: Path, era: str) -> None:
    config = folder / "rtfs.yaml"
    config.write_text(config.read_text().replace("undone}", "undone, for_run: true}"))

    async def main() -> None:
        person = Person(*(accepting(answer="yes, for this run") for _ in range(2)))
        async with served(folder, "--config", "rtfs.yaml", mode=era, elicitation_callback=person) as client:
            for count in (1, 2):  # each run is asked about once
                plan = '(map (fn [id] (call "shop.cancel" {:id id})) [1 2 3])'
                found = await told(client, "run_plan", plan=plan)
                assert found["value"] == ["cancelled 1", "cancelled 2", "cancelled 3"]
                assert len(person.asked) == count

    asyncio.run(main())


@pytest.mark.parametrize("era", ERAS)
def test_a_run_that_waits_for_a_signal_asks_nobody(folder: Path, era: str) -> None:
    async def main() -> None:
        person = Person()
        async with served(folder, "--config", "rtfs.yaml", mode=era, elicitation_callback=person) as client:
            paused = await told(client, "run_plan", plan='(inc (await-signal "go"))')
            assert (paused["status"], person.asked) == ("paused", [])
            assert paused["calls"][-1]["outcome"] == "waiting"
            assert "waits for the signal 'go'" in paused["pending"]["reason"]
            run = paused["run"]
            assert f"rtfs signal {run}" in paused["next"]
            state = str(folder / "state")
            assert command("signal", run, "go", "41", cwd=folder, XDG_STATE_HOME=state)[0] == 0
            assert (await told(client, "resume", run=run))["value"] == 42

    asyncio.run(main())


def test_a_run_whose_client_cannot_ask_waits_for_the_terminal(folder: Path) -> None:
    async def main() -> None:
        async with served(folder, "--config", "rtfs.yaml") as client:
            paused = await told(client, "run_plan", plan=PLAN)
            assert (paused["status"], paused["calls"][-1]["outcome"]) == ("paused", "waiting")
            run = paused["run"]
            assert (await told(client, "resume", run=run))["status"] == "paused", "the tool takes no answers"
            denied = await told(client, "resume", run=run, approve=True)
            assert denied["error"]["code"] == "serve/arguments"
            assert (await told(client, "resume", run=f"{run}0"))["error"]["code"] == "run/unknown"
            state = str(folder / "state")
            code, out, _ = await asyncio.to_thread(
                command, "resume", run, "--approve", cwd=folder, XDG_STATE_HOME=state
            )
            assert (code, out) == (0, '"cancelled 7"\n')
            assert (await told(client, "resume", run=run))["value"] == "cancelled 7"
            assert (await told(client, "status", run=run))["status"] == "done"

    asyncio.run(main())


def test_a_run_of_somebody_else_is_unknown(folder: Path) -> None:
    async def main() -> None:
        async with served(folder, "--config", "rtfs.yaml", "--principal", "ann") as client:
            run = (await told(client, "run_plan", plan=PLAN))["run"]
        async with served(folder, "--config", "rtfs.yaml", "--principal", "bob") as client:
            assert (await told(client, "status", run=run))["error"]["code"] == "run/unknown"
            assert (await told(client, "resume", run=run))["error"]["code"] == "run/unknown"
        code, out, _ = command("runs", cwd=folder, XDG_STATE_HOME=str(folder / "state"))
        assert (code, run in out) == (0, True)

    asyncio.run(main())
