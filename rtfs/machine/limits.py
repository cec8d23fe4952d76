"""Limits of a run, and the iterator of steps that generated code draws from.

A program cannot catch a limit. Units: steps are entries of functions that could recur, rounds of loops, and
elements that standard functions go through (in portions, see rtfs.values.step_account).
"""

from __future__ import annotations

from time import monotonic

from rtfs.machine import memory
from rtfs.values.error import LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OUTPUT = 64 * 1024 * 1024
MEMORY = 512 * 1024 * 1024
PACE = 1 << 30
"""Bytes that a program can make in a second, at most: one that has computed only for a moment cannot have made the
process grow by much."""


class Limits:
    """steps: in all, None for any number. depth: nested calls of RTFS functions. seconds: of wall clock for the whole
    run, waiting for the host included, None for any. output: bytes that a run may print, None for any. memory: bytes
    that a run may hold at a time, None for any."""

    __slots__ = ("depth", "memory", "output", "seconds", "steps")

    def __init__(
        self,
        steps: int | None = 1_000_000_000,
        depth: int = 100_000,
        seconds: float | None = None,
        output: int | None = OUTPUT,
        memory: int | None = MEMORY,
    ) -> None:
        given = {"steps": steps, "depth": depth, "seconds": seconds, "output": output, "memory": memory}
        for name, value in given.items():
            if value is not None and value <= 0:
                raise ValueError(f"limits: {name} must be positive, not {value}")
        self.steps = steps
        self.depth = depth
        self.seconds = seconds
        self.output = output
        self.memory = memory

    def __repr__(self) -> str:
        return "Limits(" + ", ".join([f"{name}={getattr(self, name)}" for name in NAMES]) + ")"

    def within(self, other: Limits) -> Limits:
        """The narrower of two in each respect."""

        def least(a: float | None, b: float | None) -> float | None:
            return b if a is None else a if b is None else min(a, b)

        steps, output = least(self.steps, other.steps), least(self.output, other.output)
        memory = least(self.memory, other.memory)
        return Limits(
            steps=None if steps is None else int(steps),
            depth=min(self.depth, other.depth),
            seconds=least(self.seconds, other.seconds),
            output=None if output is None else int(output),
            memory=None if memory is None else int(memory),
        )


NAMES = ("steps", "depth", "seconds", "output", "memory")
DEFAULT_LIMITS = Limits()

# For all macros of one source together: they run while a caller waits for the compiler.
EXPANSION_LIMITS = Limits(steps=20_000_000, depth=20_000, seconds=20.0)

# For what a host does with the values of a program.
WORK_LIMITS = Limits(steps=None)

FEW, ENDING = 2_000, 25e-6
"""A run with more machines than this at once ends earlier by so many seconds for each: it takes as long to end one."""
LOOKS = 0.005
"""Seconds between two looks at the memory."""


class Budget:
    """The remaining budget that all machines of one run share: steps, time, output, memory.

    left: steps not handed out, None for any number. deadline: of time.monotonic(), or None. output: bytes that may
    still be printed, or None. machines: those that have steps in hand. held: bytes by which the process has grown
    through the run; worked: seconds for which it has computed. breathed: when others last had their turn. Only the
    thread whose turn it is (see `rtfs.machine.guest_lock`) touches `left`.
    """

    __slots__ = (
        "_looked", "_parked", "_parked_since", "_stood", "breathed", "deadline", "held", "left", "limits", "machines",
        "output", "worked",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.left = limits.steps
        self.deadline = None if limits.seconds is None else monotonic() + limits.seconds
        self.output = limits.output
        self.machines: set[Any] = set()
        self._parked = 0
        self._parked_since = 0.0
        self._stood = 0.0
        self._looked = 0.0
        self.held = 0
        self.worked = 0.0
        self.breathed = monotonic()

    def take(self, most: int) -> int:
        """At most so many steps. Raises LimitError `limit/steps` when there is none left."""
        left = self.left
        if left is None:
            return most
        if left <= 0:
            left = self._reclaimed()
            if left <= 0:
                raise self._out_of_steps()
        size = most if most < left else left
        self.left = left - size
        return size

    def pay(self, steps: int, in_hand: int) -> None:
        """Spend steps at once, by a machine that has `in_hand` steps. Raises LimitError `limit/steps`."""
        if self.left is not None:
            if steps > self.left + in_hand and steps > self._reclaimed():
                raise self._out_of_steps()
            self.left = max(self.left - steps, 0)

    def check_time(self) -> None:
        """Raises LimitError `limit/time` when the run has had its time."""
        if self.deadline is not None and not self._parked and monotonic() > self.deadline:
            raise self.late()

    def look(self) -> float:
        """Look at the clock and, now and then, at the memory; what time it is. Raises LimitError `limit/time`,
        `limit/memory`."""
        now = monotonic()
        if self.deadline is not None and not self._parked:
            many = len(self.machines) - FEW
            if now > (self.deadline if many < 0 else self.deadline - many * ENDING):
                raise self.late()
        since = now - self._looked
        if since >= LOOKS:
            self._looked = now
            if since < 1:  # longer than that it has waited
                self.worked += since
            if memory.due(now):
                self._weigh()
                now = monotonic()  # everything may have been looked through
        return now

    def _weigh(self) -> None:
        held = self.held = max(self.held + memory.grown(), 0)
        memory.set_aside(held)
        most = self.limits.memory
        if most is not None and held > most and self.worked * PACE > most:
            self.held = max(held + memory.collected(), 0)
            if self.held > most:
                raise self.too_much()
        if memory.exhausted():
            memory.collected()
            if memory.exhausted():
                raise self.too_much()

    def too_much(self) -> LimitError:
        """The error of a run that holds too much memory."""
        most = self.limits.memory
        return LimitError(
            "limit/memory",
            "the program needs more memory than there is"
            if most is None or self.held <= most
            else f"the program holds more than {most / (1 << 20):,.0f} MB of memory",
            hint="keep less at a time; the limit is `memory` of `limits:`",
        )

    def beside(self, limits: Limits) -> Budget:
        """A separate budget of steps for work that belongs to the same run, within the same time and memory."""
        other = Budget(limits)
        deadline, seconds = self.deadline, limits.seconds
        if deadline is not None and (other.deadline is None or deadline < other.deadline):
            other.deadline, seconds = deadline, self.limits.seconds
        if seconds != limits.seconds or self.limits.memory != limits.memory:
            other.limits = Limits(limits.steps, limits.depth, seconds, limits.output, self.limits.memory)
        other.held, other.worked, other.breathed = self.held, self.worked, self.breathed
        return other

    def remaining(self) -> float | None:
        """Seconds until the deadline, None without one; while the run is parked it has what it had before."""
        if self.deadline is None:
            return None
        return self.deadline - (self._parked_since if self._parked else monotonic())

    @property
    def parked(self) -> bool:
        """Whether a person is being asked."""
        return self._parked > 0

    def park(self) -> None:
        """Pause the clock while waiting for a person; `unpark` resumes it."""
        if self._parked == 0:
            self._parked_since = monotonic()
        self._parked += 1

    def unpark(self) -> None:
        self._parked -= 1
        if self._parked == 0:
            stood = monotonic() - self._parked_since
            self._stood += stood
            if self.deadline is not None:
                self.deadline += stood

    def stood(self) -> float:
        """Seconds for which time has stood still until now."""
        return self._stood + (monotonic() - self._parked_since if self._parked else 0.0)

    def print(self, text: str) -> None:
        """Count text that is about to be printed. Raises LimitError `limit/output`."""
        if self.output is None:
            return
        self.output -= len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self.output < 0:
            raise LimitError("limit/output", f"the program printed more than {self.limits.output:,} bytes")

    def late(self) -> LimitError:
        """The error of a run that took too long."""
        return LimitError(
            "limit/time",
            f"the program ran longer than {self.limits.seconds or 0:g} s",
            hint="the limit is that of --timeout, or of `limits:` in the configuration",
        )

    def _reclaimed(self) -> int:
        """Steps left after the machines that wait have given back theirs."""
        left = self.left or 0
        for machine in self.machines:
            ticks = machine.ticks
            for _ in ticks:
                left += 1
        self.left = left
        return left

    def _out_of_steps(self) -> LimitError:
        return LimitError(
            "limit/steps",
            f"the program took more than {self.limits.steps or 0:,} steps",
            hint="raise the limit if it is meant to run that long",
        )
