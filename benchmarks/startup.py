"""Starting: `rtfs run hello.rtfs` with a warm cache against `python -c pass`, time and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import Row

GROUP = "start"
ROUNDS = 21
HELLO = '(defn greet [name] (str "Hello, " name "!"))\n(println (greet "world"))\n'


def run() -> Iterator[Row]:
    """Milliseconds and megabytes of both."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "hello.rtfs"
        program.write_text(HELLO, encoding="utf-8")
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        start = "import sys; from rtfs.cli.main import main; sys.exit(main())"
        commands = [[sys.executable, "-c", start, "run", str(program)], [sys.executable, "-c", "pass"]]
        for command in commands * 2:
            _spend(command, environment)
        samples: list[list[tuple[float, float]]] = [[], []]
        for _ in range(ROUNDS):
            for index, command in enumerate(commands):
                samples[index].append(_spend(command, environment))
    times = [[taken for taken, _ in each] for each in samples]
    sizes = [[size for _, size in each] for each in samples]
    ours, base = (statistics.median(each) * 1e3 for each in times)
    yield Row(
        GROUP,
        "rtfs run hello.rtfs, cached",
        ours,
        "ms",
        base,
        ours / base,
        3.5,
        samples=dict(zip("ab", times, strict=True)),
    )
    ours, base = (statistics.median(each) for each in sizes)
    yield Row(GROUP, "memory of it", ours, "MB", base, ours / base, 2.5, samples=dict(zip("ab", sizes, strict=True)))


def _spend(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and megabytes (largest resident set) of one run."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return taken, usage.ru_maxrss / 1024
