"""The pipe between a run and its worker: framing, messages, and values, errors and places as text.

Must not know what a message makes anybody do. Invariants: what comes in is text of the lossless codec or JSON and
becomes values, never code; a message that is too long or makes no sense is a `Nonsense`, whatever is in it; a function
never crosses, only its handle.

A message is its length (4 bytes), its kind (1 byte), a head in JSON, a line end, and a value as text where it has one.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONEncoder, loads
from struct import Struct

from rtfs.host.durable.codec import decode, encode
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
_HEAD = Struct(">IB")
_CHUNK = 1 << 16
"""Bytes that are read or sent at a time: what is larger costs the allocator a mapping each time."""
_write = JSONEncoder(separators=(",", ":")).encode


class Nonsense(Exception):
    """What came over the pipe is no message that belongs there."""


class Gone(Exception):
    """The other end of the pipe is closed."""


class Channel:
    """One end of the pipe, over a stream socket.

    `pending`: whether messages that have come are still to be read.
    """

    __slots__ = ("_in", "_out", "pending", "socket")

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self._in = bytearray()
        self._out = bytearray()
        self.pending = False

    def put(self, kind: int, head: Any, body: str = "") -> None:
        """Add a message to what `flush` sends."""
        text = f"{_write(head)}\n{body}".encode("ascii")
        self._out += _HEAD.pack(len(text), kind)
        self._out += text

    def flush(self, wait: bool) -> bool:
        """Send what was put; whether all of it is sent. wait: for room in the pipe. Raises Gone."""
        from socket import MSG_DONTWAIT, MSG_NOSIGNAL

        out = self._out
        while out:
            try:
                sent = self.socket.send(memoryview(out)[:_CHUNK], MSG_NOSIGNAL | (0 if wait else MSG_DONTWAIT))
            except BlockingIOError:
                return False
            except OSError as error:
                raise Gone(str(error)) from None
            del out[:sent]
        return True

    @property
    def unsent(self) -> bool:
        """Whether something waits for room in the pipe."""
        return bool(self._out)

    def fill(self, wait: bool) -> bool:
        """Read what has come, one portion; whether there was something. wait: until there is. Raises Gone."""
        from socket import MSG_DONTWAIT

        try:
            data = self.socket.recv(_CHUNK, 0 if wait else MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            raise Gone(str(error)) from None
        if not data:
            raise Gone("end of file")
        self._in += data
        return True

    def messages(self, most: int = 64) -> Iterator[tuple[int, Any, str]]:
        """The messages that have come, as (kind, head, value's text), at most so many; `pending` says whether there
        are more. Raises Nonsense."""
        incoming = self._in
        while True:
            self.pending = False
            if len(incoming) < _HEAD.size:
                return
            length, kind = _HEAD.unpack_from(incoming)
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
                head, _, body = incoming[_HEAD.size : end].decode("ascii").partition("\n")
                found = loads(head)
            except (UnicodeDecodeError, JSONDecodeError, RecursionError):
                raise Nonsense("a message that cannot be read") from None
            del incoming[:end]
            yield kind, found, body


class Sources:
    """The texts that places are in, by numbers that both ends know. A text goes over the pipe once."""

    __slots__ = ("_numbers", "_sources", "_step", "_unsent")

    def __init__(self, first: int) -> None:
        """first: 0 for the host, 1 for the worker: no two ends give the same number."""
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
            raise Nonsense("a text that nobody knows") from None

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
            raise Nonsense("a place in a text that nobody knows") from None

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

    handle     gives the data that a function (or what else has no text) is known by
    function   gives the function of such data
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
                raise Nonsense("an error that is none")
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
