"""The text of a golden file taken apart: chunks, steps, expectations, stubs. See docs/testing.md.

Must not know how anything is run, and reads no forms: a step is a stretch of source text, so it may hold text that is
no program at all. Invariant: parsing never fails; what is wrong with a file is listed in `problems`, with its line.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_CONTINUED = re.compile(r"\n[ \t]*;[ \t]{2,}([^\n]*)")
_NEAR_MISS = re.compile(
    r';+\s*=>|;=|;;+\s*!\s*\w+/|;;+(?:prints|stub|context|recording)\b|;\s+stub\s+"|;(?:print|stubs|record)\b'
)
_STRING = json.JSONDecoder()
_OPEN = {"(", "[", "{"}
_CLOSE = {")", "]", "}"}


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file or in a run of it: the line (from 1) and one or more lines of text."""

    line: int
    text: str


@dataclass(frozen=True)
class Stub:
    """A host call that is due, and its answer.

    arguments: the text of the expected arguments, None if they are not looked at. value: the text of the answer; None
    if the answer is the error `code` with `message`.
    """

    line: int
    id: str
    arguments: str | None
    value: str | None
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Expectation:
    """kind: `value`, `matches`, `error` or `prints`. text: the text after the marker. start, end: offsets of the
    comment."""

    kind: str
    text: str
    line: int
    start: int
    end: int


@dataclass
class Step:
    """A stretch of source [start, end) of the file, its code ending at `code_end`, with what is expected of it."""

    start: int
    end: int
    line: int
    code_end: int
    expectations: list[Expectation] = field(default_factory=list)

    def expected(self, kind: str) -> list[Expectation]:
        """The expectations of one kind, in order."""
        return [e for e in self.expectations if e.kind == kind]


@dataclass
class Chunk:
    """A part of a file that runs in a separate runtime. name: unique in its file. context: text of a map, or None.
    recording: path of the file that answers its calls, relative to this one, or None."""

    name: str
    line: int
    steps: list[Step] = field(default_factory=list)
    stubs: list[Stub] = field(default_factory=list)
    context: str | None = None
    recording: str | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass
class GoldenFile:
    """A parsed file. `problems` are those of the file as a whole; a chunk has its own."""

    name: str
    text: str
    chunks: list[Chunk]
    problems: list[Problem]

    def line_of(self, offset: int) -> int:
        """Line of an offset, from 1."""
        return self.text.count("\n", 0, offset) + 1


def parse(text: str, name: str) -> GoldenFile:
    """Take the text of a golden file apart. name: how messages call it, usually its path."""
    file = GoldenFile(name, text, [], [])
    taken: dict[str, int] = {}
    for start, end in _stretches(text):
        chunk = _Scanner(file, start, end).scan()
        if not (chunk.steps or chunk.problems or chunk.stubs):
            continue
        count = taken[chunk.name] = taken.get(chunk.name, 0) + 1
        if count > 1:
            chunk.name = f"{chunk.name} #{count}"
        file.chunks.append(chunk)
    if not file.chunks:
        file.problems.append(Problem(1, "nothing to run in this file"))
    return file


def parse_error(text: str) -> tuple[str, list[str]] | None:
    """`code "part" "part"` of an error expectation to the code and the parts; None if it is not of that shape."""
    code, _, rest = text.strip().partition(" ")
    parts: list[str] = []
    rest = rest.strip()
    while rest:
        found = _read_string(rest)
        if found is None:
            return None
        parts.append(found[0])
        rest = rest[found[1] :].strip()
    return (code, parts) if code and '"' not in code else None


def _stretches(text: str) -> list[tuple[int, int]]:
    """Offsets of the chunks: the text between lines that hold nothing but `---`."""
    found, start, at = [], 0, 0
    for line in text.splitlines(keepends=True):
        if line.rstrip() == "---":
            found.append((start, at))
            start = at + len(line)
        at += len(line)
    return [*found, (start, len(text))]


def _read_string(text: str) -> tuple[str, int] | None:
    """The string literal at the start of `text` and where it ends."""
    if not text.startswith('"'):
        return None
    try:
        value, end = _STRING.raw_decode(text)
    except ValueError:
        return None
    return str(value), end


class _Scanner:
    """One walk over a chunk: finds the comments that are not part of a string, a form or a block comment."""

    def __init__(self, file: GoldenFile, start: int, end: int) -> None:
        self.file = file
        self.text = file.text
        self.at = start
        self.end = end
        self.start = start
        self.depth = 0
        self.code_start: int | None = None
        self.code_end = start
        self.title = ""
        self.chunk = Chunk("", file.line_of(start))

    def scan(self) -> Chunk:
        while self.at < self.end:
            char = self.text[self.at]
            if char == ";":
                self._comment()
            elif self.text.startswith("#|", self.at):
                self._block_comment()
            elif char in " \t\r\n,\ufeff":
                self.at += 1
            elif self.text.startswith("#!", self.at) and self.at == 0:
                self.at = self._line_end(self.at)
            else:
                self._code(char)
        if self.code_start is not None:
            self._close_step(self.end)
        chunk = self.chunk
        if chunk.steps:
            chunk.line = chunk.steps[0].line
        chunk.name = self.title or f"line {chunk.line}"
        if chunk.steps and not any(step.expectations for step in chunk.steps):
            self._problem(chunk.line, "nothing is expected of this chunk")
        if chunk.stubs and not chunk.steps:
            self._problem(chunk.stubs[0].line, "stubs, but nothing that could call them")
        if chunk.recording is not None and chunk.stubs:
            self._problem(chunk.line, "calls are answered by a recording or by stubs, not by both")
        if chunk.recording is not None and len(chunk.steps) > 1:
            self._problem(chunk.steps[1].line, "a recording is of one run: its chunk has one expectation, at the end")
        return chunk

    def _problem(self, line: int, text: str) -> None:
        self.chunk.problems.append(Problem(line, text))

    def _line_end(self, at: int) -> int:
        found = self.text.find("\n", at, self.end)
        return self.end if found < 0 else found

    def _code(self, char: str) -> None:
        if self.code_start is None:
            self.code_start = self.at
        if char == '"':
            self.at += 1
            while self.at < self.end and self.text[self.at] != '"':
                self.at += 2 if self.text[self.at] == "\\" else 1
        elif char == "\\":  # a character such as `\(`
            self.at += 1
        elif char in _OPEN:
            self.depth += 1
        elif char in _CLOSE:
            self.depth = max(0, self.depth - 1)
        self.at = min(self.at + 1, self.end)
        self.code_end = self.at

    def _block_comment(self) -> None:
        depth = 0
        while self.at < self.end:
            if self.text.startswith("#|", self.at):
                depth, self.at = depth + 1, self.at + 2
            elif self.text.startswith("|#", self.at):
                depth, self.at = depth - 1, self.at + 2
                if depth == 0:
                    return
            else:
                self.at += 1

    def _comment(self) -> None:
        start = self.at
        line = self.file.line_of(start)
        self.at = self._line_end(start)
        comment = self.text[start : self.at].rstrip()
        for marker, handle in (
            (";=>", self._value),
            (";~", self._matches),
            (";!", self._error),
            (";prints", self._prints),
            (";stub ", self._stub),
            (";context ", self._context),
            (";recording ", self._recording),
        ):
            if comment.startswith(marker):
                if marker == ";prints" and comment[7:8].strip():
                    continue
                if self.depth and marker != ";!":
                    self._problem(line, f"{marker.strip()} is inside a form")
                    return
                handle(start, line, comment[len(marker) :])
                return
        if _NEAR_MISS.match(comment):
            self._problem(line, f"no marker: {comment!r}; markers are ;=> ;~ ;! ;prints ;stub ;context ;recording")
        elif not self.title and self.code_start is None and not self.chunk.steps:
            self.title = comment.lstrip("; ").rstrip()

    def _continued(self, text: str) -> str:
        """`text` with the comment lines that go on with it."""
        while found := _CONTINUED.match(self.text, self.at, self.end):
            text += "\n" + found[1].rstrip()
            self.at = found.end()
        return text.strip()

    def _close_step(self, end: int) -> Step:
        assert self.code_start is not None
        previous = self.chunk.steps[-1].expectations if self.chunk.steps else []
        start = previous[-1].end if previous else self.start
        step = Step(start, end, self.file.line_of(self.code_start), self.code_end)
        self.chunk.steps.append(step)
        self.code_start, self.depth = None, 0
        return step

    def _expect(self, kind: str, text: str, start: int, line: int) -> None:
        if self.code_start is not None:
            step = self._close_step(start)
        elif self.chunk.steps:
            step = self.chunk.steps[-1]
            kinds = [e.kind for e in step.expectations]
            if kind != "prints" and set(kinds) - {"prints"}:
                self._problem(line, "a second expectation for the same expression")
                return
            if kind == "prints" and "prints" in kinds[:-1] and kinds[-1] != "prints":
                self._problem(line, "the ;prints lines of an expression must be together")
                return
        else:
            self._problem(line, "an expectation without an expression")
            return
        step.expectations.append(Expectation(kind, text, line, start, self.at))

    def _value(self, start: int, line: int, text: str) -> None:
        text = self._continued(text)
        if not text:
            self._problem(line, ";=> needs a value")
        else:
            self._expect("value", text, start, line)

    def _matches(self, start: int, line: int, text: str) -> None:
        text = self._continued(text)
        if not text:
            self._problem(line, ";~ needs a type: ;~ [:map [:id :int]]")
        else:
            self._expect("matches", text, start, line)

    def _error(self, start: int, line: int, text: str) -> None:
        text = self._continued(text)
        if self.depth and not text.startswith("reader"):
            self._problem(line, ";! is inside a form")
        elif parse_error(text) is None:
            self._problem(line, ';! needs a code, and strings after it: ;! type/mismatch "expected int"')
        else:
            self._expect("error", text, start, line)

    def _prints(self, start: int, line: int, text: str) -> None:
        self._expect("prints", text[1:], start, line)

    def _context(self, start: int, line: int, text: str) -> None:
        if self.chunk.context is not None or self.chunk.steps or self.code_start is not None:
            self._problem(line, "write ;context once, before the code of its chunk")
        self.chunk.context = self._continued(text)

    def _recording(self, start: int, line: int, text: str) -> None:
        found = _read_string(text.strip())
        if found is None or found[1] != len(text.strip()):
            self._problem(line, 'a recording reads ;recording "calls.jsonl"')
        elif self.chunk.recording is not None or self.chunk.steps or self.code_start is not None:
            self._problem(line, "write ;recording once, before the code of its chunk")
        else:
            self.chunk.recording = found[0]

    def _stub(self, start: int, line: int, text: str) -> None:
        text = self._continued(text)
        stub = _parse_stub(text, line)
        if stub is None:
            self._problem(line, 'a stub reads ;stub "id" arguments => value, or ;stub "id" arguments ! code "message"')
        elif self.chunk.steps or self.code_start is not None:
            self._problem(line, "stubs come before the code of their chunk")
        else:
            self.chunk.stubs.append(stub)


def _parse_stub(text: str, line: int) -> Stub | None:
    found = _read_string(text)
    if found is None:
        return None
    name, end = found
    split = _arrow(text, end)
    if split is None:
        return None
    arguments: str | None = text[end : split[0]].strip() or None
    answer = text[split[1] :].strip()
    if text[split[0]] == "=":
        return Stub(line, name, arguments, answer) if answer else None
    error = parse_error(answer)
    if error is None:
        return None
    return Stub(line, name, arguments, None, error[0], " ".join(error[1]) or error[0])


def _arrow(text: str, at: int) -> tuple[int, int] | None:
    """Start and end of the first `=>` or `!` that is alone outside strings and brackets."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char == '"':
            found = _read_string(text[at:])
            if found is None:
                return None
            at += found[1]
            continue
        if char == "\\":
            at += 2
            continue
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
        elif depth == 0 and text[at - 1].isspace():
            for arrow in ("=>", "!"):
                after = at + len(arrow)
                if text.startswith(arrow, at) and (after == len(text) or text[after].isspace()):
                    return at, after
        at += 1
    return None
