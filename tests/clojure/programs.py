"""Programs with the values that a real Clojure gives, and how the language's own values compare with them.

Invariant: a value is compared by the language's `=` with what Clojure printed, read as data; where the two differ on
purpose, the program is in expected.txt with the value here and the reason.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import rtfs

FOLDER = Path(__file__).resolve().parent
PROGRAMS = FOLDER / "programs.txt"
RECORDED = FOLDER / "recorded.jsonl"
EXPECTED = FOLDER / "expected.txt"
ERROR = "! "


def programs() -> list[str]:
    """The programs of our own, one a line."""
    return [line for line in PROGRAMS.read_text(encoding="utf-8").splitlines() if line.strip()]


def recorded() -> dict[str, str]:
    """Program → what Clojure printed, or `! Class` for an error."""
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    return {row["source"]: row["clojure"] for row in map(json.loads, lines)}


def expected() -> dict[str, tuple[str, str]]:
    """Program → (value here, why it differs)."""
    found = {}
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        if line and line[0] != "#":
            source, value, why = line.split("\t")
            found[source] = (value, why)
    return found


def in_clojure(sources: list[str]) -> list[str]:
    """What a real Clojure prints for each program. Needs the command `clojure`."""
    with tempfile.NamedTemporaryFile("w", suffix=".edn", encoding="utf-8", delete=False) as file:
        file.writelines(rtfs.to_text(source) + "\n" for source in sources)
    try:
        command = ["clojure", str(FOLDER / "run.clj"), file.name]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    finally:
        Path(file.name).unlink()
    answers = [str(rtfs.read_value(line)) for line in run.stdout.splitlines()]
    if len(answers) != len(sources):
        raise RuntimeError(f"Clojure answered {len(answers)} of {len(sources)} programs: {run.stderr[-2000:]}")
    return answers


def here(source: str) -> str:
    """What the language prints for a program, or `! code` for an error."""
    with rtfs.Runtime() as runtime:
        try:
            return rtfs.to_text(runtime.run(source, limits={"steps": 5_000_000, "seconds": 10}))
        except rtfs.UserError as error:
            return ERROR + error.code


def agree(clojure: str, own: str) -> bool:
    """Whether two printed values are equal, or both are errors."""
    if clojure.startswith(ERROR) or own.startswith(ERROR):
        return clojure.startswith(ERROR) and own.startswith(ERROR)
    if clojure == own:
        return True
    try:
        return rtfs.equal(rtfs.read_value(clojure), rtfs.read_value(own))
    except rtfs.UserError:
        return False


def overflows(clojure: str, own: str) -> bool:
    """Whether Clojure gave up for want of bits: here ints have any size."""
    return clojure == ERROR + "ArithmeticException" and not own.startswith(ERROR)


def difference(source: str, clojure: str, own: str, listed: dict[str, tuple[str, str]]) -> str | None:
    """What is wrong with a program's value: neither Clojure's nor the listed one; None if nothing is."""
    if source in listed:
        value, why = listed[source]
        return None if agree(value, own) else f"{source}\n  listed  {value} ({why})\n  here    {own}"
    return None if agree(clojure, own) or overflows(clojure, own) else f"{source}\n  Clojure {clojure}\n  here    {own}"
