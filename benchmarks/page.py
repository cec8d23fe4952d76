"""`docs/benchmarks.md` and `docs/benchmarks.svg`: what one run of the benchmarks found, beside the goals.

Knows nothing of what was measured. Invariant: page and picture say of what machine, and under what load, they are.
"""

from __future__ import annotations

import math
import time
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.measure import Row

DOCS = Path(__file__).parents[1] / "docs"
LINE, LEFT, WIDTH = 18, 330, 420
"""Pixels: height of a line, width of the names, width of the bars."""
LEAST, MOST = 0.1, 10.0
"""Ends of the scale: the found over the goal."""


def write(rows: list[Row], about: dict[str, Any]) -> None:
    """Write the page and the picture."""
    (DOCS / "benchmarks.svg").write_text(picture(rows, about), encoding="utf-8")
    (DOCS / "benchmarks.md").write_text(text(rows, about), encoding="utf-8")


def of_goal(row: Row) -> float | None:
    """How many times the goal is what was found, so that 1 and less is met; None without a goal."""
    if row.goal is None:
        return None
    found = row.value if row.ratio is None else row.ratio
    return found / row.goal if row.better == "less" else row.goal / max(found, 1e-9)


def circumstances(about: dict[str, Any]) -> str:
    """What was measured on, in one sentence."""
    day = time.strftime("%Y-%m-%d", time.gmtime(about["time"]))
    machine = "loaded" if about["loaded"] else "quiet"
    clock = "processor time" if about["clock"] == "processor" else "wall clock"
    return (
        f"{day}, Python {about['python']}, {about['cores']} cores, a {machine} machine "
        f"(load {about['load']:.1f}), {clock}{', three short samples' if about['quick'] else ''}"
    )


def picture(rows: list[Row], about: dict[str, Any]) -> str:
    """An SVG with a bar for each row that has a goal."""
    shown = [(row, found) for row in rows if (found := of_goal(row)) is not None]
    groups = list(dict.fromkeys(row.group for row, _ in shown))
    height = LINE * (len(shown) + len(groups) + 4)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="10" y="{LINE}" font-size="14">What was found over its goal: left of the line it is met</text>',
        f'<text x="10" y="{2 * LINE}" fill="#555555">{escape(circumstances(about))}</text>',
    ]
    y = 3 * LINE
    top = y
    for group in groups:
        parts.append(f'<text x="10" y="{y + 13}" font-weight="bold">{escape(group)}</text>')
        y += LINE
        for row, found in shown:
            if row.group == group:
                parts.append(_bar(row, found, y))
                y += LINE
    for mark in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0):
        x, colour = _place(mark), "#000000" if mark == 1 else "#cccccc"
        parts.append(f'<line x1="{x}" y1="{top}" x2="{x}" y2="{y}" stroke="{colour}"/>')
        parts.append(f'<text x="{x}" y="{y + 14}" text-anchor="middle" fill="#555555">{mark:g}x</text>')
    return "\n".join([*parts, "</svg>", ""])


def _bar(row: Row, found: float, y: int) -> str:
    colour = "#3a7d44" if found <= 1 else "#c0562b"
    middle, end = _place(1.0), _place(found)
    value = f"{row.value:,.3g} {row.unit}" if row.ratio is None else f"{row.ratio:.2f}x"
    return (
        f'<text x="20" y="{y + 13}">{escape(row.name)}</text>'
        f'<rect x="{min(middle, end)}" y="{y + 3}" width="{max(abs(end - middle), 2)}" height="{LINE - 6}" '
        f'fill="{colour}"/>'
        f'<text x="{LEFT + WIDTH + 10}" y="{y + 13}">{escape(value)}</text>'
    )


def _place(found: float) -> int:
    """The pixel of a number on the scale, which is logarithmic."""
    share = math.log(min(max(found, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + round(share * WIDTH)


def text(rows: list[Row], about: dict[str, Any]) -> str:
    """The page, in Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks --page`; do not edit it. `python -m benchmarks NAME…` runs some, with",
        "`--cpu` times are the processor's. Contenders take turns within one run, so ratios say more than times. Peers",
        "(Monty, the official MCP SDK, fastmcp) are measured where they are installed (extra `bench`).",
        "",
        f"Measured: {circumstances(about)}.",
    ]
    if about["loaded"]:
        lines.append("Other work ran on the machine at the same time, so single figures may be off by a half.")
    lines += ["", "![What was found over its goal](benchmarks.svg)", ""]
    for group in dict.fromkeys(row.group for row in rows):
        lines += [f"## {group[:1].upper()}{group[1:]}", "", "| what | found | base | ratio | goal | met |"]
        lines.append("|---|---|---|---|---|---|")
        for row in rows:
            if row.group == group:
                base = "" if row.base is None else f"{row.base:,.4g} {row.unit}"
                ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
                goal = "" if row.goal is None else f"{'≤' if row.better == 'less' else '≥'} {row.goal:g}"
                met = {None: "", True: "yes", False: "no"}[row.met]
                lines.append(f"| {row.name} | {row.value:,.4g} {row.unit} | {base} | {ratio} | {goal} | {met} |")
        lines.append("")
    return "\n".join(lines)
