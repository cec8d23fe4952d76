"""Kills a run of `victim.py` again and again and resumes it to its end; says what is not as it should be.

`python tests/durable/killing.py [RUNS] [SEED] [postgres]` does so RUNS times (200), the kills spread over all
boundaries; the journals are in a folder, or in PostgreSQL.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rtfs
from rtfs.host.durable.codec import decode
from rtfs.host.durable.folder_store import FolderRunStore

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VALUE = "[30 [30 40 110] 140 630 280 :capability/failed [30 [30 40 110]] 170]"
CALLS = sorted([*range(1, 7), 7, 7, *range(8, 14), 14, 14, -1, 17])
MAYBE = (15, 16)
"""Made before the branch beside them failed, or not."""
CALLS_MADE, COMMITS = 19, 23
MOST = 60


def points(count: int, seed: int) -> list[list[str]]:
    """Lists of points for `count` runs: one kill each at every boundary in turn, then several at random ones."""
    made = [
        f"{kind}:{number}:{where}"
        for kind, most in (("call", CALLS_MADE), ("commit", COMMITS))
        for number in range(1, most + 1)
        for where in ("before", "after")
    ]
    luck = random.Random(seed)
    luck.shuffle(made)
    lists = [[point] for point in made[:count]]
    while len(lists) < count:
        lists.append([luck.choice(made) for _ in range(luck.randint(2, 4))])
    return lists


def survive(folder: Path, kills: list[str], database: str = "") -> str:
    """Run to the end through these kills; what went wrong, or "" if nothing did. database: where the journal is, else
    in the folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    store = _store(folder, database)

    def start(*words: str) -> subprocess.CompletedProcess[str]:
        if database:
            _release(database)
        command = [sys.executable, str(HERE / "victim.py"), str(folder), *words]
        if database:
            environment["VICTIM_STATE"] = database
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    left = list(kills)
    found = start("run", left.pop(0))
    for _ in range(MOST):
        if found.returncode == 0:
            break
        if found.returncode not in (-9, 5):
            return f"exit code {found.returncode}: {found.stdout}{found.stderr}"
        resolution: list[str] = []
        if found.returncode == 5:  # a person finds out whether the call was made, and says so
            path = found.stdout.split(" call ", 1)[1].split(" ", 1)[0]
            n = _argument(store, path)
            made = _done(folder).count(n) - _known(store, n)
            if n < 0 and made:
                return ""  # an error cannot be given as a result; that it stopped is what matters
            resolution = [path, str(n * 10) if made else "retry"]
        if not _begun(store):
            (folder / "done").unlink(missing_ok=True)
            found = start("run", "never")
        else:
            found = start("resume", left.pop(0) if left else "never", *resolution)
    else:
        return "it did not end"
    if found.stdout.strip() != VALUE:
        return f"the value is {found.stdout.strip()}"
    done = sorted(_done(folder))
    rest = [n for n in done if n not in MAYBE]
    return "" if rest == CALLS and all(done.count(n) <= 1 for n in MAYBE) else f"these calls were made: {done}"


def _store(folder: Path, database: str) -> Any:
    if not database:
        return FolderRunStore(str(folder))
    from rtfs.host.durable.postgres.store import PostgresRunStore

    return PostgresRunStore(database)


def _release(database: str) -> None:
    """The leases of dead processes run out."""
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE rtfs.run SET beat_at = now() - interval '1 minute'")


def _begun(store: Any) -> bool:
    try:
        store.look("victim")
    except rtfs.HostError:
        return False
    return True


def _done(folder: Path) -> list[int]:
    try:
        return [int(line) for line in (folder / "done").read_text().split()]
    except FileNotFoundError:
        return []


def _events(store: Any) -> list[tuple[str, str, str]]:
    events = store.look("victim").events
    return [(event.kind, event.path, event.value) for event in events]


def _argument(store: Any, path: str) -> int:
    """n of the call at a path."""
    return next(_n(value) for kind, at, value in _events(store) if kind == "call" and at == path)


def _known(store: Any, n: int) -> int:
    """How many calls with this n have a recorded outcome."""
    events = _events(store)
    ended = {path for kind, path, _ in events if kind in ("outcome", "error")}
    return sum(1 for kind, path, value in events if kind == "call" and path in ended and _n(value) == n)


def _n(encoded: str) -> int:
    found = decode(encoded)[0]
    return int(found.get(rtfs.Keyword("n"))) if isinstance(found, rtfs.Map) else 0


@contextmanager
def _database(wanted: bool) -> Iterator[str]:
    """The address of a new database; "" where none is wanted."""
    if not wanted:
        yield ""
        return
    from rtfs.testing.postgres import database

    with database() as url:
        yield url


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    wrong = 0
    for number, kills in enumerate(points(count, seed), 1):
        with tempfile.TemporaryDirectory() as folder, _database("postgres" in sys.argv[3:]) as database:
            problem = survive(Path(folder), kills, database)
        if problem:
            wrong += 1
            print(f"run {number}, killed at {', '.join(kills)}: {problem}", flush=True)
    print(f"{count} runs, seed {seed}: {wrong} went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
