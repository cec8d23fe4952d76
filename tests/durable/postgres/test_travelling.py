"""What travels with a submitted run: its texts, loaded and imported ones, and its parameters, to workers that run plans
in this process or in others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.runs import RunState
from tests.durable.postgres.workers import Workers, workers

MODES = (None, "process")
PLAN = """
(plan "order" {:params {:n :int, :kind [:enum :fast :slow], :tags [[:set :string] :default #{}]}}
  [(call "pay" n) kind (count tags)])
"""


@pytest.fixture
def others(database: str, tmp_path: Path) -> Iterator[Workers]:
    with workers(database, tmp_path) as found:
        yield found


def submitting(url: str, mode: str | None) -> rtfs.Runtime:
    rt = rtfs.Runtime(state=url, isolation=mode)
    rt.register("pay", lambda *_: pytest.fail("it was made by the process that submits"))
    return rt


def code(work: Callable[[], Any]) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        work()
    return caught.value.code


def text(runtime: rtfs.Runtime, run_id: str) -> str:
    return rtfs.to_text(asyncio.run(runtime.wait(run_id, 240)))


@pytest.mark.parametrize("mode", MODES)
def test_parameters_that_the_plan_would_refuse_are_refused_by_submit(database: str, mode: str | None) -> None:
    with submitting(database, mode) as runtime:
        for given, said in (
            (None, "plan/parameter"),
            ({"n": 1}, "plan/parameter"),
            ({"n": 1, "kind": "fast", "more": 2}, "plan/parameter"),
            ({"n": "one", "kind": "fast"}, "type/mismatch"),
            ({"n": 1, "kind": "idle"}, "type/mismatch"),
            ({"n": 1, "kind": "fast", "tags": [1]}, "type/mismatch"),
        ):
            assert code(lambda given=given: runtime.submit(PLAN, params=given)) == said, given
        assert code(lambda: runtime.submit("(+ 1 2)", params={"n": 1})) == "plan/parameter"
        assert runtime._executor.store.list() == []
        run_id = runtime.submit(PLAN, params={"n": 1, "kind": "fast", "tags": ["a"]})
        found = RunState(runtime._executor.store.look(run_id))
        assert (found.state, sorted(found.parameters)) == ("queued", ["kind", "n", "tags"])


@pytest.mark.parametrize("there", MODES)
def test_loaded_and_imported_texts_and_parameters_travel_between_both_kinds_of_processes(
    database: str, others: Workers, tmp_path: Path, there: str | None
) -> None:
    module = tmp_path / "sums.rtfs"
    module.write_text("(module sums (defn twice [n] (* 2 n)))")
    main = tmp_path / "main.rtfs"
    source = (
        '(import sums :as s)\n(plan "p" {:params {:k [:enum :a :b]}} [k (s/twice 4) (helper 1) (call "demo.inc" 1)])'
    )
    main.write_text(source)
    runs = {}
    for here in MODES:
        with submitting(database, here) as runtime:
            runtime.load("(defn helper [n] (+ n 40))", "helpers.rtfs")
            runtime.load('(capability "demo.inc" {:implementation (fn [n] (+ n (helper 0)))})', "tools.rtfs")
            with pytest.raises(rtfs.UserError, match="nonsense"):
                runtime.submit("(nonsense 1)")
            runs[here] = runtime.submit(rtfs.Source(source, str(main)), params={"k": "b"})
    module.unlink()  # its texts travel
    main.unlink()
    others.start(labels="isolated" if there == "process" else "")
    with submitting(database, None) as runtime:
        for here, run_id in runs.items():
            assert text(runtime, run_id) == "[:b 8 41 41]", here
