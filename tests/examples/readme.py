"""An example's README as a script: the commands it shows, each with the output it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
FOLDERS = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
FETCHING = {"notes"}
"""Examples that fetch npm packages."""
CODES = {"rtfs run examples/governed/plan.rtfs": 3}
"""Exit codes that are not 0."""
_SHOWN = re.compile(r"^```sh\n(.*?)^```\n\n^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(example: str) -> list[tuple[str, list[str]]]:
    """The commands of an example's README, each with its lines of output."""
    text = (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
    found = [(command.strip(), output.splitlines()) for command, output in _SHOWN.findall(text)]
    assert len(found) == text.count("```sh\n") >= 1, "a command is followed by its output"
    assert text.count("```") == 4 * len(found), "every block is a command or its output"
    return found


def problem(command: str, lines: list[str], python: str = sys.executable, folder: Path = ROOT) -> str:
    """Run a command as a reader of the README would; what is wrong with what it gives, or "".

    folder: where `examples/` is. python: whose rtfs is meant; the checkout's own if it is this one.
    """
    shell = f'rtfs() {{ "{python}" -m rtfs "$@"; }}; python() {{ "{python}" "$@"; }}; {command}'
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MCP", "RTFS", "PYTHONPATH"))}
    if python == sys.executable:
        env["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        ["bash", "-c", shell],
        cwd=folder,
        env={**env, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    lacking = missing(lines, done.stdout)
    if lacking or done.returncode != CODES.get(command, 0):
        return f"$ {command}\n{done.stdout}exit code {done.returncode}, without: {lacking}"
    return ""


def missing(lines: list[str], output: str) -> list[str]:
    """The lines that the output lacks; one that ends in `…` need only begin like that, a lone `…` is no line."""
    given = output.splitlines()
    return [
        line
        for line in lines
        if line != "…" and not any(g.startswith(line[:-1]) if line.endswith("…") else g == line for g in given)
    ]
