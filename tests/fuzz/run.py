"""The long mode: `python -m tests.fuzz.run --minutes 10 [--seed N] [--keep FOLDER] [--isolated]`.

A worker process runs one program after the other and says which before each, so that a crash or a hang of the
interpreter is seen and its program kept. With `--isolated` each program runs once, in a sandboxed worker process that
many of them share; else some run again with their calls made opaque to the compiler (`checking.agree`). The exit status
is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import os
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import IO

from tests.fuzz.checking import SECONDS, Finding, Series, agree
from tests.fuzz.programs import any_program

MEMORY = 3 << 30


def work(seed: int, isolated: bool) -> None:
    """The worker: for ever, a line `<seed>` before each program, `<seed> <outcome>` after it."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.fdopen(os.dup(1), "w")
    check = Series().outcome if isolated else agree
    while True:
        print(seed, file=out, flush=True)
        try:
            result = check(any_program(seed))
        except Finding as finding:
            cause = finding.__cause__
            frames = traceback.extract_tb(cause.__traceback__) if cause is not None else []
            inner = cause.__cause__ if cause is not None and cause.__cause__ is not None else None
            if inner is not None:
                frames = traceback.extract_tb(inner.__traceback__)
            where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
            result = f"FOUND {finding}{where}".replace("\n", " ")
        print(seed, result, file=out, flush=True)
        seed += 1


def _line(stream: IO[str], seconds: float) -> str | None:
    """The next line, "" at the end of the stream, None if none came in time."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(seconds):
            return None
    return stream.readline()


def watch(minutes: float, seed: int, keep: Path, isolated: bool = False) -> int:
    """Run workers for so long; the number of different findings. isolated: programs run in worker processes."""
    end = time.monotonic() + 60 * minutes
    outcomes: Counter[str] = Counter()
    found: dict[str, int] = {}

    def note(kind: str, at: int) -> None:
        if kind not in found:
            found[kind] = at
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{at}.rtfs").write_text(any_program(at), encoding="utf-8", errors="surrogatepass")
            print(f"{at}: {kind}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RTFS_CACHE_DIR": str(Path(folder, "units"))}
        while time.monotonic() < end:
            command = [
                sys.executable,
                "-m",
                "tests.fuzz.run",
                "--worker",
                str(seed),
                *(["--isolated"] if isolated else []),
            ]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            ) as worker:
                assert worker.stdout is not None
                stream = os.fdopen(os.dup(worker.stdout.fileno()), encoding="utf-8", buffering=1)
                while time.monotonic() < end:
                    line = _line(stream, SECONDS)
                    if not line:
                        note("hangs" if line is None else f"the interpreter dies ({worker.wait()})", seed)
                        seed += 1
                        break
                    at, _, result = line.rstrip("\n").partition(" ")
                    seed = int(at)
                    if result:
                        seed += 1
                        outcomes[result.split("/", 1)[0] if not result.startswith("FOUND") else "FOUND"] += 1
                        if result.startswith("FOUND"):
                            note(result, seed - 1)
                worker.kill()
                stream.close()
    print(f"{outcomes.total()} programs, next seed {seed}:", dict(outcomes.most_common()), f"{len(found)} findings")
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="fuzz the language")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--keep", type=Path, default=Path(tempfile.gettempdir()) / "rtfs-fuzz", help="folder of findings"
    )
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--isolated", action="store_true", help="programs run in worker processes")
    arguments = parser.parse_args()
    if arguments.worker is not None:
        work(arguments.worker, arguments.isolated)
    return 1 if watch(arguments.minutes, arguments.seed, arguments.keep, arguments.isolated) else 0


if __name__ == "__main__":
    sys.exit(main())
