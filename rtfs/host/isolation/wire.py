"""The pipe between a run and its worker: framing, messages, and values, errors and places as text.

Must not know what a message makes anybody do. Invariants: what comes in is text of the lossless codec or JSON and
becomes values, never code; a message that is too long or makes no sense is a `Nonsense`, whatever is in it; a function
never crosses, only its handle.

A message is its length (4 bytes), its kind (1 byte), how many messages the sender has taken in (4 bytes), a head in
JSON, a line end, and a value as text where it has one. A kind with the bit `_RESTS` says that the sender waits now.
"""

from __future__ import annotations

import socket
from json import JSONDecodeError
from struct import Struct

from rtfs.host.durable.codec import decode, encode
from rtfs.host.durable.compact_json import read_from, write
from rtfs.source import Source, Span
from rtfs.values import InternalError, Map, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Place = list[Any] | None

(
    READY, RUN, COMPILED, BEGIN, CALL, DECLARE, CONTROL, BRANCH, BRANCH_FAILED, LEFT, VALUE, ERROR, DROP, INVOKE,
    PARALLEL, RETURN, RAISE, MODULE, CAPABILITY, TIME, ANSWER, RESTING, CANCEL, DONE, FAILED,
) = range(25)  # fmt: skip
"""The kinds of messages.

Host to worker: RUN a program; BEGIN it, now that its journal is open; VALUE or ERROR of a request; INVOKE a function,
or run functions in PARALLEL; ANSWER to a question; CANCEL the run.
Worker to host: it is READY; the program is COMPILED; CALL a capability, DECLARE one; CONTROL: steps and contexts;
a BRANCH begins, BRANCH_FAILED, a frame is LEFT; DROP a request; RETURN or RAISE of what was invoked; the questions
MODULE (its file), CAPABILITY (what is declared), TIME (how much is left); RESTING: everything waits for the host;
DONE or FAILED.
"""

LARGEST = 256 << 20
"""Bytes of one message, at most."""
_HEAD = Struct(">IBI")
_RESTS = 0x80
_CHUNK = 1 << 16
"""Bytes that are read or sent at a time: what is larger costs the allocator a mapping each time."""
_SILENT = int(getattr(socket, "MSG_NOSIGNAL", 0))
_AT_ONCE = int(getattr(socket, "MSG_DONTWAIT", 0))


class Nonsense(Exception):
    """The pipe delivered something that is not a valid message."""


class Gone(Exception):
    """The other end of the pipe is closed."""


class Channel:
    """One end of the pipe, over a stream socket.

    `pending`: whether messages that have come are still to be read.
    """

    __slots__ = ("_in", "_last", "_out", "_room", "pending", "socket")

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self._in = bytearray()
        self._out = bytearray()
        self._last = -1
        self._room = memoryview(bytearray(_CHUNK))
        self.pending = False

    def put(self, kind: int, head: Any, body: str = "") -> None:
        """Add a message to what `flush` sends."""
        text = f"{write(head)}\n{body}".encode("ascii")
        self._last = len(self._out)
        self._out += _HEAD.pack(len(text), kind, 0)
        self._out += text

    def put_rest(self, heard: int) -> None:
        """Say that this end waits now, and how many messages it has taken in: with the last message that is still to be
        sent, or with a separate one."""
        last = self._last
        if last < 0:
            self.put(RESTING, [0, heard, True])
            return
        length, kind, _ = _HEAD.unpack_from(self._out, last)
        _HEAD.pack_into(self._out, last, length, kind | _RESTS, heard & 0xFFFFFFFF)

    def flush(self, wait: bool) -> bool:
        """Send what was put; whether all of it is sent. wait: for room in the pipe. Raises Gone."""
        out = self._out
        self._last = -1
        while out:
            part = out if len(out) <= _CHUNK else bytes(memoryview(out)[:_CHUNK])
            try:
                sent = self.socket.send(part, _SILENT if wait else _SILENT | _AT_ONCE)
            except BlockingIOError:
                return False
            except OSError as error:
                raise Gone(str(error)) from None
            del out[:sent]
        return True

    @property
    def arrived(self) -> bool:
        """Whether something has come that is still to be read, the beginning of a message at least."""
        return bool(self._in)

    @property
    def unsent(self) -> bool:
        """Whether something waits for room in the pipe."""
        return bool(self._out)

    def fill(self, wait: bool) -> bool:
        """Read what has come, one portion; whether there was something. wait: until there is. Raises Gone."""
        try:
            size = self.socket.recv_into(self._room, 0, 0 if wait else _AT_ONCE)
        except BlockingIOError:
            return False
        except OSError as error:
            raise Gone(str(error)) from None
        if not size:
            raise Gone("end of file")
        self._in += self._room[:size]
        return True

    def messages(self, most: int = 64) -> Iterator[tuple[int, Any, str]]:
        """The messages that have come, as (kind, head, value's text), at most so many; `pending` says whether there
        are more. Raises Nonsense."""
        incoming = self._in
        while True:
            self.pending = False
            if len(incoming) < _HEAD.size:
                return
            length, kind, heard = _HEAD.unpack_from(incoming)
            if length > LARGEST:
                raise Nonsense(f"a message of {length} bytes")
            end = _HEAD.size + length
            if len(incoming) < end:
                return
            if most == 0:
                self.pending = True
                return
            most -= 1
            try:
                text = incoming[_HEAD.size : end].decode("ascii")
                head, size = read_from(text)
                if text[size] != "\n":
                    raise Nonsense("a message without a line")
            except (UnicodeDecodeError, JSONDecodeError, IndexError, RecursionError):
                raise Nonsense("a message that cannot be read") from None
            del incoming[:end]
            yield kind & ~_RESTS, head, text[size + 1 :]
            if kind & _RESTS:
                yield RESTING, [0, heard, True], ""


class Sources:
    """The texts that places are in, by numbers that both ends know. A text goes over the pipe once."""

    __slots__ = ("_numbers", "_sources", "_step", "_unsent")

    def __init__(self, first: int) -> None:
        """first: 0 for the host, 1 for the worker, so that the two ends never use the same number."""
        self._step = first
        self._numbers: dict[int, int] = {}
        self._sources: dict[int, Source] = {}
        self._unsent: list[list[Any]] = []

    def number(self, source: Source) -> int:
        """The number of a text, which is told to the other end with the next message."""
        found = self._numbers.get(id(source))
        if found is None:
            found = self._step
            self._step += 2
            self._keep(found, source)
            self._unsent.append([found, source.name, source.text, source.library, source.incremental])
        return found

    def _keep(self, number: int, source: Source) -> None:
        self._numbers[id(source)] = number
        self._sources[number] = source

    def source(self, number: Any) -> Source:
        """The text of a number. Raises Nonsense."""
        try:
            return self._sources[number]
        except (KeyError, TypeError):
            raise Nonsense("an unknown text") from None

    def place(self, span: Span | None) -> Place:
        """A place as data."""
        return None if span is None else [self.number(span.source), span.start, span.end]

    def span(self, place: Any) -> Span | None:
        """The place of data. Raises Nonsense."""
        if place is None:
            return None
        try:
            number, start, end = place
            return Span(self._sources[number], int(start), int(end))
        except (KeyError, TypeError, ValueError):
            raise Nonsense("a place in an unknown text") from None

    def unsent(self) -> list[list[Any]]:
        """The texts that the other end has to be told of."""
        told, self._unsent = self._unsent, []
        return told

    def learn(self, told: Any) -> None:
        """Take in texts of the other end. Raises Nonsense."""
        try:
            for number, name, text, library, incremental in told:
                if number % 2 == self._step % 2 or name.__class__ is not str or text.__class__ is not str:
                    raise Nonsense("a text under a number that is not its own")
                source = Source(text, name, incremental is True)
                source.library = library is True
                self._keep(number, source)
        except (TypeError, ValueError):
            raise Nonsense("texts that make no sense") from None


class Translator:
    """Values and errors of one end, as text and back.

    handle     returns the data that identify a function (or another value without a text)
    function   returns the function for such data
    """

    __slots__ = ("function", "handle", "sources")

    def __init__(self, sources: Sources, handle: Callable[[Any], Any], function: Callable[[Any], Any]) -> None:
        self.sources = sources
        self.handle = handle
        self.function = function

    def text(self, value: Any) -> str:
        """A value as text."""
        return encode(value, self.handle)

    def value(self, text: str) -> Any:
        """The value of a text. Raises Nonsense."""
        try:
            return decode(text, None, self.function)
        except Nonsense:
            raise
        except Exception as error:
            raise Nonsense(f"a value that cannot be read: {error}") from None

    def error(self, error: BaseException) -> list[Any]:
        """An error as data: what it is, where, and what came with it."""
        if not isinstance(error, UserError):
            return ["", "internal", f"{type(error).__name__}: {error}"]
        place = self.sources.place
        data, span = error.data, error.span
        calls = [[[text, place(one)] for text, one in part] for part in (error.trace, error.notes)]
        others = [self.error(other) for other in error.others]
        cause = None if error.cause is None else self.error(error.cause)
        try:
            error.data = error.span = None
            text = encode(error)
        finally:
            error.data, error.span = data, span
        return [text, self.text(data), place(span), calls, others, cause]

    def raised(self, data: Any) -> BaseException:
        """The error of data. Raises Nonsense."""
        try:
            if data[0] == "":
                return InternalError(str(data[2]))
            text, value, place, (trace, notes), others, cause = data
            error = decode(text)
            if not isinstance(error, UserError):
                raise Nonsense("something that is not an error")
            span = self.sources.span
            error.data = self.value(value)
            error.span = span(place)
            error.trace = tuple([(str(one), span(where)) for one, where in trace])
            error.notes = tuple([(str(one), span(where)) for one, where in notes])
            found = [self.raised(other) for other in others]
            error.others = tuple([one for one in found if isinstance(one, UserError)])
            reason = None if cause is None else self.raised(cause)
            error.cause = reason if isinstance(reason, UserError) else None
            return error
        except Nonsense:
            raise
        except Exception as fault:
            raise Nonsense(f"an error that cannot be read: {fault}") from None


def checked_text(value: Any) -> str:
    """A text that a message has. Raises Nonsense."""
    if value.__class__ is not str:
        raise Nonsense("something else where a text belongs")
    return str(value)


def checked_hints(value: Any) -> Map | None:
    """The hints of a call, or None. Raises Nonsense."""
    if value is not None and value.__class__ is not Map:
        raise Nonsense("hints that are no map")
    return value
