"""The seven hints do what they say, within their limits, in their order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

import rtfs
from rtfs.host.calls.hints import ORDER, HintLimits


class Counter:
    """A capability that fails a number of times and counts."""

    def __init__(self, failures: int = 0, code: str = "capability/failed") -> None:
        self.failures = failures
        self.code = code
        self.calls = 0

    def __call__(self, *_: Any) -> Any:
        self.calls += 1
        if self.calls <= self.failures:
            raise rtfs.HostError("no", code=self.code)
        return self.calls


@pytest.fixture
def rt() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime() as runtime:
        yield runtime


def code_of(rt: rtfs.Runtime, text: str) -> str:
    try:
        rt.run(text)
    except rtfs.UserError as error:
        return error.code
    return "ok"


def test_the_order_is_fixed() -> None:
    assert ORDER == ("metrics", "cache", "circuit-breaker", "rate-limit", "retry", "timeout", "fallback")


def test_retry_repeats_what_failed_so_often(rt: rtfs.Runtime) -> None:
    flaky = Counter(failures=2)
    rt.register("a", flaky)
    assert rt.run('^{:runtime.learning.retry {:max-retries 2 :initial-delay-ms 0}} (call "a")') == 3
    hints = [record.detail for record in rt.ledger if record.kind == "hint"]
    assert hints == ["retry: 1 after capability/failed", "retry: 2 after capability/failed"]


def test_retry_gives_the_last_error(rt: rtfs.Runtime) -> None:
    flaky = Counter(failures=9)
    rt.register("a", flaky)
    assert code_of(rt, '^{:runtime.retry {:max-retries 2 :initial-delay-ms 0}} (call "a")') == "capability/failed"
    assert flaky.calls == 3


UNKNOWN = ["session/outcome-unknown", "session/protocol", "session/too-large", "session/closed", "session/handler"]


@pytest.mark.parametrize("code", ["policy/denied", "type/mismatch", "argument/x", *UNKNOWN])
def test_retry_leaves_alone_what_must_not_be_repeated(rt: rtfs.Runtime, code: str) -> None:
    flaky = Counter(failures=9, code=code)
    rt.register("a", flaky)
    assert code_of(rt, '^{:runtime.retry {:max-retries 3 :initial-delay-ms 0}} (call "a")') == code
    assert flaky.calls == 1


@pytest.mark.parametrize("code", ["session/unavailable", "session/rate-limited", "session/expired"])
def test_retry_repeats_what_was_certainly_not_performed(rt: rtfs.Runtime, code: str) -> None:
    rt.register("a", Counter(failures=1, code=code))
    assert rt.run('^{:runtime.retry {:initial-delay-ms 0}} (call "a")') == 2


@pytest.mark.parametrize("code", UNKNOWN)
def test_what_is_idempotent_may_be_repeated_after_an_unknown_outcome(rt: rtfs.Runtime, code: str) -> None:
    flaky = Counter(failures=1, code=code)
    rt.register("a", flaky, idempotent=True)
    assert rt.run('^{:runtime.retry {:initial-delay-ms 0}} (call "a")') == 2


def test_retry_waits_longer_each_time(rt: rtfs.Runtime) -> None:
    rt.register("a", Counter(failures=2))
    started = time.monotonic()
    rt.run('^{:runtime.retry {:initial-delay-ms 20 :backoff-multiplier 2}} (call "a")')
    assert time.monotonic() - started >= 0.06


def test_retries_are_bounded_by_the_host() -> None:
    flaky = Counter(failures=99)
    with rtfs.Runtime(hint_limits=HintLimits(retries=2)) as rt:
        rt.register("a", flaky)
        assert code_of(rt, '^{:runtime.retry {:max-retries 50 :initial-delay-ms 0}} (call "a")') == "capability/failed"
    assert flaky.calls == 3


def test_timeout_gives_up_what_waits(rt: rtfs.Runtime) -> None:
    cancelled: list[int] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    rt.register("a", slow)
    assert code_of(rt, '^{:runtime.timeout 500} (call "a")') == "capability/timeout"
    text = '^{:runtime.learning.timeout {:timeout-ms 500}} (call "ccos.system.sleep-ms" 60000)'
    assert code_of(rt, text) == "capability/timeout"
    rt.close()
    assert cancelled


def test_timeout_leaves_what_is_quick(rt: rtfs.Runtime) -> None:
    rt.register("a", lambda: 1)
    assert rt.run('^{:runtime.timeout 5000} (call "a")') == 1


def test_fallback_calls_another_or_gives_a_value(rt: rtfs.Runtime) -> None:
    rt.register("a", Counter(failures=9))
    rt.register("b", lambda x: ["b", x])
    assert rtfs.to_text(rt.run('^{:runtime.fallback {:capability "b"}} (call "a" 5)')) == '["b" 5]'
    assert rtfs.to_text(rt.run('^{:runtime.fallback :b} (call "a" 5)')) == '["b" 5]'
    assert rt.run('^{:runtime.fallback {:value 0}} (call "a" 5)') == 0


def test_fallback_is_inside_retry(rt: rtfs.Runtime) -> None:
    flaky = Counter(failures=9)
    rt.register("a", flaky)
    assert rt.run('^{:runtime.retry 3 :runtime.fallback {:value 0}} (call "a")') == 0
    assert flaky.calls == 1


def test_cache_answers_the_same_arguments_for_a_while(rt: rtfs.Runtime) -> None:
    counter = Counter()
    rt.register("a", counter)
    text = (
        '[^{:runtime.cache {:ttl-ms 60000}} (call "a" 1) ^{:runtime.cache {:ttl-ms 60000}} (call "a" 1) (call "a" 1)]'
    )
    assert rtfs.to_text(rt.run(text)) == "[1 1 2]"
    assert rt.run('^{:runtime.cache {:ttl-ms 60000}} (call "a" 2)') == 3
    assert rt.run('^{:runtime.cache {:ttl-ms 60000}} (call "a" 1)', principal="ann") == 4
    assert [r.detail for r in rt.ledger if r.kind == "hint"] == ["cache: hit"]


def test_cached_values_expire_and_their_number_is_bounded() -> None:
    counter = Counter()
    with rtfs.Runtime(hint_limits=HintLimits(cache_entries=2)) as rt:
        rt.register("a", counter)
        assert rt.run('^{:runtime.cache {:ttl-ms 0}} (call "a" 1)') == 1
        assert rt.run('^{:runtime.cache {:ttl-ms 0}} (call "a" 1)') == 2
        for n in range(5):
            rt.run(f'^{{:runtime.cache true}} (call "a" {n})')
        assert len(rt._pipeline.hints._cache) == 2


def test_circuit_breaker_opens_and_half_opens(rt: rtfs.Runtime) -> None:
    flaky = Counter(failures=3)
    rt.register("a", flaky)
    text = '^{:runtime.circuit-breaker {:failure-threshold 2 :cooldown-ms 60}} (call "a")'
    assert [code_of(rt, text) for _ in range(4)] == ["capability/failed"] * 2 + ["capability/circuit-open"] * 2
    assert flaky.calls == 2
    time.sleep(0.07)
    assert code_of(rt, text) == "capability/failed", "half open: one call tries"
    assert code_of(rt, text) == "capability/circuit-open"
    time.sleep(0.07)
    assert [code_of(rt, text) for _ in range(3)] == ["ok"] * 3


def test_rate_limit_spreads_calls(rt: rtfs.Runtime) -> None:
    rt.register("a", lambda: 1)
    started = time.monotonic()
    rt.run('(dotimes [i 5] ^{:runtime.rate-limit {:requests-per-second 100 :burst 2}} (call "a"))')
    assert time.monotonic() - started >= 0.025


def test_metrics_count(rt: rtfs.Runtime) -> None:
    rt.register("a", Counter(failures=1))
    for _ in range(3):
        code_of(rt, '^{:runtime.metrics {:label "x"}} (call "a")')
    numbers = rt.metrics["local", "a", "x"]
    assert (numbers["calls"], numbers["errors"]) == (3, 1)
    assert numbers["total_ns"] >= numbers["longest_ns"] > 0


def test_unknown_hints_and_options_are_warnings(rt: rtfs.Runtime) -> None:
    rt.register("a", lambda: 1)
    assert (
        rt.run('^{:runtime.nonsense 1 :doc "x" :runtime.retry {:n 3} :runtime.learning {:context true}} (call "a")')
        == 1
    )
    assert [message for message, _ in rt.warnings] == [
        "unknown hint :runtime.nonsense on a call of a is ignored",
        "unknown option :n of the hint retry on a call of a is ignored",
        "unknown hint :runtime.learning on a call of a is ignored",
    ]


@pytest.mark.parametrize(
    "hint", ['{:runtime.timeout "soon"}', "{:runtime.retry {:max-retries -1}}", "{:runtime.fallback {:capability 5}}"]
)
def test_a_value_that_cannot_be_is_an_error(rt: rtfs.Runtime, hint: str) -> None:
    rt.register("a", lambda: 1)
    assert code_of(rt, f'^{hint} (call "a")') == "capability/hint"


def test_nil_and_false_switch_a_hint_off(rt: rtfs.Runtime) -> None:
    rt.register("a", lambda: 1)
    assert rt.run('^{:runtime.timeout nil :runtime.cache false} (call "a")') == 1
