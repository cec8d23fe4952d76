"""Compares the language with a real Clojure: `python -m tests.clojure.compare [--generated N] [--seed N]`.

The recorded values of our own programs must be what Clojure says now, the values here equal to them or listed; then N
programs that hypothesis makes up are run in both. Prints the numbers; the exit status is 1 if anything differs. Needs
the command `clojure`.
"""

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.clojure.generated import RESULTS
from tests.clojure.programs import difference, expected, here, in_clojure, programs, recorded

SHOWN = 20


def generated(count: int, start: int) -> list[str]:
    """So many different programs, the same for the same seed."""
    found: dict[str, None] = {}

    @seed(start)
    @settings(
        max_examples=3 * count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(RESULTS)
    def collect(program: str) -> None:
        if len(found) < count and len(program) < 1_500:
            found[program] = None

    collect()
    return list(found)


def compare(title: str, sources: list[str], answers: list[str]) -> int:
    """Run programs here and print what differs; how many do."""
    listed = expected()
    wrong = [
        found
        for source, answer in zip(sources, answers, strict=True)
        if (found := difference(source, answer, here(source), listed)) is not None
    ]
    for one in wrong[:SHOWN]:
        print(one)
    same = len(sources) - len(wrong)
    print(f"{title}: {same} of {len(sources)} as in Clojure or as listed")
    return len(wrong)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Compare the language with a real Clojure.")
    parser.add_argument("--generated", type=int, default=500, metavar="N")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="N")
    options = parser.parse_args(argv)
    own = programs()
    made = generated(options.generated, options.seed)
    answers = in_clojure([*own, *made])
    kept = recorded()
    stale = [source for source, answer in zip(own, answers, strict=False) if kept.get(source) != answer]
    for source in stale[:SHOWN]:
        print(f"{source}\n  is not what was recorded: run python -m tests.clojure.record")
    wrong = compare("own programs", own, answers[: len(own)])
    wrong += compare(f"generated programs (seed {options.seed})", made, answers[len(own) :])
    return 1 if stale or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
