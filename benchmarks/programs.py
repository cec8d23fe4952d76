"""Programs beyond kernels, each in two spellings, beside a hand-written twin in Python, in CPython and in Monty.

The texts are in `idioms/`: `NAME.loop.rtfs` with `loop` and `recur`, `NAME.reduce.rtfs` with `reduce` and its kin,
`NAME.py` the twin, which sets `result`. A twin is what a Python programmer writes: lists and dicts that change. Every
contender gives the same result, checked before anything is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rtfs
from benchmarks.measure import Row, geometric_mean, interleaved
from benchmarks.peers import monty_session

GROUP = "programs"
FOLDER = Path(__file__).parent / "idioms"
SPELLINGS = ("loop", "reduce")


def execute(code: Any) -> Any:
    """The result of a twin in CPython."""
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    return namespace["result"]


def run() -> Iterator[Row]:
    """The rows: each program and spelling beside CPython, then the geometric means beside CPython and Monty."""
    ratios: list[float] = []
    beside_monty: list[float] = []
    with monty_session() as session:
        for path in sorted(FOLDER.glob("*.py")):
            name, twin = path.stem, path.read_text(encoding="utf-8")
            code = compile(twin, "<twin>", "exec")
            expected = comparable(execute(code))
            jobs: list[Any] = []
            for spelling in SPELLINGS:
                text = path.with_name(f"{name}.{spelling}.rtfs").read_text(encoding="utf-8")
                program = rtfs.compile(text, name=f"{name}.rtfs")
                given = rtfs.to_python(value_of(program))
                if given != expected:
                    raise AssertionError(f"{name}, {spelling}: {given!r} is not {expected!r}")
                jobs.append(lambda program=program: value_of(program))
            jobs.append(lambda code=code: execute(code))
            beside = session is not None and "import" not in twin
            if beside:
                jobs.append(lambda twin=twin: session.feed_run(f"{twin}\nresult\n"))
            best = [1e3 * min(samples) for samples in interleaved(jobs)]
            for spelling, value in zip(SPELLINGS, best, strict=False):
                ratios.append(value / best[2])
                note = ""
                if beside:
                    beside_monty.append(value / best[3])
                    note = f"{value / best[3]:.2f}x Monty"
                yield Row(GROUP, f"{name}, {spelling}", value, "ms", best[2], value / best[2], goal=10, note=note)
    mean = geometric_mean(ratios)
    yield Row(GROUP, "geometric mean, beside CPython", mean, "x", 1.0, mean, goal=4.5)
    if beside_monty:
        mean = geometric_mean(beside_monty)
        yield Row(GROUP, "geometric mean, beside Monty", mean, "x", 1.0, mean, goal=1.0)


def comparable(value: Any) -> Any:
    """A twin's result with lists for its tuples."""
    return [comparable(one) for one in value] if isinstance(value, (list, tuple)) else value


def value_of(program: rtfs.Program) -> Any:
    """The value of a program that asks its host for nothing."""
    outcome = rtfs.start(program)
    assert isinstance(outcome, rtfs.Complete)
    return outcome.value
