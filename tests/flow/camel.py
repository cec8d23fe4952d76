"""CaMeL's interpreter (arXiv 2503.18813) as an oracle of labels: the same programs in its subset of Python and in RTFS.

`python -m tests.flow.camel --source FOLDER [--count 100]`, with a checkout of google-research/camel-prompt-injection
(and `pip install agentdojo pydantic-ai-slim`). For each program the sources of the sink's argument, with what decided
about it, are compared: where a source of ours is unknown to CaMeL, or the other way round, the program is printed with
the reason that is expected of it. The exit status is 1 for a difference without one.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flow.test_reference import labels

TOOLS = {"src_open": "src.open", "src_secret": "src.secret"}
Pair = tuple[str, str]


class Maker:
    """Random programs in both languages, as (RTFS, Python). picks: elements were taken out of collections, so that what
    their neighbours come from may be counted or not. lists: standard functions got lists, or arguments: in CaMeL a
    container has what its elements depend on, but not the source of an element that is itself an answer."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: list[str] = []
        self.lines: list[Pair] = []
        self.picks = self.lists = False

    def program(self) -> Pair:
        """A call of the sink, after some definitions."""
        for number in range(self.random.randrange(3)):
            rtfs, python = self.number(2)
            self.lines.append((f"x{number} {rtfs}", f"x{number} = {python}"))
            self.names.append(f"x{number}")
        rtfs, python = self.number(2)
        bound = " ".join(one for one, _ in self.lines)
        lines = [*[one for _, one in self.lines], f"sink(value={python})"]
        return f'(let [{bound}] (call "sink" {{:value {rtfs}}}))', "\n".join(lines)

    def number(self, depth: int) -> Pair:
        if depth <= 0:
            plain: list[Pair] = [("1", "1"), ("2", "2"), *[(name, name) for name in self.names]]
            calls = [('(call "src.open")', "src_open()"), ('(call "src.secret")', "src_secret()")]
            return self.random.choice([*plain, *calls])
        a, b, c, d = [self.number(depth - 1) for _ in range(4)]
        kind = self.random.randrange(8)
        if kind == 0:
            return f"(+ {a[0]} {b[0]})", f"({a[1]} + {b[1]})"
        if kind == 1:
            test = f"(< {a[0]} {b[0]})", f"({a[1]} < {b[1]})"
            return f"(if {test[0]} {c[0]} {d[0]})", f"({c[1]} if {test[1]} else {d[1]})"
        if kind == 2:
            self.picks = True
            return f"(nth [{a[0]} {b[0]} {c[0]}] 1)", f"[{a[1]}, {b[1]}, {c[1]}][1]"
        if kind == 3:
            self.picks = True
            return f'(get {{"a" {a[0]} "b" {b[0]}}} "a")', f'{{"a": {a[1]}, "b": {b[1]}}}["a"]'
        if kind == 4:
            self.lists = True
            return f"(max {a[0]} {b[0]})", f"max({a[1]}, {b[1]})"
        if kind == 5:
            self.lists = True
            return f"(reduce + 0 [{a[0]} {b[0]}])", f"sum([{a[1]}, {b[1]}])"
        if kind == 6:
            self.picks = self.lists = True
            return f"(first (sort [{a[0]} {b[0]}]))", f"sorted([{a[1]}, {b[1]}])[0]"
        self.picks = True
        return f"(nth (mapv (fn [n] (+ n {c[0]})) [{a[0]} {b[0]}]) 1)", f"[(n + {c[1]}) for n in [{a[1]}, {b[1]}]][1]"


def camel_of(folder: Path) -> Callable[[str], tuple[Any, frozenset[str]] | None]:
    """What runs a Python program in CaMeL: the value that reaches the sink, and its sources; None if none does."""
    sys.path.insert(0, str(folder / "src"))
    from camel.capabilities import Capabilities  # type: ignore[import-not-found]
    from camel.capabilities.sources import Tool  # type: ignore[import-not-found]
    from camel.capabilities.utils import get_all_sources  # type: ignore[import-not-found]
    from camel.interpreter import interpreter, value  # type: ignore[import-not-found]
    from camel.interpreter import namespace as namespaces
    from camel.security_policy import Allowed  # type: ignore[import-not-found]

    found: list[tuple[Any, frozenset[str]]] = []

    class Engine:
        policies = ()
        no_side_effect_tools = frozenset[str]()

        def check_policy(self, tool_name: str, kwargs: Any, dependencies: Any) -> Any:
            if tool_name == "sink":
                parts = [kwargs["value"], *dependencies]
                sources = frozenset().union(*[get_all_sources(part)[0] for part in parts])
                names = {one.tool_name for one in sources if isinstance(one, Tool)}
                found.append((kwargs["value"].raw, frozenset(TOOLS[name] for name in names & TOOLS.keys())))
            return Allowed()

    def src_open() -> int:
        return 3

    def src_secret() -> int:
        return 5

    def sink(value: int) -> int:
        return value

    tools = {
        one.__name__: value.CaMeLFunction(one.__name__, one, Capabilities.camel(), ())
        for one in (src_open, src_secret, sink)
    }
    options = interpreter.EvalArgs(Engine(), interpreter.MetadataEvalMode.STRICT)

    def run(text: str) -> tuple[Any, frozenset[str]] | None:
        found.clear()
        code = f"```python\n{text}\n```"
        interpreter.parse_and_interpret_code(code, namespaces.Namespace.with_builtins(tools), [], [], options)
        return found[0] if found else None

    return run


def difference(ours: frozenset[str], theirs: frozenset[str], made: Maker) -> str:
    """Why the two may differ, "" if they do not; "unexplained" for no reason."""
    reasons = []
    if theirs - ours:
        reasons.append("CaMeL gives a picked element what its neighbours come from" if made.picks else "unexplained")
    if ours - theirs:
        reasons.append("CaMeL loses the source of what is in a list, or given to max" if made.lists else "unexplained")
    return "unexplained" if "unexplained" in reasons else "; ".join(reasons)


def main() -> int:
    parser = argparse.ArgumentParser(description="compare labels with CaMeL's")
    parser.add_argument("--source", type=Path, required=True, help="a checkout of camel-prompt-injection")
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    camel = camel_of(arguments.source)
    seen: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for seed in range(arguments.count):
        made = Maker(seed)
        ours_text, theirs_text = made.program()
        theirs = camel(theirs_text)
        ours = labels(ours_text, 5, pytest.MonkeyPatch())
        if theirs is None or ours is None:
            seen["unexplained"] += 1
            print(f"{seed}: nothing reaches the sink\n{ours_text}\n{theirs_text}\n{ours} {theirs}")
            continue
        sources = (ours[0] | ours[1]) & frozenset(TOOLS.values())
        why = difference(sources, theirs[1], made)
        seen[why or "same sources"] += 1
        verdicts["same" if ("src.secret" in sources) == ("src.secret" in theirs[1]) else "another"] += 1
        if why:
            print(f"{seed}: {why}: ours {sorted(sources)}, CaMeL {sorted(theirs[1])}\n  {ours_text}\n  {theirs_text!r}")
    print(f"{arguments.count} programs:", dict(seen), "verdicts:", dict(verdicts))
    return 1 if seen["unexplained"] else 0


if __name__ == "__main__":
    sys.exit(main())
