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
from typing import Any

from rtfs.testing.coverage import Coverage
from rtfs.testing.difference import describe, shortened
from rtfs.testing.golden import Chunk, GoldenFile, Problem, Step, parse_error
from rtfs.testing.recordings import NewRecording, recording_path
from rtfs.testing.stub_checks import refused, refused_calls
from rtfs.testing.stubs import BadText, Stubs, read

LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Edit:
    """Replace the text [start, end) of the file."""

    start: int
    end: int
    text: str


@dataclass
class Outcome:
    """The result of running a chunk: problems (none if it passed), edits if the file is to be updated, and the number
    of recordings made again."""

    problems: list[Problem] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    recorded: int = 0


@dataclass(frozen=True)
class Options:
    """How chunks are run.

    allow: grants for what leaves the process, as in `rtfs run --allow`. update: return edits instead of problems where
    an expectation can be rewritten to the actual result. accept_errors: also if that is an error instead of a value.
    record: renew the recordings that chunks name. config, load: a configuration and files of declarations, which stubs
    and recordings have to fit. isolation: "process" for a runtime whose plans run in a worker process. coverage:
    collects the code that has run.
    """

    allow: Sequence[str] = ()
    update: bool = False
    accept_errors: bool = False
    record: bool = False
    config: str | None = None
    load: Sequence[str] = ()
    isolation: str | None = None
    coverage: Coverage | None = None


def run_chunk(file: GoldenFile, chunk: Chunk, options: Options = Options()) -> Outcome:
    """Run one chunk in a fresh runtime."""
    outcome = Outcome(list(chunk.problems))
    if options.update:
        outcome.problems = [p for p in outcome.problems if p.text != "nothing is expected of this chunk"]
    if outcome.problems:
        return outcome
    try:
        _Run(file, chunk, outcome, options).run()
    except BadText as bad:
        outcome.problems.append(bad.problem)
    return outcome


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; they must not overlap."""
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Run:
    """One run of one chunk."""

    def __init__(self, file: GoldenFile, chunk: Chunk, outcome: Outcome, options: Options) -> None:
        self.file = file
        self.chunk = chunk
        self.outcome = outcome
        self.options = options
        self.update = options.update
        self.accept_errors = options.accept_errors
        self.recording = recording_path(file, chunk)
        self.stubs = Stubs(chunk.stubs)
        self.context: dict[str, Any] | None = None
        if chunk.context is not None:
            self.context = {_plain(k): v for k, v in read(chunk.context, chunk.line).items()}

    def run(self) -> None:
        import rtfs
        from rtfs.host.files import read_sources

        options = self.options
        names = dict.fromkeys(stub.id for stub in self.chunk.stubs)

        def answer(name: str, arguments: tuple[Any, ...]) -> Any:
            return self.stubs.answer(name, arguments) if name in names else NotImplemented

        fixed: dict[str, Any] = {"allow": list(options.allow), "stub": answer, "isolation": options.isolation}
        fixed["wording"] = "shell"
        if options.config is None:
            made = rtfs.Runtime(**fixed)
        else:
            made = rtfs.Runtime.from_config(options.config, **fixed)
        with made as runtime:
            for path in options.load:
                for source in read_sources(path):
                    runtime.load(source.text, source.name)
            self._check_declared(runtime)
            for name in names:
                if not self._declares(name):
                    known = runtime.capabilities.get(name) if self._has_declarations else None
                    schemas: dict[str, Any] = {}
                    if known is not None:
                        schemas = {"input_schema": known.input_schema, "output_schema": known.output_schema}
                    runtime.register(name, self._stubbed(name), replace=True, **schemas)
            for step in self.chunk.steps:
                self._step(runtime, step)
            if options.coverage is not None:
                options.coverage.collect(runtime)
        for stub, _, _ in reversed(self.stubs.left):
            self._problem(stub.line, f"{stub.id} was never called")

    @property
    def _has_declarations(self) -> bool:
        return self.options.config is not None or bool(self.options.load)

    def _check_declared(self, runtime: Any) -> None:
        """Report the stubs and the recorded calls that the loaded declarations refuse."""
        import rtfs

        if not self._has_declarations:
            return
        for stub, arguments, value in self.stubs.left:
            wrong = refused(runtime, stub.id, arguments, () if stub.value is None else (value,))
            if wrong is not None:
                self._problem(stub.line, f"the declaration refuses this stub: {wrong}")
        if self.recording is None or self.options.record:
            return
        try:
            for wrong in refused_calls(runtime, str(self.recording)):
                self._problem(self.chunk.line, wrong)
        except rtfs.UserError:
            return  # a recording that cannot be read is reported by the run

    def _declares(self, name: str) -> bool:
        """Whether the chunk itself declares this capability: then the stub replaces the server, not the whole
        capability."""
        declaration = rf"\(\s*capability\s+(?:{re.escape(json.dumps(name))}|:{re.escape(name)}\s)"
        return any(re.search(declaration, self.file.text[s.start : s.end]) for s in self.chunk.steps)

    def _stubbed(self, name: str) -> Any:
        return lambda *arguments: self.stubs.answer(name, arguments)

    def _problem(self, line: int, text: str) -> None:
        self.outcome.problems.append(Problem(line, text))

    def _source(self, step: Step) -> str:
        """The step's text, moved to where it is in the file, so that places in errors are right."""
        before = self.file.text[: step.start]
        line_start = before.rfind("\n") + 1
        return "\n" * before.count("\n") + " " * (step.start - line_start) + self.file.text[step.start : step.end]

    def _step(self, runtime: Any, step: Step) -> None:
        import rtfs

        output = io.StringIO()
        value: Any = None
        error: Any = None
        try:
            new = NewRecording(self.recording) if self.options.record and self.recording is not None else None
        except OSError as wrong:
            self._problem(step.line, f"cannot write {self.recording}: {wrong.strerror or wrong}")
            return
        calls = {"replay": self.recording} if new is None else {"record": new.path}
        try:
            with contextlib.redirect_stdout(output):
                value = runtime.run(
                    self._source(step),
                    context=self.context,
                    name=self.file.name,
                    check=False,  # an expectation may be about an error of the run
                    **calls,
                )
        except rtfs.UserError as raised:
            error = raised
        except Exception as bug:
            self._problem(step.line, f"internal error: {type(bug).__name__}: {bug}")
            if new is not None:
                new.discard()
            return
        if new is not None and not self._kept(new, step, error):
            return
        for text in self.stubs.problems:
            self._problem(step.line, text)
        if self.stubs.problems:
            self.stubs.problems = []
            return
        self._check_result(step, value, error)
        self._check_output(step, output.getvalue())

    def _kept(self, new: NewRecording, step: Step, error: Any) -> bool:
        """Keep a new recording, unless its run failed unexpectedly or it is of this machine."""
        text = new.text()
        place = _machine_path(text, self.file.name)
        if error is not None and not step.expected("error") and not self.accept_errors:
            new.discard()
            self._problem(
                step.line, f"an error that is not expected; the recording is left as it was\n{_show_error(error)}"
            )
        elif place is not None:
            new.discard()
            self._problem(step.line, f"the recording names a folder of this machine, {place}: it is left as it was")
        else:
            new.keep()
            self.outcome.recorded += 1
            return True
        return False

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
            type = parse_type(read(expectation.text, expectation.line))
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
    import rtfs
    from rtfs.syntax.diagnostics import render

    text = str(render(error)).rstrip()
    data = error.data
    if error.code == "run/divergence" and data is not None:  # a recording's call with other arguments
        text += f"\n{describe(data.get(rtfs.Keyword('expected')), data.get(rtfs.Keyword('got')))}"
    return text


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
