"""An example's README as a script: the commands it shows, each with the output it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
_SHOWN = re.compile(r"^```sh\n(.*?)^```\n\n^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(example: str) -> list[tuple[str, list[str]]]:
    """The commands of an example's README, each with its lines of output."""
    text = (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
    found = [(command.strip(), output.splitlines()) for command, output in _SHOWN.findall(text)]
    assert len(found) == text.count("```sh\n") >= 1, "a command is followed by its output"
    return found


def run(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader of the README would, from the root of the checkout; both outputs in one."""
    shell = f'rtfs() {{ "{sys.executable}" -m rtfs "$@"; }}; python() {{ "{sys.executable}" "$@"; }}; {command}'
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MCP", "RTFS"))}
    return subprocess.run(
        ["bash", "-c", shell],
        cwd=ROOT,
        env={**clean, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def missing(lines: list[str], output: str) -> list[str]:
    """The lines that the output lacks; one that ends in `…` need only begin like that, a lone `…` is no line."""
    given = output.splitlines()
    return [
        line
        for line in lines
        if line != "…" and not any(g.startswith(line[:-1]) if line.endswith("…") else g == line for g in given)
    ]
