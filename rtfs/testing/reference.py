"""Makes docs/reference.md from the declarations, and the index of docs/errors from its pages.

`python -m rtfs.testing.reference` says whether both are up to date, with `--write` it makes them. Must not know how
declarations are made. Invariant: the same declarations and pages give the same text, byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rtfs.testing.generated import write_or_compare
from rtfs.testing.language_declarations import Declaration, all_declarations

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE = DOCS / "reference.md"
INDEX = DOCS / "errors" / "README.md"

HEADING = """# Reference

Every special form, macro and function, made from their declarations by `python -m rtfs.testing.reference --write`. In a
shape `?` marks what may be left out, `…` and `&` what may repeat. The examples are run as tests.
"""


def render(declarations: Sequence[Declaration]) -> str:
    """The page."""
    topics: dict[str, list[Declaration]] = {}
    for declared in declarations:
        topics.setdefault(declared.topic, []).append(declared)
    parts = [HEADING, "\n".join(_contents(topic, group) for topic, group in topics.items())]
    for topic, group in topics.items():
        parts.append(f"## {topic}")
        parts += [_entry(declared) for declared in group]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _contents(topic: str, group: Sequence[Declaration]) -> str:
    return f"- **{topic}**: " + " ".join(f"`{declared.name}`" for declared in group)


def _entry(declared: Declaration) -> str:
    lines = [f"### `{declared.name}`", "", f"`{declared.signature}`", "", declared.doc]
    if declared.aliases:
        lines += ["", "Also: " + ", ".join(f"`{alias}`" for alias in declared.aliases) + "."]
    if declared.examples:
        marked = [
            (expression, text if text.startswith(";!") else f";=> {text}") for expression, text in declared.examples
        ]
        examples = [f"{expression} {marker}" for expression, marker in marked]
        lines += ["", "```clojure", *examples, "```"]
    return "\n".join(lines)


def render_index() -> str:
    """The list of the pages of docs/errors, by area."""
    lines = ["# Error codes", "", "A code is stable; a prefix of it catches all codes below: `(catch :session e …)`."]
    area = ""
    for page in sorted(INDEX.parent.glob("*.md")):
        if page == INDEX:
            continue
        heading, _, rest = page.read_text(encoding="utf-8").partition("\n")
        code = heading.removeprefix("# ")
        if code.split("/")[0] != area:
            area = code.split("/")[0]
            lines += ["", f"## {area}", ""]
        first = rest.strip().split("\n")[0]
        lines.append(f"- [`{code}`]({page.name}): {first}")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> int:
    """Write both files (`--write`), or say which is not what it should be (exit status 1)."""
    return write_or_compare(
        ((PAGE, render(all_declarations())), (INDEX, render_index())), "rtfs.testing.reference", argv
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
