"""Hints: `^{:runtime.learning.retry {…}} (call …)` asks the host to wrap the routing of a call.

Must not know providers. The seven, from outside in: metrics, cache, circuit-breaker, rate-limit, retry, timeout,
fallback; `:runtime.retry` is short for `:runtime.learning.retry`. Others come from the entry-point group `rtfs.hints`
and apply outside of them, by name. Invariants: a hint never exceeds `HintLimits`; a call that it repeats is decided
and counted again; a fallback is a separate call, with its own decision; state (caches, breakers, buckets,
metrics) is kept by principal and capability, so that no principal sees another's.
"""

from __future__ import annotations

from time import monotonic, perf_counter_ns

from rtfs.host.audit.events import HintApplied
from rtfs.host.calls.hint_options import options_of
from rtfs.host.calls.marshal import as_value
from rtfs.host.redaction import named
from rtfs.host.scheduler.suspensions import Sleep, Within
from rtfs.values import HostError, Keyword, LimitError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.calls.pipeline import Pipeline
    from rtfs.host.run.frame import Frame
    from rtfs.machine import HostCall

    Next = Callable[[], Awaitable[Any]]
else:
    from _collections import OrderedDict  # `collections` costs a millisecond

GROUP = "rtfs.hints"
"""The entry-point group of further hints."""
_NOT_PERFORMED = frozenset(
    "session/" + detail
    for detail in (
        "credential", "expired", "forbidden", "limit", "none", "oauth", "rate-limited", "store", "target",
        "unauthorized", "unavailable", "version",
    )
)  # fmt: skip
"""How a session fails before the call was performed; after any other failure (an unreadable answer, say) it may have
been performed."""
ORDER = ("metrics", "cache", "circuit-breaker", "rate-limit", "retry", "timeout", "fallback")


class HintLimits:
    """The upper limits of hint options: retries, milliseconds of one pause, of a timeout, of a cached value's life,
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


class HintedCall:
    """A call that hints wrap. capability: its id. arguments: tuple of RTFS values, in canonical
    form; given: as the program gave them. principal: on whose behalf. text: of
    the arguments. number: of its latest decision in the ledger."""

    __slots__ = (
        "_needs",
        "arguments",
        "call",
        "capability",
        "entry",
        "frame",
        "given",
        "number",
        "pipeline",
        "principal",
        "text",
    )

    def __init__(
        self,
        pipeline: Pipeline,
        entry: Entry,
        call: HostCall,
        frame: Frame,
        number: int,
        text: str,
        needs: Sequence[str],
    ) -> None:
        self.pipeline = pipeline
        self.entry = entry
        self.capability = entry.id
        self.arguments = call.args
        self.given = call.given
        self.call = call
        self.frame = frame
        self.principal = frame.context.principal
        self.number = number
        self.text = text
        self._needs = needs

    def note(self, detail: str) -> None:
        """Record what a hint did."""
        self.pipeline.events.emit(HintApplied(self.frame.context, self.number, self.capability, named(detail)))

    def sleep(self, seconds: float) -> Sleep:
        """To be awaited: a pause."""
        return Sleep(seconds)

    async def route(self) -> Any:
        """Carry it out, as it was decided last."""
        return await self.pipeline.route(self.entry, self.arguments, self.frame, self.number, self._needs)

    def repeating(self, inner: Next) -> Next:
        """`inner` for a hint that may call it several times: from the second time on, policy and quotas are asked
        first."""
        made = False

        async def proceed() -> Any:
            nonlocal made
            if made:
                again = self.pipeline.again(self.entry, self.arguments, self.text, self.frame)
                self.number, self._needs = await again
            made = True
            return await inner()

        return proceed


class Hints:
    """The hint stage of one runtime, with the state that outlives a call."""

    __slots__ = ("_breakers", "_buckets", "_cache", "_installed", "limits", "metrics")

    def __init__(self, limits: HintLimits | None = None) -> None:
        self.limits = limits or HintLimits()
        self._cache: OrderedDict[tuple[str, str, str], tuple[float, Any]] = OrderedDict()
        self._installed: dict[str, Any] | None = None
        self._breakers: dict[tuple[str, str], list[float]] = {}
        self._buckets: dict[tuple[str, str], list[float]] = {}
        self.metrics: dict[tuple[str, str, str], dict[str, float]] = {}
        """(principal, capability, label) → calls, errors, total_ns, longest_ns."""

    def chosen(self, hints: Any, entry: Entry, frame: Frame) -> list[tuple[str, Any]]:
        """The known hints of a call's metadata, from outside in, checked.

        Metadata that is not a hint is left alone; an unknown `:runtime.…` hint or option is a warning. Raises HostError
        `capability/hint` for a value that cannot be.
        """
        found: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for key, value in hints.items():
            if key.__class__ is not Keyword or not key.name.startswith("runtime."):
                continue
            name = key.name.removeprefix("runtime.").removeprefix("learning.")
            if value is None or value is False:
                continue
            if name in ORDER:
                found[name] = options_of(name, value, entry, frame)
            elif name in self._others():
                others[name] = value
            else:
                frame.run.warn(f"unknown hint :{key.name} on a call of {entry.id} is ignored", None)
        return [*sorted(others.items()), *((name, found[name]) for name in ORDER if name in found)]

    def _others(self) -> dict[str, Any]:
        """The installed hints by name."""
        if self._installed is None:
            from importlib.metadata import entry_points

            self._installed = {point.name: point for point in entry_points(group=GROUP)}
        return self._installed

    async def apply(
        self,
        chosen: list[tuple[str, dict[str, Any]]],
        pipeline: Pipeline,
        entry: Entry,
        call: HostCall,
        frame: Frame,
        number: int,
        text: str,
        needs: Sequence[str],
    ) -> Any:
        """Route a call through its hints. number: of its decision in the ledger. text: of its arguments. needs:
        what was decided about."""

        hinted = HintedCall(pipeline, entry, call, frame, number, text, needs)
        inner: Next = hinted.route
        for name, options in reversed(chosen):
            inner = self._wrap(name, options, inner, hinted)
        return await inner()

    def _wrap(self, name: str, options: Any, inner: Next, call: HintedCall) -> Next:
        entry, note, whose = call.entry, call.note, (call.principal, call.capability)
        if name == "metrics":
            return lambda: self._measured(options, inner, whose)
        if name == "cache":
            return lambda: self._cached(options, inner, (*whose, call.text), note)
        if name == "circuit-breaker":
            return lambda: self._broken(options, inner, whose, note)
        if name == "rate-limit":
            return lambda: self._limited(options, inner, whose, note)
        if name == "retry":
            return lambda: self._retried(options, call.repeating(inner), call)
        if name == "timeout":
            return lambda: self._timed(options, inner, entry, call.frame)
        if name == "fallback":
            return lambda: _fallen(options, inner, call)
        return lambda: self._custom(name, options, call.repeating(inner), call)

    async def _custom(self, name: str, options: Any, proceed: Next, call: HintedCall) -> Any:
        """A hint from outside: `async handler(call, options, proceed)`, where `proceed()` makes the call; it may await
        nothing else but `call.sleep(seconds)`."""
        try:
            return as_value(await self._others()[name].load()(call, options, proceed), call.entry)
        except UserError:
            raise
        except Exception as error:
            raise HostError(
                f"the hint {name} failed: {type(error).__name__}: {error}", code="capability/hint"
            ) from error

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

    async def _retried(self, options: dict[str, Any], inner: Next, call: HintedCall) -> Any:
        retries = int(min(options.get("max-retries", 3), self.limits.retries))
        delay = options.get("initial-delay-ms", 100)
        factor = options.get("backoff-multiplier", 2)
        for attempt in range(retries + 1):
            try:
                return await inner()
            except UserError as error:
                if attempt == retries or not repeatable(error, call):
                    raise
                call.note(f"retry: {attempt + 1} after {error.code}")
            pause = min(delay * factor**attempt, self.limits.delay_ms)
            if pause > 0:
                await Sleep(pause / 1000)
        raise AssertionError("a retry ends with a value or an error")

    async def _timed(self, options: dict[str, Any], inner: Next, entry: Entry, frame: Frame) -> Any:
        limit = min(options.get("timeout-ms", self.limits.timeout_ms), self.limits.timeout_ms)

        def late() -> HostError:
            return HostError(
                f'"{entry.id}" took longer than {limit:g} ms',
                code="capability/timeout",
                capability=entry.id,
                hint="the limit is that of the timeout hint on this call",
            )

        budget = frame.run.budget
        end = monotonic() - budget.stood() + limit / 1000

        def remaining() -> float:  # the clock is paused while a person is asked
            left: float = end + budget.stood() - monotonic()
            return left

        return await Within(limit / 1000, _coroutine(inner), late, remaining)


async def _fallen(options: dict[str, Any], inner: Next, call: HintedCall) -> Any:
    try:
        return await inner()
    except LimitError:
        raise
    except UserError as error:
        other = options.get("capability")
        if other is None:
            if "value" in options:
                call.note(f"fallback: value after {error.code}")
                if call.call.hint_labels is not None:
                    call.frame.implemented.append((call.call.hint_labels, False))
                return options["value"]
            raise
        call.note(f"fallback: {other} after {error.code}")
        from rtfs.machine import HostCall

        instead = HostCall("call", other, call.given)
        instead.labels, instead.decided_by = call.call.labels, call.call.decided_by
        try:
            return await call.pipeline.perform(instead, call.frame.inner(call.number))
        finally:
            if instead.answer_tag is not None:
                call.frame.implemented.append((instead.answer_tag, False))


async def _coroutine(inner: Next) -> Any:
    return await inner()


def repeatable(error: UserError, call: HintedCall) -> bool:
    """Whether a failed call may be made again: not after a limit, a denial or a wrong argument, and, where its outcome
    is unknown, only if the declaration says `:idempotent true`, or the capability that it may with these arguments."""
    if isinstance(error, LimitError) or error.code.startswith(
        ("policy/", "type/", "argument/", "capability/unknown", "arity", "session/input-required")
    ):
        return False
    unknown = error.code.startswith("session/") and error.code not in _NOT_PERFORMED
    if unknown or error.code == "capability/timeout":
        return call.entry.is_idempotent(call.arguments)
    return True
