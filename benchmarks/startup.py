"""Starting: `rtfs run hello.rtfs` with a warm cache against `python -c pass`, time and memory."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Row, counts_processor_time

GROUP = "start"
ROUNDS = 21
HELLO = '(defn greet [name] (str "Hello, " name "!"))\n(println (greet "world"))\n'


RTFS = "import sys; from rtfs.cli.main import command; sys.exit(command())"
"""What the console script does."""
PROGRAM = "import sys; from rtfs.cli.main import main; sys.exit(main())"
"""The same for a program that continues, and says how much memory there was."""
MEMORY = """
try:
    {job}
finally:
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            import os; os.write(2, line.encode())
"""


def run() -> Iterator[Row]:
    """Milliseconds and megabytes of both."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "hello.rtfs"
        program.write_text(HELLO, encoding="utf-8")
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # warm is warm
        ours = [sys.executable, "-c", RTFS, "run", str(program)]
        base = [sys.executable, "-c", "pass"]
        yield _row(
            "rtfs run hello.rtfs, cached", "ms", 3.0, ROUNDS, lambda c: _milliseconds(c, environment), ours, base
        )
        ours[2], base[2] = (MEMORY.format(job=job) for job in (PROGRAM, "pass"))
        yield _row("memory of it", "MB", 2.5, 5, lambda c: _megabytes(c, environment), ours, base)


def _row(
    name: str,
    unit: str,
    goal: float,
    rounds: int,
    measure: Callable[[list[str]], float],
    ours: list[str],
    base: list[str],
) -> Row:
    for command in (ours, base) * 2:
        measure(command)
    samples: dict[str, list[float]] = {"ours": [], "base": []}
    for _ in range(rounds):
        samples["ours"].append(measure(ours))
        samples["base"].append(measure(base))
    value, other = statistics.median(samples["ours"]), statistics.median(samples["base"])
    return Row(GROUP, name, value, unit, other, value / other, goal, samples=samples)


def _milliseconds(command: list[str], environment: dict[str, str]) -> float:
    started = _clock()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (_clock() - started) * 1e3


def _clock() -> float:
    """Seconds: of the wall clock, or what the processor has worked for the commands that have ended."""
    if not counts_processor_time():
        return time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _megabytes(command: list[str], environment: dict[str, str]) -> float:
    """The largest resident set, as the process itself sees it: what `wait4` says includes that of its parent."""
    done = subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True
    )
    return int(done.stderr.split("VmHWM:")[1].split()[0]) / 1024
