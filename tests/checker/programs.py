"""The programs of tests/checker/programs and the runtime that they are checked in.

A file holds programs, each ending in a line with `;! code` or `;=> value`; lines that begin with `;;` are headings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import rtfs

FOLDER = Path(__file__).parent / "programs"

TICKET = "[:map [:title :string] [:id :int] [:owner :string ?] [:labels [:vector :string]]]"
TICKETS = '[{:title "slow" :id 7 :labels ["bug" "ui"]} {:title "late" :id 8 :owner "ann" :labels []}]'


class Program(NamedTuple):
    """text: what runs. expected: the code of its error, or the text of its value."""

    text: str
    expected: str


def programs(name: str, marker: str) -> list[Program]:
    """The programs of a file, in its order."""
    found: list[Program] = []
    lines: list[str] = []
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line.startswith(";;") or (not lines and not line.strip()):
            continue
        code, there, expected = line.rpartition(marker)
        if there:
            found.append(Program("\n".join([*lines, code.rstrip()]), expected.strip()))
            lines = []
        else:
            lines.append(line)
    assert not lines, f"{name}: no {marker} after {lines[0]}"
    return found


def new_runtime(done: list[Any]) -> rtfs.Runtime:
    """A runtime with the capabilities of the programs. done: takes what each of their calls was given."""

    def answers(text: str) -> Any:
        value = rtfs.read_value(text)

        def answer(*arguments: Any) -> Any:
            done.append(arguments)
            return value

        return answer

    made = rtfs.Runtime()
    made.register("test.effect", answers("nil"))
    made.register(
        "test.tickets",
        answers(TICKETS),
        input_schema='[:map [:query :string] [:limit :int ?] [:state [:enum "open" "closed"] ?]]',
        output_schema=f"[:vector {TICKET}]",
    )
    made.register(
        "test.save",
        answers("{:ok true :count 2 :note nil}"),
        input_schema="[:map [:item [:map [:name :string] [:tags [:vector :string] ?]]]]",
        output_schema="[:map [:ok :bool] [:count :int] [:note [:union :string :nil]]]",
    )
    made.register("test.any", lambda *arguments: done.append(arguments) or (arguments[0] if arguments else None))
    return made
