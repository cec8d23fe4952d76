"""Limits of a run, and the iterator of steps that generated code draws from.

A program cannot catch a limit. Units: steps are entries of functions that could recur, and rounds of loops.
"""

from __future__ import annotations


class Limits:
    """steps: in all, None for any number. depth: nested calls of RTFS functions. seconds: of wall clock for the whole
    run, waiting for the host included, None for any."""

    __slots__ = ("depth", "seconds", "steps")

    def __init__(self, steps: int | None = 1_000_000_000, depth: int = 100_000, seconds: float | None = None) -> None:
        for name, value in (("steps", steps), ("depth", depth), ("seconds", seconds)):
            if value is not None and value <= 0:
                raise ValueError(f"limits: {name} must be positive, not {value}")
        self.steps = steps
        self.depth = depth
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"Limits(steps={self.steps}, depth={self.depth}, seconds={self.seconds})"

    def within(self, other: Limits) -> Limits:
        """The narrower of two in each respect."""

        def least(a: float | None, b: float | None) -> float | None:
            return b if a is None else a if b is None else min(a, b)

        steps = least(self.steps, other.steps)
        return Limits(
            steps=None if steps is None else int(steps),
            depth=min(self.depth, other.depth),
            seconds=least(self.seconds, other.seconds),
        )


DEFAULT_LIMITS = Limits()

# For macros: they run while somebody waits for the compiler.
EXPANSION_LIMITS = Limits(steps=5_000_000, depth=20_000, seconds=20.0)
