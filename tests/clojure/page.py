"""Makes docs/clojure.md: every public name of Clojure's, and whether it is the same here, differs, or is absent.

`python -m tests.clojure.page --write` writes it; without `--write`, the exit status says whether it is up to date.
names.txt holds the names of a real Clojure (`python -m tests.clojure.record --names` records them), differences.txt how
some differ; what to write instead of an absent name comes from the language's own hints, so page and errors agree.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import rtfs
import rtfs.compiler.toplevel
from rtfs.builtins import clojure as namespaces
from rtfs.builtins.declare import FUNCTIONS
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS
from rtfs.syntax.foreign_names import hint_for

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parent.parent / "docs" / "clojure.md"
CORE = "clojure.core"
WIDTH = 118

HEADING = """# Clojure's names

Every public name of Clojure 1.11 in the namespaces that are built in, made by `python -m tests.clojure.page --write`.
What is **the same** takes the arguments that Clojure takes and gives its value; sequence functions give vectors for
vectors, so a result may print as `[1 2]` where Clojure prints `(1 2)`, which are equal. The namespaces have their own
names, any alias of `ns` or `require`, and the usual alias without either. Java's pure methods are in [the
reference](reference.md); what else differs is in [divergences](divergences.md).
"""


def names() -> Iterator[tuple[str, str]]:
    """(namespace, name) of every public name of Clojure's."""
    for line in (FOLDER / "names.txt").read_text(encoding="utf-8").splitlines():
        namespace, _, name = line.partition("/")
        yield namespace, name


def differences() -> dict[str, str]:
    """Full name → how it differs."""
    lines = (FOLDER / "differences.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line and line[0] != "#")  # type: ignore[misc]


def known_names() -> set[str]:
    """The full names that mean something here."""
    namespaces.load_all()
    with rtfs.Runtime() as runtime:
        environment = runtime.environment
        own = {*environment.core, *environment.core_macros(), *SPECIAL_FORMS}
    return {f"{CORE}/{name}" for name in own} | set(FUNCTIONS)


def reason(namespace: str, name: str) -> str | None:
    """Why a name is absent and what to write instead, as the error says it."""
    return hint_for(name if namespace == CORE else f"{namespace}/{name}")


def render() -> str:
    """The page."""
    known, notes = known_names(), differences()
    parts = [HEADING]
    spaces: dict[str, list[str]] = {}
    for namespace, name in names():
        spaces.setdefault(namespace, []).append(name)
    for namespace, found in spaces.items():
        same = [name for name in found if f"{namespace}/{name}" in known and f"{namespace}/{name}" not in notes]
        differ = [name for name in found if f"{namespace}/{name}" in known and f"{namespace}/{name}" in notes]
        absent: dict[str, list[str]] = {}
        for name in found:
            if f"{namespace}/{name}" not in known:
                absent.setdefault(reason(namespace, name) or "", []).append(name)
        parts.append(f"## {namespace}")
        parts.append(f"The same ({len(same)}):\n\n{wrapped(' '.join(map(code, same)))}")
        if differ:
            parts.append(f"Different ({len(differ)}):\n\n" + "\n".join(_different(namespace, differ, notes)))
        if absent:
            count = sum(map(len, absent.values()))
            rows = [f"- {hint}:\n{wrapped(' '.join(map(code, group)), '  ')}" for hint, group in absent.items()]
            parts.append(f"Absent, and what to write ({count}):\n\n" + "\n".join(rows))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _different(namespace: str, found: list[str], notes: dict[str, str]) -> list[str]:
    grouped: dict[str, list[str]] = {}
    for name in found:
        grouped.setdefault(notes[f"{namespace}/{name}"], []).append(name)
    return [f"- {' '.join(map(code, group))}: {note}" for note, group in grouped.items()]


def code(name: str) -> str:
    return f"`{name}`"


def wrapped(text: str, indent: str = "") -> str:
    import textwrap

    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def main(argv: list[str]) -> int:
    text = render()
    if "--write" in argv:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        print(f"{PAGE} is stale: run python -m tests.clojure.page --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
