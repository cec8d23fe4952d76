"""Hints: `^{:runtime.learning.retry {…}} (call …)` asks the host to wrap the routing of a call.

Must not know providers. The seven, from outside in: metrics, cache, circuit-breaker, rate-limit, retry, timeout,
fallback; `:runtime.retry` is short for `:runtime.learning.retry`. Invariants: a hint never exceeds `HintLimits`; a
fallback is a call of its own, with its own decision; state (caches, breakers, buckets, metrics) is kept by principal
and capability, so that nobody sees another's.
"""

from __future__ import annotations

from time import monotonic, perf_counter_ns

from rtfs.host.waits import Sleep, Within
from rtfs.values import HostError, Keyword, LimitError, Map, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Awaitable, Callable
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.driver import Frame
    from rtfs.host.pipeline import Pipeline

    Next = Callable[[], Awaitable[Any]]
else:
    from _collections import OrderedDict  # `collections` costs a millisecond

ORDER = ("metrics", "cache", "circuit-breaker", "rate-limit", "retry", "timeout", "fallback")


class HintLimits:
    """What hints may ask for at most: retries, milliseconds of one pause, of a timeout, of a cached value's life,
    entries of a cache."""

    __slots__ = ("cache_entries", "delay_ms", "retries", "timeout_ms", "ttl_ms")

    def __init__(
        self,
        *,
        retries: int = 10,
        delay_ms: float = 60_000,
        timeout_ms: float = 600_000,
        ttl_ms: float = 3_600_000,
        cache_entries: int = 1_000,
    ) -> None:
        self.retries = retries
        self.delay_ms = delay_ms
        self.timeout_ms = timeout_ms
        self.ttl_ms = ttl_ms
        self.cache_entries = cache_entries


class Hints:
    """The hint stage of one runtime, with the state that outlives a call."""

    __slots__ = ("_breakers", "_buckets", "_cache", "limits", "metrics")

    def __init__(self, limits: HintLimits | None = None) -> None:
        self.limits = limits or HintLimits()
        self._cache: OrderedDict[tuple[str, str, str], tuple[float, Any]] = OrderedDict()
        self._breakers: dict[tuple[str, str], list[float]] = {}
        self._buckets: dict[tuple[str, str], list[float]] = {}
        self.metrics: dict[tuple[str, str, str], dict[str, float]] = {}
        """(principal, capability, label) → calls, errors, total_ns, longest_ns."""

    def chosen(self, hints: Any, entry: Entry, frame: Frame) -> list[tuple[str, Any]]:
        """The known hints of a call's metadata, from outside in, checked.

        Metadata that is no hint is left alone; an unknown `:runtime.…` hint or option is a warning. Raises HostError
        `capability/hint` for a value that cannot be.
        """
        found: dict[str, Any] = {}
        for key, value in hints.items():
            if key.__class__ is not Keyword or not key.name.startswith("runtime."):
                continue
            name = key.name.removeprefix("runtime.").removeprefix("learning.")
            if name not in ORDER:
                frame.run.warn(f"unknown hint :{key.name} on a call of {entry.id} is ignored", None)
            elif value is not None and value is not False:
                found[name] = _options(name, value, entry, frame)
        return [(name, found[name]) for name in ORDER if name in found]

    async def apply(
        self,
        chosen: list[tuple[str, dict[str, Any]]],
        pipeline: Pipeline,
        entry: Entry,
        arguments: tuple[Any, ...],
        frame: Frame,
        number: int,
        text: str,
    ) -> Any:
        """Route a call through its hints; number: of its decision in the ledger; text: of its arguments."""

        def note(detail: str) -> None:
            context = frame.context
            pipeline.ledger.append("hint", context.run_id, number, entry.id, context.principal, detail)

        async def call() -> Any:
            return await pipeline.route(entry, arguments, frame, number)

        whose = (frame.context.principal, entry.id)
        inner: Next = call
        for name, options in reversed(chosen):
            inner = self._wrap(name, options, inner, pipeline, entry, arguments, frame, number, text, whose, note)
        return await inner()

    def _wrap(
        self,
        name: str,
        options: dict[str, Any],
        inner: Next,
        pipeline: Pipeline,
        entry: Entry,
        arguments: tuple[Any, ...],
        frame: Frame,
        number: int,
        text: str,
        whose: tuple[str, str],
        note: Callable[[str], None],
    ) -> Next:
        if name == "metrics":
            return lambda: self._measured(options, inner, whose)
        if name == "cache":
            return lambda: self._cached(options, inner, (*whose, text), note)
        if name == "circuit-breaker":
            return lambda: self._broken(options, inner, whose, note)
        if name == "rate-limit":
            return lambda: self._limited(options, inner, whose, note)
        if name == "retry":
            return lambda: self._retried(options, inner, entry, note)
        if name == "timeout":
            return lambda: self._timed(options, inner, entry)
        return lambda: _fallen(options, inner, pipeline, arguments, frame, number, note)

    async def _measured(self, options: dict[str, Any], inner: Next, whose: tuple[str, str]) -> Any:
        key = (*whose, str(options.get("label", "")))
        numbers = self.metrics.setdefault(key, {"calls": 0, "errors": 0, "total_ns": 0, "longest_ns": 0})
        started = perf_counter_ns()
        numbers["calls"] += 1
        try:
            return await inner()
        except UserError:
            numbers["errors"] += 1
            raise
        finally:
            took = perf_counter_ns() - started
            numbers["total_ns"] += took
            numbers["longest_ns"] = max(numbers["longest_ns"], took)

    async def _cached(
        self, options: dict[str, Any], inner: Next, key: tuple[str, str, str], note: Callable[[str], None]
    ) -> Any:
        cache, now = self._cache, monotonic()
        held = cache.get(key)
        if held is not None and held[0] > now:
            cache.move_to_end(key)
            note("cache: hit")
            return held[1]
        value = await inner()
        cache[key] = (now + min(options.get("ttl-ms", 60_000), self.limits.ttl_ms) / 1000, value)
        cache.move_to_end(key)
        while len(cache) > self.limits.cache_entries:
            cache.popitem(last=False)
        return value

    async def _broken(
        self, options: dict[str, Any], inner: Next, whose: tuple[str, str], note: Callable[[str], None]
    ) -> Any:
        threshold = max(1, options.get("failure-threshold", 5))
        cooldown = options.get("cooldown-ms", 30_000) / 1000
        state = self._breakers.setdefault(whose, [0, 0.0])  # failures in a row, when to try again
        if state[0] >= threshold:
            left = state[1] - monotonic()
            if left > 0:
                raise HostError(
                    f'"{whose[1]}" failed {threshold} times in a row and is not called for {left:.1f} s more',
                    code="capability/circuit-open",
                )
            state[1] = monotonic() + cooldown  # half open: one call tries, the others stay out
        try:
            value = await inner()
        except LimitError:
            raise
        except UserError:
            state[0] += 1
            if state[0] >= threshold:
                state[1] = monotonic() + cooldown
                note("circuit-breaker: open")
            raise
        state[0] = 0
        return value

    async def _limited(
        self, options: dict[str, Any], inner: Next, whose: tuple[str, str], note: Callable[[str], None]
    ) -> Any:
        rate = options.get("requests-per-second", 10)
        if rate <= 0:
            raise HostError("a rate limit allows more than 0 requests a second", code="capability/hint")
        burst = max(1, options.get("burst", 1))
        now = monotonic()
        bucket = self._buckets.setdefault(whose, [float(burst), now])
        bucket[0] = min(float(burst), bucket[0] + (now - bucket[1]) * rate) - 1
        bucket[1] = now
        if bucket[0] < 0:
            pause = min(-bucket[0] / rate, self.limits.delay_ms / 1000)
            note(f"rate-limit: {pause * 1000:.0f} ms")
            await Sleep(pause)
        return await inner()

    async def _retried(self, options: dict[str, Any], inner: Next, entry: Entry, note: Callable[[str], None]) -> Any:
        retries = int(min(options.get("max-retries", 3), self.limits.retries))
        delay = options.get("initial-delay-ms", 100)
        factor = options.get("backoff-multiplier", 2)
        for attempt in range(retries + 1):
            try:
                return await inner()
            except UserError as error:
                if attempt == retries or not repeatable(error, entry):
                    raise
                note(f"retry: {attempt + 1} after {error.code}")
            pause = min(delay * factor**attempt, self.limits.delay_ms)
            if pause > 0:
                await Sleep(pause / 1000)
        raise AssertionError("a retry ends with a value or an error")

    async def _timed(self, options: dict[str, Any], inner: Next, entry: Entry) -> Any:
        limit = min(options.get("timeout-ms", self.limits.timeout_ms), self.limits.timeout_ms)

        def late() -> HostError:
            return HostError(
                f'"{entry.id}" took longer than {limit:g} ms', code="capability/timeout", capability=entry.id
            )

        return await Within(limit / 1000, _coroutine(inner), late)


async def _fallen(
    options: dict[str, Any],
    inner: Next,
    pipeline: Pipeline,
    arguments: tuple[Any, ...],
    frame: Frame,
    number: int,
    note: Callable[[str], None],
) -> Any:
    try:
        return await inner()
    except LimitError:
        raise
    except UserError as error:
        other = options.get("capability")
        if other is None:
            if "value" in options:
                note(f"fallback: value after {error.code}")
                return options["value"]
            raise
        note(f"fallback: {other} after {error.code}")
        from rtfs.machine import HostCall

        return await pipeline.perform(HostCall("call", other, arguments), frame.inner(number))


async def _coroutine(inner: Next) -> Any:
    return await inner()


def repeatable(error: UserError, entry: Entry) -> bool:
    """Whether a failed call may be made again: not after a limit, a denial or a wrong argument, and, where its outcome
    is unknown, only if the declaration says `:idempotent true`."""
    if isinstance(error, LimitError) or error.code.startswith(
        ("policy/", "type/", "argument/", "capability/unknown", "arity")
    ):
        return False
    if error.code in ("session/outcome-unknown", "capability/timeout", "session/timeout"):
        return entry.fields.idempotent is True
    return True


_NUMBERS = {
    "cache": ("ttl-ms", "max-entries"),
    "circuit-breaker": ("failure-threshold", "cooldown-ms"),
    "rate-limit": ("requests-per-second", "burst"),
    "retry": ("max-retries", "initial-delay-ms", "backoff-multiplier"),
    "timeout": ("timeout-ms",),
}
_SYNONYMS = {
    "max": "max-retries", "retries": "max-retries", "backoff-ms": "initial-delay-ms", "delay-ms": "initial-delay-ms",
    "multiplier": "backoff-multiplier", "ms": "timeout-ms", "absolute-ms": "timeout-ms", "ttl": "ttl-ms",
    "threshold": "failure-threshold", "rps": "requests-per-second", "max-attempts": "max-retries",
}  # fmt: skip
_OTHERS = {
    "metrics": ("label", "emit-to-chain", "track-percentiles"),
    "retry": ("strategy",),
    "fallback": ("capability", "value"),
}


def _options(name: str, value: Any, entry: Entry, frame: Frame) -> dict[str, Any]:
    """A hint's options by name without colon. A bare value stands for the first option: `:runtime.timeout 500`."""
    numbers, others = _NUMBERS.get(name, ()), _OTHERS.get(name, ())
    if value is True:
        return {}
    if value.__class__ is not Map:
        first = numbers[0] if numbers else others[0]
        value = Map([(Keyword(first), value)])
    options: dict[str, Any] = {}
    for key, item in value.items():
        option = key.name if key.__class__ is Keyword else str(key)
        option = _SYNONYMS.get(option, option)
        if option in numbers:
            if item.__class__ not in (int, float) or not 0 <= item < float("inf"):
                raise HostError(
                    f":{option} of the hint {name} is a number from 0, not {item!r}", code="capability/hint"
                )
        elif option not in others:
            frame.run.warn(f"unknown option :{option} of the hint {name} on a call of {entry.id} is ignored", None)
        elif option == "capability":
            item = item.name if item.__class__ is Keyword else item
            if item.__class__ is not str:
                raise HostError(f":capability of the hint {name} is a capability's id", code="capability/hint")
        options[option] = item
    return options
