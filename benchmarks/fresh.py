"""Plans never seen before: from text to result, the gate, policy and limits included, beside Monty and CPython.

The plans are in `benchmarks/plans/`, each with a twin in Python that gives the same result; a comment with a new number
makes a text new. Those in `plans/other/` are written in other ways (`loop` and `recur`, threading, nested calls, deep
patterns, comprehensions): they show what was tuned to the first twelve. Monty runs the twin in one session of a warm
worker, CPython compiles and executes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import rtfs
from benchmarks.measure import Row, interleaved
from benchmarks.peers import monty_session

GROUP = "fresh plans"
_FOLDER = Path(__file__).parent / "plans"
PLANS = sorted(_FOLDER.glob("*.rtfs"))
OTHERS = sorted((_FOLDER / "other").glob("*.rtfs"))
ROUNDS = 7

_ORDERS = [
    {"id": n, "user": n % 3, "item": item, "price": price, "count": many, "status": status}
    for n, (item, price, many, status) in enumerate(
        [("pen", 3, 10, "open"), ("desk", 250, 1, "open"), ("lamp", 40, 2, "paid"), ("chair", 90, 4, "open")]
    )
]
DATA: dict[str, Any] = {
    "user": {"name": "Ann", "active": True, "limit": 300, "address": {"city": "Bonn"}},
    "users": [{"id": 0, "name": "Ann"}, {"id": 1, "name": "Bob"}],
    "orders": _ORDERS,
    "stock": [{"item": "pen", "free": 100}, {"item": "desk", "free": 1}, {"item": "chair", "free": 2}],
    "tickets": [
        {"id": 1, "kind": "bug", "outage": False, "text": "it does not start after the update"},
        {"id": 2, "kind": "billing", "outage": False, "text": "wrong sum"},
        {"id": 3, "kind": "bug", "outage": True, "text": "all down"},
        {"id": 4, "kind": "other", "outage": False, "text": "hello"},
    ],
    "mails": [
        {"from": "bob", "subject": "Lunch", "read": True},
        {"from": "eve", "subject": "URGENT Server down", "read": False},
        {"from": "ann", "subject": "Notes", "read": False},
    ],
    "events": [
        {"kind": "order", "amount": 250},
        {"kind": "order", "amount": 20},
        {"kind": "refund", "reason": "broken"},
        {"kind": "ping"},
    ],
    "crm": [
        {"email": "a@x.org", "name": "Ann", "phone": "1"},
        {"email": "b@x.org", "name": "Bob", "phone": None},
    ],
    "shop": [
        {"email": "a@x.org", "name": "Ann", "phone": "2"},
        {"email": "c@x.org", "name": "Cleo", "phone": "3"},
    ],
    "page": "the quick brown fox jumps over the lazy brown dog while another brown fox sleeps",
    "calendar-ann": [[9, 11], [13, 14]],
    "calendar-bob": [[9, 10], [11, 12]],
    "calendar-eve": [[12, 15]],
}


def get(name: str) -> Any:
    """What a plan reads."""
    if name not in DATA:
        raise ValueError(f"there is no {name}")
    return DATA[name]


def put(_: Any) -> str:
    """What a plan writes."""
    return "ok"


def runtime(flow: Any = ()) -> rtfs.Runtime:
    """A runtime whose capabilities answer as `get` and `put`, with values made beforehand. flow: its flow rules."""
    values = {name: rtfs.from_python(value, keywords=True) for name, value in DATA.items()}

    def fetch(name: str) -> Any:
        if name not in values:
            raise rtfs.HostError(f"there is no {name}")
        return values[name]

    made = rtfs.Runtime(allow=["bench.*"], flow=flow)
    made.register("bench.get", fetch)
    made.register("bench.put", put)
    return made


def execute(text: str) -> Any:
    """The result of a twin in CPython."""
    namespace: dict[str, Any] = {"get": get, "put": put}
    exec(compile(text, "<plan>", "exec"), namespace)
    return namespace["result"]


def contenders(rt: rtfs.Runtime, session: Any, plans: list[Path]) -> list[tuple[str, Callable[[], object], ...]]:
    """For each plan its name and jobs: ours, CPython's, and Monty's where it is installed."""
    numbers = count()
    found = []
    for path in plans:
        ours, twin = path.read_text(encoding="utf-8"), path.with_suffix(".py").read_text(encoding="utf-8")
        expected = execute(twin)
        given = rtfs.to_python(rt.run(ours))
        if given != expected:
            raise AssertionError(f"{path.stem}: {given!r} is not {expected!r}")

        def run(text: str = ours) -> object:
            return rt.run(f"{text}; {next(numbers)}\n")

        def python(text: str = twin) -> object:
            return execute(f"{text}# {next(numbers)}\n")

        def monty(text: str = twin) -> object:
            functions = {"get": get, "put": put}
            return session.feed_run(f"{text}result  # {next(numbers)}\n", external_lookup=functions)

        jobs: list[Callable[[], object]] = [run, python]
        if session is not None:
            if monty() != expected:
                raise AssertionError(f"{path.stem} in Monty")
            jobs.append(monty)
        found.append((path.stem, *jobs))
    return found


def run() -> Iterator[Row]:
    """The rows: each plan beside CPython, then the means beside CPython and Monty; then those of the other plans."""
    with runtime() as rt, monty_session() as session:
        for plans, which in ((PLANS, "mean"), (OTHERS, "other ways of writing: mean")):
            totals: list[list[float]] = []
            for name, *jobs in contenders(rt, session, plans):
                best = [1e6 * min(samples) for samples in interleaved(jobs, ROUNDS)]
                totals.append(best)
                yield Row(GROUP, name, best[0], "µs", best[1], best[0] / best[1])
            means = [sum(column) / len(totals) for column in zip(*totals, strict=True)]
            yield Row(GROUP, f"{which}, beside CPython", means[0], "µs", means[1], means[0] / means[1], goal=4.5)
            if session is not None:
                yield Row(GROUP, f"{which}, beside Monty", means[0], "µs", means[2], means[0] / means[2], goal=1.5)
