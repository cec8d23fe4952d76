"""Recordings: the calls of a run and their results, in a file for people and for replaying without effects.

Must not know how calls are made. Invariants: the file holds no secret that the process knows; a replayed run performs
nothing but printing, and what it asks for beyond the recording is an error that names it.

A recording is JSON Lines: `{"recording": 1, …}`, then a line a call in the order in which the calls ended, with `path`
(the place in the run: `3`, `3.1.2`), `call` (id), `arguments` (a vector) and `value` as RTFS text, or `error`. `enter`
is a call that was carried out in RTFS, `fail` a branch that ended with an error, `dropped` a call that ended after its
run had stopped waiting for it. Where a text does not read back as the value, `exact` spells it as
rtfs.host.durable.codec does.
"""

from __future__ import annotations

from json import dumps, loads
from time import time

import rtfs
from rtfs.capabilities.permit import Permit
from rtfs.host.durable.codec import decode, encode
from rtfs.host.durable.execution import Durable
from rtfs.host.durable.store import AGAIN, CALL, ENTER, ERROR, FAIL, GRANTED, LABELS, NOTED, OUTCOME, SAFE, WHOLE, Event
from rtfs.host.redaction import MASK, redact
from rtfs.host.run.durability import not_renewable
from rtfs.host.sqlite import reason
from rtfs.host.stop import stop
from rtfs.syntax.printer import to_text
from rtfs.values import HostError, Keyword, Map, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.host.durable.renewal import Renewal
    from rtfs.host.durable.replay import Recorded
    from rtfs.host.run.frame import Frame
    from rtfs.machine import HostCall

EXPECTED, GOT = Keyword("expected"), Keyword("got")
"""Keys of the data of an error: the arguments that were recorded, and those of the call that is made instead."""
_LONGEST_SHOWN = 300


class Recorder:
    """Writes a recording, in the place of a journal. Raises HostError `recording/unwritable`."""

    resumes = False
    owner = 1
    stop_asked = None

    @property
    def pending(self) -> bool:
        """Nothing waits for being written."""
        return False

    def __init__(self, path: str, run_id: str, name: str) -> None:
        import os

        self.path = path
        self.run_id = run_id
        self.facts: dict[str, str] = {}
        self.events: list[Event] = []
        self._open: dict[str, tuple[str, str]] = {}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise HostError(
                f"cannot write the recording {path}: {reason(error)}", code="recording/unwritable"
            ) from None
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
        self._write({"recording": 1, "program": redact(name), "rtfs": rtfs.__version__})

    def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
        """Take in an event of the run."""
        if kind in (CALL, SAFE, WHOLE):
            self._open[path] = (subject, value)
        elif kind == ENTER:
            self._write({"path": path, "enter": subject, **_fields("arguments", value)})
        elif kind == FAIL:
            self._write({"path": path, "fail": note})
        elif kind not in (AGAIN, GRANTED, LABELS, NOTED):
            id, arguments = self._open.pop(path)
            gave = _fields("value", value) if kind == OUTCOME else {"error": _error_fields(value)}
            line = {"path": path, "call": id, **_fields("arguments", arguments)}
            line["exact"] = line.get("exact", {}) | gave.pop("exact", {})
            if not line["exact"]:
                del line["exact"]
            self._write({**line, **gave})

    def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
        """Nothing is promised about when a recording is written."""

    def now(self) -> float:
        """The time by this machine's clock."""
        return time()

    def take(self, question: str) -> None:
        """A recording has answers for its calls only."""

    def continue_as(self, renewal: Renewal) -> None:
        """Only a run that can be resumed is continued as a new one. Raises HostError `run/not-durable`."""
        raise not_renewable()

    def abandon(self) -> None:
        """Nothing waits for being written."""

    def close(self) -> None:
        """Write what is left, and end the file."""
        if self._file.closed:
            return
        try:
            for path, (id, arguments) in self._open.items():
                self._write({"path": path, "dropped": id, **_fields("arguments", arguments)})
        finally:
            self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            raise stop("recording/unwritable", f"cannot write the recording {self.path}: {reason(error)}") from None


class Recording:
    """A recording that is replayed, in the place of a journal. Raises HostError `recording/invalid`."""

    resumes = False
    owner = 1
    stop_asked = None

    @property
    def pending(self) -> bool:
        """Nothing waits for being written."""
        return False

    def __init__(self, path: str, run_id: str) -> None:
        self.path = path
        self.run_id = run_id
        self.facts: dict[str, str] = {}
        self.events: list[Event] = []
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise HostError(f"cannot read the recording {path}: {reason(error)}", code="recording/invalid") from None
        if not lines:
            raise HostError(f"the recording {path} is empty", code="recording/invalid")
        for number, line in enumerate(lines, 1):
            try:
                self._take(loads(line), number)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UserError) as error:
                what = f"{error} is missing" if isinstance(error, KeyError) else getattr(error, "message", error)
                raise HostError(
                    f"line {number} of the recording {path} makes no sense: {what}", code="recording/invalid"
                ) from None

    def _take(self, line: dict[str, Any], number: int) -> None:
        if number == 1:
            if line["recording"] != 1:
                raise ValueError(f"recordings of kind {line['recording']} are not known")
            return
        path = line["path"]
        if path.__class__ is not str or not all(part.isdigit() for part in path.split(".")):
            raise ValueError(f"{path!r} is not a path")
        add = self.events.append
        if "fail" in line:
            add(Event(FAIL, path, "", "", line["fail"]))
            return
        if "enter" in line or "dropped" in line:
            kind, id = (ENTER, line["enter"]) if "enter" in line else (CALL, line["dropped"])
            add(Event(kind, path, id, _encoded(line, "arguments"), ""))
            return
        id = line["call"]
        add(Event(CALL, path, id, _encoded(line, "arguments"), ""))
        if "error" in line:
            fields = line["error"]
            error = HostError(fields["message"], code=fields["code"], hint=fields.get("hint"))
            error.capability = fields.get("capability")
            error.data = decode(_encoded(fields, "data")) if "data" in fields else None
            add(Event(ERROR, path, id, encode(error), ""))
        else:
            add(Event(OUTCOME, path, id, _encoded(line, "value"), ""))

    def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
        """Drop the event: calls that a replay makes are not recorded."""

    def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
        """Nothing is written."""

    def now(self) -> float:
        """The time by this machine's clock."""
        return time()

    def take(self, question: str) -> None:
        """A recording has answers for its calls only."""

    def continue_as(self, renewal: Renewal) -> None:
        """Only a run that can be resumed is continued as a new one. Raises HostError `run/not-durable`."""
        raise not_renewable()

    def abandon(self) -> None:
        """Nothing waits for being written."""

    def close(self) -> None:
        """Nothing to do."""


class Replayed(Durable):
    """A run whose calls are all answered by a recording."""

    __slots__ = ()

    def _differs(self, known: Recorded, call: HostCall, text: str) -> bool:
        if not super()._differs(known, call, text):
            return False
        left_out = known.subject == call.id and MASK in decode_text(known.value)
        return not left_out  # what was left out of the recording cannot be compared

    def _compare(self, known: Recorded, call: HostCall, text: str, frame: Frame) -> None:
        if known.subject != call.id or not self._differs(known, call, text):
            super()._compare(known, call, text, frame)
            return
        try:
            expected, got = decode(known.value), decode(text)
        except ValueError:  # there are functions in it
            super()._compare(known, call, text, frame)
            return
        raise stop(
            "run/divergence",
            f'call {known.path} was a call of "{known.subject}" with {_short(expected)}; now it is with other '
            f"arguments, {_short(got)}",
            span=call.span,
            hint="record the run again",
            data=Map([(EXPECTED, expected), (GOT, got)]),
        )

    def _facts(self, known: Recorded, call: HostCall, frame: Frame) -> str:
        return ""  # nothing was done

    def _answered(self, known: Recorded, call: HostCall, frame: Frame) -> None:
        entry = frame.run.registry.find(call.id)
        if entry is not None and entry.prints:
            entry.function(*call.args, permit=Permit((), frame.context.principal, output=frame.run.output))

    def _is_new(self, known: Recorded | None, path: str, call: HostCall) -> None:
        if known is None or known.kind != ENTER:
            raise stop(
                "recording/missing",
                f'call {path} of "{call.id}" is not in the recording',
                span=call.span,
                hint="record the run again",
                capability=call.id,
            )


def _short(arguments: Any) -> str:
    """The arguments of a call as it is written, the end left out where they are long."""
    text = " ".join([to_text(one) for one in arguments]) or "none"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} …"


def _fields(name: str, encoded: str) -> dict[str, Any]:
    """A value as text, and exactly where the text would not do."""
    try:
        text = to_text(decode(encoded))
    except ValueError:  # there are functions in it
        return {name: "[#<function>]", "exact": {name: encoded}}
    shown = redact(text)
    if shown != text:
        return {name: shown}
    try:
        if encode(rtfs.read_value(text)) == encoded:
            return {name: text}
    except (UserError, TypeError):
        pass
    return {name: text, "exact": {name: redact(encoded)}}


def _error_fields(encoded: str) -> dict[str, Any]:
    error = decode(encoded)
    fields = {"code": error.code, "message": redact(error.message)}
    if error.hint:
        fields["hint"] = redact(error.hint)
    if error.capability:
        fields["capability"] = error.capability
    return fields if error.data is None else {**fields, **_fields("data", encode(error.data))}


def _encoded(line: dict[str, Any], name: str) -> str:
    exact = line.get("exact", {})
    if name in exact:
        text = exact[name]
        return text if isinstance(text, str) else dumps(text)
    return encode(rtfs.read_value(line[name]))


def decode_text(encoded: str) -> str:
    """The RTFS text of an encoded value, "" for one with functions."""
    try:
        return to_text(decode(encoded))
    except ValueError:
        return ""
