"""`/metrics`: the numbers of a server, in Prometheus' text format."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from mcp.client.client import Client

import rtfs
from rtfs.serve.metrics import Metrics
from tests.serve.clients import told
from tests.serve.test_http import listening

SAMPLE = re.compile(r'(?P<name>[a-z_]+)(?:\{(?P<labels>[a-z_]+="[^"\n]*")\})? (?P<value>[0-9.e+-]+)')


def samples(text: str) -> dict[str, float]:
    """What a text in Prometheus' format says: each sample once, of a family that was announced with its kind."""
    found: dict[str, float] = {}
    kinds: dict[str, str] = {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match["name"] in kinds or match["name"].rpartition("_")[0] in kinds
            key = line.rpartition(" ")[0]
            assert key not in found
            found[key] = float(match["value"])
    return found


def test_a_server_tells_its_runs_and_calls(tmp_path: Path) -> None:
    (tmp_path / "rtfs.yaml").write_text(
        "allow: ['fs:write:.']\npolicy:\n  rules:\n    - match: ccos.io.write-file\n      decide: approve\n"
    )

    async def main(url: str) -> None:
        async with Client(url, mode="2026-07-28") as client:
            assert (await told(client, "run_plan", plan='(kv/put "n" 5)'))["status"] == "done"
            assert (await told(client, "run_plan", plan='(throw "no")'))["status"] == "failed"
            assert (await told(client, "run_plan", plan='(read-file "secret")'))["status"] == "denied"
            assert (await told(client, "run_plan", plan='(write-file "a" "x")'))["status"] == "paused"

    with listening(tmp_path, "--config", "rtfs.yaml") as url, httpx.Client(timeout=30) as http:
        before = http.get(url.replace("/mcp", "/metrics"))
        assert before.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert not any(samples(before.text).values())
        asyncio.run(main(url))
        text = http.get(url.replace("/mcp", "/metrics")).text
    found = samples(text)
    assert found['rtfs_runs_total{status="ok"}'] == 1
    assert found['rtfs_runs_total{status="error"}'] == 2
    assert found['rtfs_runs_total{status="waiting"}'] == 1
    assert found['rtfs_calls_total{outcome="ok"}'] == 1
    assert found['rtfs_calls_total{outcome="denied"}'] == 1
    assert found['rtfs_calls_total{outcome="waiting"}'] == 1
    assert found["rtfs_call_seconds_count"] == 1
    assert found['rtfs_call_seconds_bucket{le="+Inf"}'] == 1
    assert found['rtfs_runs{state="at_work"}'] == 0
    assert "kv" not in text


def test_each_call_is_in_the_bucket_of_its_duration() -> None:
    from rtfs.host.audit.events import CallEnded

    class Context:
        run_id = principal = ""

    metrics = Metrics()
    for milliseconds in (1, 5, 6, 4_000, 60_000):
        metrics.hear(CallEnded(Context(), 0, "a", "error: x" if milliseconds == 6 else "ok", milliseconds * 1_000_000))
    found = samples(metrics.text(3, 2, {"open": 7, "initialized": 9}))
    bounds = ("0.005", "0.05", "0.5", "5.0", "50.0", "+Inf")
    assert [found[f'rtfs_call_seconds_bucket{{le="{bound}"}}'] for bound in bounds] == [2, 3, 3, 4, 4, 5]
    assert found["rtfs_call_seconds_sum"] == pytest.approx(64.012)
    assert (found['rtfs_calls_total{outcome="ok"}'], found['rtfs_calls_total{outcome="error"}']) == (4, 1)
    assert (found['rtfs_runs{state="at_work"}'], found['rtfs_runs{state="in_line"}']) == (3, 2)
    assert (found['rtfs_sessions{state="open"}'], found["rtfs_sessions_initialized_total"]) == (7, 9)


@pytest.mark.parametrize("isolation", [None, "process"])
def test_runs_that_load_declarations_are_not_counted(isolation: str | None) -> None:
    metrics = Metrics()
    with rtfs.Runtime(isolation=isolation) as runtime:
        runtime.events.subscribe(metrics.hear)
        runtime.load('(capability "a.b" :implementation (fn [x] x))')
        assert runtime.run('(call "a.b" 1)') == 1
    found = samples(metrics.text(0, 0, None))
    assert found['rtfs_runs_total{status="ok"}'] == 1


def test_a_run_that_continues_as_a_new_one_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    metrics = Metrics()
    with rtfs.Runtime() as runtime:
        runtime.events.subscribe(metrics.hear)
        text = '(plan "p" "" {:params {:n :int}} (if (zero? n) :done (continue-as-new {:n (dec n)})))'
        runtime.run(text, durable=True, params={"n": 2})
    found = samples(metrics.text(0, 0, None))
    assert found['rtfs_runs_total{status="continued"}'] == 2
    assert found['rtfs_runs_total{status="ok"}'] == 1


def test_every_end_of_a_run_and_of_a_call_is_counted() -> None:
    metrics = Metrics()
    with rtfs.Runtime(max_calls=1) as runtime:
        runtime.events.subscribe(metrics.hear)
        assert runtime.run("1") == 1
        for plan in ('(println "a") (println "b")', '(read-file "x")', "(throw :a)", '(call "kv.get" 1 2)'):
            with pytest.raises(rtfs.UserError):
                runtime.run(plan, check=False)
    found = samples(metrics.text(0, 0, None))
    runs = {name: count for name, count in found.items() if name.startswith("rtfs_runs_total") and count}
    assert runs == {'rtfs_runs_total{status="ok"}': 1, 'rtfs_runs_total{status="error"}': 4}
    assert found['rtfs_calls_total{outcome="ok"}'] == 1
