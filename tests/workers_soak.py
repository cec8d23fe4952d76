"""The long soak of workers: `python -m tests.workers_soak --minutes 10`. One is killed each second while they advance
two hundred runs of 36 calls; then the turns of two principals with ten thousand runs are counted. Nothing that may not
be repeated is done twice, no run is lost, and each chain of the ledger is whole."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from time import monotonic, sleep

from rtfs.testing.postgres import shared_server
from tests.durable.postgres.test_worker_failures import soak, submitting
from tests.durable.postgres.workers import workers

FEW = 500


def main() -> None:
    """Run both; raises AssertionError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=10_000)
    found = parser.parse_args()
    with (
        shared_server().database() as url,
        submitting(url) as runtime,
        tempfile.TemporaryDirectory() as folder,
        workers(url, Path(folder)) as others,
    ):
        soak(runtime, others, runs=200, calls=18, seconds=found.minutes * 60, pause=1)
    print("killed each second: no run is lost, nothing is done twice, each chain of the ledger is whole", flush=True)
    with shared_server().database() as url, tempfile.TemporaryDirectory() as folder:
        print(f"two principals: {fair(url, Path(folder), found.runs, found.minutes * 60)}", flush=True)


def fair(url: str, folder: Path, runs: int, seconds: float) -> str:
    """Queue so many runs of one principal, then `FEW` of another; how many of each are done when the latter are. Raises
    AssertionError where it is more than twice as many of the one as of the other."""
    with submitting(url) as runtime:
        store = runtime._executor.store
        for who, count in (("many", runs), ("few", FEW)):
            facts = store.look(runtime.submit(f'(call "ask" "{who}")', principal=who)).facts
            for _ in range(count - 1):
                store.create(os.urandom(6).hex(), {**facts, "nonce": os.urandom(6).hex()}).close()
    with workers(url, folder) as others:
        others.start(lease=15)
        ends = monotonic() + seconds
        while sum("few" in line for line in others.made) < FEW:
            assert monotonic() < ends, "they do not end"
            sleep(1)
        made = others.made
    last = max(place for place, line in enumerate(made) if "few" in line)
    many = sum("many" in line for line in made[: last + 1])
    assert many <= 2 * FEW, many
    return f"{many} runs of the one while {FEW} of the other, of {runs} and {FEW}"


if __name__ == "__main__":
    main()
