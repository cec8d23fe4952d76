"""Runs the chunks of a golden file and says what differs from its expectations.

The only part of the golden-file machinery that knows the runtime. Invariant: a chunk's run shares nothing with
another's but the process; only `rtfs.UserError` counts as the program's doing, anything else is reported as our bug.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtfs.testing.difference import describe, shortened
from rtfs.testing.golden import Chunk, GoldenFile, Problem, Step, Stub, parse_error

LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Edit:
    """Replace the text [start, end) of the file."""

    start: int
    end: int
    text: str


@dataclass
class Outcome:
    """What a chunk's run found: problems (none: it passed), and edits, if the file was to be updated."""

    problems: list[Problem] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)


def run_chunk(
    file: GoldenFile,
    chunk: Chunk,
    *,
    allow: Sequence[str] = (),
    update: bool = False,
    accept_errors: bool = False,
    config: str | None = None,
    load: Sequence[str] = (),
    isolation: str | None = None,
) -> Outcome:
    """Run one chunk in a fresh runtime.

    allow: grants for what leaves the process, as in `rtfs run --allow`. update: give edits instead of problems where an
    expectation can be rewritten to what was found. accept_errors: also where that is an error instead of a value.
    config, load: a configuration and files of declarations, which stubs have to fit. isolation: "process" for a runtime
    whose plans run in a worker process.
    """
    outcome = Outcome(list(chunk.problems))
    if update:
        outcome.problems = [p for p in outcome.problems if p.text != "nothing is expected of this chunk"]
    if outcome.problems:
        return outcome
    try:
        run = _Run(file, chunk, outcome, update)
        run.accept_errors = accept_errors
        run.run(allow, config, load, isolation)
    except _BadText as bad:
        outcome.problems.append(bad.problem)
    return outcome


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; they must not overlap."""
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _BadText(Exception):
    """A stub or a context of the file cannot be read."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line, text)


def _read(text: str, line: int) -> Any:
    import rtfs

    try:
        return rtfs.read_value(text)
    except rtfs.UserError as error:
        raise _BadText(line, f"cannot be read: {text}\n{error}") from None


class _Stubs:
    """The answers to a chunk's host calls, handed out strictly in order."""

    def __init__(self, stubs: Sequence[Stub]) -> None:
        self.left = [(stub, self._arguments(stub), self._answer(stub)) for stub in stubs]
        self.left.reverse()
        self.problems: list[str] = []

    @staticmethod
    def _arguments(stub: Stub) -> list[Any] | None:
        if stub.arguments is None:
            return None
        return _normal(list(_read(f"[{stub.arguments}]", stub.line)))

    @staticmethod
    def _answer(stub: Stub) -> Any:
        return None if stub.value is None else _read(stub.value, stub.line)

    def answer(self, name: str, arguments: Sequence[Any]) -> Any:
        """What the stub that is next says to this call; an error if it is no call for it."""
        import rtfs
        from rtfs.host.bundled.capabilities import SIGNATURES

        found = f"(call {json.dumps(name)} {' '.join(rtfs.to_text(a) for a in arguments)})"
        if not self.left:
            return self._refuse(f"a call that no stub answers: {found}")
        stub, wanted, value = self.left[-1]
        if stub.id != name:
            return self._refuse(f"the next stub (line {stub.line}) is for {stub.id}, the call is {found}")
        given = _normal(list(arguments))
        if wanted is not None and name in SIGNATURES:
            wanted = [SIGNATURES[name].arrange(name, tuple(wanted))]
            given = [SIGNATURES[name].arrange(name, tuple(given))]
        if wanted is not None and not rtfs.equal(rtfs.Vector(wanted), rtfs.Vector(given)):
            difference = describe(rtfs.Vector(wanted), rtfs.Vector(given))
            return self._refuse(f"other arguments than the stub of line {stub.line} expects: {found}\n{difference}")
        self.left.pop()
        if stub.value is None:
            raise rtfs.HostError(stub.message, code=stub.code)
        return value

    def _refuse(self, text: str) -> Any:
        import rtfs

        self.problems.append(text)
        raise rtfs.HostError(text, code="capability/unknown")


def _normal(arguments: list[Any]) -> list[Any]:
    """No arguments are the same as an empty map."""
    import rtfs

    return arguments or [rtfs.Map({})]


class _Run:
    """One run of one chunk."""

    def __init__(self, file: GoldenFile, chunk: Chunk, outcome: Outcome, update: bool) -> None:
        self.file = file
        self.chunk = chunk
        self.outcome = outcome
        self.update = update
        self.accept_errors = False
        self.stubs = _Stubs(chunk.stubs)
        self.context: dict[str, Any] | None = None
        if chunk.context is not None:
            self.context = {_plain(k): v for k, v in _read(chunk.context, chunk.line).items()}

    def run(self, allow: Sequence[str], config: str | None, load: Sequence[str], isolation: str | None) -> None:
        import rtfs
        from rtfs.host.files import read_sources

        names = dict.fromkeys(stub.id for stub in self.chunk.stubs)

        def answer(name: str, arguments: tuple[Any, ...]) -> Any:
            return self.stubs.answer(name, arguments) if name in names else NotImplemented

        if config is None:
            made = rtfs.Runtime(allow=list(allow), stub=answer, isolation=isolation)
        else:
            made = rtfs.Runtime.from_config(config, allow=list(allow), stub=answer, isolation=isolation)
        with made as runtime:
            for path in load:
                for source in read_sources(path):
                    runtime.load(source.text, source.name)
            declared = {name: runtime.capabilities.get(name) for name in names} if config is not None or load else {}
            for stub, arguments, value in self.stubs.left:
                self._fits(runtime, stub, arguments, value, declared.get(stub.id) is not None)
            for name in names:
                if not self._declares(name):
                    known = declared.get(name)
                    schemas: dict[str, Any] = {}
                    if known is not None:
                        schemas = {"input_schema": known.input_schema, "output_schema": known.output_schema}
                    runtime.register(name, self._stubbed(name), replace=True, **schemas)
            for step in self.chunk.steps:
                self._step(runtime, step)
        for stub, _, _ in reversed(self.stubs.left):
            self._problem(stub.line, f"nobody called {stub.id}")

    def _fits(self, runtime: Any, stub: Stub, arguments: list[Any] | None, value: Any, declared: bool) -> None:
        """Report a stub that the declaration of its capability refuses."""
        import rtfs

        entry = runtime._registry.find(stub.id) if declared else None
        if entry is None:
            return
        try:
            if arguments is not None and entry.check_input is not None and len(arguments) == 1:
                entry.check_input(arguments[0], f'the input of "{stub.id}"')
            if stub.value is not None and entry.check_output is not None:
                entry.check_output(value, f'the result of "{stub.id}"')
        except rtfs.UserError as error:
            self._problem(stub.line, f"the declaration refuses this stub: {error.message}")

    def _declares(self, name: str) -> bool:
        """Whether the chunk itself declares this capability: then the stub stands for the server, not for all of it."""
        declaration = rf"\(\s*capability\s+(?:{re.escape(json.dumps(name))}|:{re.escape(name)}\s)"
        return any(re.search(declaration, self.file.text[s.start : s.end]) for s in self.chunk.steps)

    def _stubbed(self, name: str) -> Any:
        return lambda *arguments: self.stubs.answer(name, arguments)

    def _problem(self, line: int, text: str) -> None:
        self.outcome.problems.append(Problem(line, text))

    def _source(self, step: Step) -> str:
        """The step's text, moved to where it stands in the file, so that places in errors are right."""
        before = self.file.text[: step.start]
        line_start = before.rfind("\n") + 1
        return "\n" * before.count("\n") + " " * (step.start - line_start) + self.file.text[step.start : step.end]

    def _recording(self) -> Path | None:
        name = self.chunk.recording
        return None if name is None else Path(self.file.name).parent / name

    def _step(self, runtime: Any, step: Step) -> None:
        import rtfs

        output = io.StringIO()
        value: Any = None
        error: Any = None
        try:
            with contextlib.redirect_stdout(output):
                value = runtime.run(
                    self._source(step),
                    context=self.context,
                    name=self.file.name,
                    replay=self._recording(),
                    check=False,  # an expectation may be about an error of the run
                )
        except rtfs.UserError as raised:
            error = raised
        except Exception as bug:
            self._problem(step.line, f"internal error: {type(bug).__name__}: {bug}")
            return
        for text in self.stubs.problems:
            self._problem(step.line, text)
        if self.stubs.problems:
            self.stubs.problems = []
            return
        self._check_result(step, value, error)
        self._check_output(step, output.getvalue())

    def _check_result(self, step: Step, value: Any, error: Any) -> None:
        wanted = [e for e in step.expectations if e.kind != "prints"]
        if not wanted:
            nothing = not any(s.expectations for s in self.chunk.steps) and step is self.chunk.steps[-1]
            if error is not None and not self.update:
                self._problem(step.line, f"an error that is not expected\n{_show_error(error)}")
            elif self.update and (error is not None or nothing):
                self._rewrite(step.line, step.code_end, step.code_end, " ", value, error)
            return
        expectation = wanted[0]
        if expectation.kind == "matches":
            text = self._mismatch(expectation, value, error)
            if text is not None:
                self._problem(expectation.line, text)
            return
        if expectation.kind == "value":
            text = self._value_difference(expectation.text, value, error)
        else:
            text = _error_difference(expectation.text, value, error)
        if text is None:
            return
        if self.update and (expectation.kind == "error" or error is None or self.accept_errors):
            self._rewrite(expectation.line, expectation.start, expectation.end, "", value, error)
        elif self.update:
            self._problem(expectation.line, f"{text}\n--accept-errors writes the error in place of the value")
        else:
            self._problem(expectation.line, text)

    def _rewrite(self, line: int, start: int, end: int, before: str, value: Any, error: Any) -> None:
        """Write what was found, unless it is of this machine."""
        if error is not None and not before and not self.accept_errors and self.file.text[start : start + 2] != ";!":
            self._problem(line, f"an error instead of a value; --accept-errors writes it\n{_show_error(error)}")
            return
        text = _marker(value, error)
        place = _machine_path(text, self.file.name)
        if place is not None:
            self._problem(line, f"what it gives names a folder of this machine, {place}: it is not written\n{text}")
        else:
            self._edit(start, end, before + text)

    def _mismatch(self, expectation: Any, value: Any, error: Any) -> str | None:
        """Why a value is not of the expected type, or None."""
        import rtfs
        from rtfs.types.parse import parse_type

        if error is not None:
            return f"expected a value like  {expectation.text}\ngot an error\n{_show_error(error)}"
        try:
            type = parse_type(_read(expectation.text, expectation.line))
        except rtfs.UserError as wrong:
            return f"{expectation.text} is not a type: {wrong.message}"
        try:
            type.check(value, "the value")
        except rtfs.UserError as wrong:
            return f"{wrong.message}\ngot       {shortened(rtfs.to_text(value))}"
        return None

    @staticmethod
    def _value_difference(wanted: str, value: Any, error: Any) -> str | None:
        import rtfs

        if error is not None:
            return f"expected  {wanted}\ngot an error\n{_show_error(error)}"
        if rtfs.to_text(value) == wanted:
            return None
        try:
            expected = rtfs.read_value(wanted)
        except rtfs.UserError as unreadable:
            return f"expected  {wanted}   (which is not a value: {unreadable.message})\ngot       {rtfs.to_text(value)}"
        if rtfs.equal(value, expected) or rtfs.to_text(value) == rtfs.to_text(expected):
            return None
        return describe(expected, value)

    def _check_output(self, step: Step, output: str) -> None:
        wanted = step.expected("prints")
        if not wanted:
            return
        found = output.removesuffix("\n").split("\n")
        if found == [e.text for e in wanted]:
            return
        if self.update:
            self._edit(wanted[0].start, wanted[-1].end, "\n".join(f";prints {line}".rstrip() for line in found))
            return
        lines = [
            "the output differs",
            *(f"expected  {e.text}" for e in wanted),
            *(f"got       {line}" for line in found),
        ]
        self._problem(wanted[0].line, "\n".join(lines))

    def _edit(self, start: int, end: int, text: str) -> None:
        self.outcome.edits.append(Edit(start, end, text))


def _error_difference(wanted: str, value: Any, error: Any) -> str | None:
    import rtfs

    expected = parse_error(wanted)
    assert expected is not None  # the parser refuses others
    code, parts = expected
    if error is None:
        return f"expected the error {wanted}\ngot       {rtfs.to_text(value)}"
    if error.code != code and not error.code.startswith(code + "/"):
        return f"expected the error {wanted}\n{_show_error(error)}"
    said = f"{error.message}\n{error.hint or ''}"
    for part in parts:
        if part not in said:
            return f"the message lacks {json.dumps(part, ensure_ascii=False)}\n{_show_error(error)}"
    return None


def _show_error(error: Any) -> str:
    from rtfs.syntax.diagnostics import render

    return str(render(error)).rstrip()


def _marker(value: Any, error: Any) -> str:
    import rtfs

    if error is None:
        return f";=> {rtfs.to_text(value)}"
    message = error.message.split("\n")[0][:LONGEST_MESSAGE]
    return f";! {error.code} {json.dumps(message, ensure_ascii=False)}"


def _machine_path(text: str, file: str) -> str | None:
    """A folder of this machine that a text names: of the file, the working one, home, the temporary one."""
    import os
    import tempfile

    folders = [os.path.dirname(os.path.abspath(file)), os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir()]
    return next((one for one in folders if len(one) > 1 and one in text), None)


def _plain(key: Any) -> str:
    return key if isinstance(key, str) else str(key).removeprefix(":")
