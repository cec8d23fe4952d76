"""`python -m benchmarks [NAME…] [--json FILE]`: prints a table of ratios, writes everything as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import measure, page
from benchmarks.measure import Row

NAMES = (
    "compute",
    "programs",
    "fresh",
    "flow",
    "hostcall",
    "tasks",
    "json_text",
    "durable",
    "mcp",
    "catalogue",
    "startup",
    "reading",
    "growth",
    "memory",
    "bombs",
    "isolation",
    "gate",
    "editing",
)


BY_NAME = ("agentdojo", "search", "workers")
"""Those that run only when they are named: they take minutes, and count instead of measuring."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios, medians of interleaved rounds.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join((*NAMES, *BY_NAME))}; without one all but {', '.join(BY_NAME)}",
    )
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="take times by the processor, of this process and its children, where the machine does other things too",
    )
    parser.add_argument("--quick", action="store_true", help="three short samples of everything")
    parser.add_argument(
        "--page",
        action="store_true",
        help="write docs/benchmarks.md and its picture (without names: of all benchmarks)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the JSON goes (benchmarks/results/)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in (*NAMES, *BY_NAME)]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join((*NAMES, *BY_NAME))}")
    if options.cpu:
        measure.count_processor_time()
    if options.quick:
        measure.be_quick()
    load = os.getloadavg()[0]
    rows: list[Row] = []
    print(f"{'':40}{'value':>12}{'base':>12}{'ratio':>8}{'goal':>7}")
    group = ""
    for name in options.names or NAMES:
        for row in importlib.import_module(f"benchmarks.{name}").run():
            rows.append(row)
            if row.group != group:
                group = row.group
                print(group)
            print(_line(row), flush=True)
    about = _about(max(load, os.getloadavg()[0]), options)
    _write(options.json or Path(__file__).parent / "results" / f"{time.strftime('%Y%m%d-%H%M%S')}.json", rows, about)
    if options.page:
        page.write(rows, about)
    return 0


def _line(row: Row) -> str:
    base = f"{row.base:,.2f}" if row.base is not None else ""
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
    goal = f"{row.goal:g}" if row.goal is not None else ""
    verdict = {None: "", True: "", False: "  missed"}[row.met]
    verdict += f"  {row.note}" if row.note else ""
    return f"  {row.name:34}{row.value:>11,.2f} {row.unit:4}{base:>9}{ratio:>8}{goal:>7}{verdict}"


def _about(load: float, options: argparse.Namespace) -> dict[str, Any]:
    """What was measured on. load: runnable processes in the last minute."""
    cores = os.cpu_count() or 1
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": cores,
        "time": time.time(),
        "load": load,
        "loaded": load > cores + 0.5,
        "clock": "processor" if options.cpu else "wall",
        "quick": options.quick,
    }


def _write(path: Path, rows: list[Row], about: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": about, "rows": [row.as_json() for row in rows]}, indent=1), encoding="utf-8")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    sys.exit(main())
