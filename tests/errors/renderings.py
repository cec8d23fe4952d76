"""Wrong programs and what is shown for them, side by side in `*.txt` files.

A file holds cases: a line `=== title`, then parts that begin with a line `--- load` (declarations and definitions,
loaded before), `--- plan` (the program) or `--- shows` (the report). `python -m tests.errors.renderings` writes the
reports again: read the difference before keeping it.
"""

from __future__ import annotations

from pathlib import Path

import rtfs
from rtfs.syntax.diagnostics import render

FOLDER = Path(__file__).resolve().parent


class Case:
    """title: what the program does wrong. load: text that is loaded first, or "". plan: the program. shows: the
    report."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: dict[str, list[str]] = {}
        self._error: rtfs.UserError | None = None

    @property
    def shows(self) -> str:
        return "\n".join(self.parts.get("shows", []))

    def text(self) -> str:
        """The case as it is in a file."""
        lines = [f"=== {self.title}"]
        for name in ("load", "plan", "shows"):
            if name in self.parts:
                lines += [f"--- {name}", *self.parts[name]]
        return "\n".join([*lines, "", ""])

    def error(self) -> rtfs.UserError:
        """The error that the program ends with when it runs unchecked; it is run for once."""
        if self._error is None:
            self._error = self._run()
        return self._error

    def _run(self) -> rtfs.UserError:
        with rtfs.Runtime(wording="shell") as runtime:
            try:
                if "load" in self.parts:
                    runtime.load("\n".join(self.parts["load"]), "library.rtfs")
                runtime.run("\n".join(self.parts["plan"]), name="plan.rtfs", timeout=60, check=False)
            except rtfs.UserError as error:
                return error
        raise AssertionError(f"{self.title}: nothing goes wrong")


def cases(path: Path) -> list[Case]:
    """The cases of a file."""
    found: list[Case] = []
    part: list[str] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("=== "):
            found.append(Case(line.removeprefix("=== ")))
        elif line in ("--- load", "--- plan", "--- shows"):
            part = found[-1].parts[line.removeprefix("--- ")] = []
        else:
            part.append(line)
    for case in found:
        for lines in case.parts.values():
            while lines and not lines[-1]:
                lines.pop()
    return found


def files() -> list[Path]:
    """The files of cases."""
    return sorted(FOLDER.glob("*.txt"))


def main() -> None:
    """Write every report again."""
    for path in files():
        found = cases(path)
        for case in found:
            case.parts["shows"] = render(case.error()).split("\n")
        path.write_text("".join(case.text() for case in found).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
