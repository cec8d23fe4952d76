"""Every golden plan gives the same calls, values and errors on both stores."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.testing.command import load
from rtfs.testing.stubs import Stubs, read

FILES = sorted((Path(__file__).parent.parent.parent / "golden").glob("*.test.rtfs"))
QUICK = "&options=-c%20synchronous_commit%3Doff"
"""What is compared here does not depend on when it is on the disk."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".test.rtfs"))
def test_plans_do_the_same_on_both_stores(path: Path, tmp_path: Path, database: str) -> None:
    places = (str(tmp_path), database + ("" if "?" in database else "?") + QUICK)
    folder, postgres = [_all(path, place) for place in places]
    assert folder
    assert postgres == folder


def _all(path: Path, place: str) -> list[Any]:
    """What each chunk of a golden file gives, as a durable run, and its journal."""
    found = []
    file = load(path)
    with rtfs.Runtime(state=place) as runtime:
        stubs: list[Stubs] = [Stubs([])]
        known: set[str] = set()
        for number, chunk in enumerate(file.chunks):
            stubs[0] = Stubs(chunk.stubs)
            for name in {stub.id for stub in chunk.stubs} - known:
                known.add(name)
                runtime.register(name, _stubbed(stubs, name), replace=True)
            context = None if chunk.context is None else _context(chunk)
            program = "\n".join(file.text[step.start : step.end] for step in chunk.steps)
            found.append(_one(runtime, program, context, f"{path.name.split('.')[0]}-{number}"))
    return found


def _stubbed(stubs: list[Stubs], name: str) -> Any:
    return lambda *arguments: stubs[0].answer(name, arguments)


def _context(chunk: Any) -> dict[str, Any]:
    return {getattr(name, "name", name): value for name, value in read(chunk.context, chunk.line).items()}


def _one(runtime: Any, program: str, context: Any, run_id: str) -> Any:
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            given = rtfs.to_text(runtime.run(program, context=context, durable=True, run_id=run_id, check=False))
    except rtfs.UserError as error:
        given = f"{error.code}: {error.message}"
    try:
        view = runtime._executor.store.look(run_id)
    except rtfs.UserError as error:  # a program that does not compile leaves no journal
        return given, output.getvalue(), error.code
    events = [(one.kind, one.path, one.subject, one.value, one.note) for one in view.events]
    facts = {name: view.facts.get(name) for name in ("state", "result", "text", "files", "loaded", "principal")}
    return given, output.getvalue(), events, facts
