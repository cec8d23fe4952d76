"""Server-sent events, read as they come.

Must not know MCP or HTTP. Invariant: it never holds more than `max_line` bytes of an unfinished line, nor `max_event`
bytes of an unfinished event, however the bytes are cut into chunks.

Source: WHATWG HTML, "Server-sent events", event stream interpretation.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class TooLarge(Exception):
    """A line or an event is longer than allowed."""


class SseReader:
    """Feed it bytes, get the data of each complete event.

    last_id: the last event id seen ("" for none). retry: milliseconds the server asked to wait before reconnecting,
    or None. named: told of the type and data of each event that is not a `message`. Those events, and events without
    data, are not among the answers; their ids are kept. An id that no header can carry back is passed over.
    """

    __slots__ = (
        "_data", "_event", "_max_event", "_max_line", "_named", "_parts", "_pending", "_size", "_skip_lf", "_start",
        "last_id", "retry",
    )  # fmt: skip

    def __init__(self, max_line: int, max_event: int, named: Callable[[bytes, bytes], object] | None = None) -> None:
        self._named = named
        self._max_line = max_line
        self._max_event = max_event
        self._parts: list[bytes] = []
        self._pending = 0
        self._skip_lf = False
        self._start = True
        self._data: list[bytes] = []
        self._size = 0
        self._event = b""
        self.last_id = ""
        self.retry: int | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that end in this chunk, in order. Raises TooLarge."""
        if self._skip_lf and chunk:
            self._skip_lf = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._skip_lf = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        self._parts.append(chunk)
        lines = b"".join(self._parts).split(b"\n")
        self._parts = []
        self._pending = 0
        self._keep(lines.pop())
        found: list[bytes] = []
        for line in lines:
            if line:
                self._line(line)
            else:
                data = self._dispatch()
                if data:
                    found.append(data)
        return found

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._parts.append(rest)
            self._pending += len(rest)
            if self._pending > self._max_line:
                raise TooLarge(f"a line of the event stream is longer than {self._max_line} bytes")

    def _line(self, line: bytes) -> None:
        if self._start:
            self._start = False
            if line[:3] == b"\xef\xbb\xbf":
                line = line[3:]
        if len(line) > self._max_line:
            raise TooLarge(f"a line of the event stream is longer than {self._max_line} bytes")
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            self._size += len(value) + 1
            if self._size > self._max_event:
                raise TooLarge(f"an event is longer than {self._max_event} bytes")
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id":
            text = value.decode("utf-8", "replace")
            if text.isascii() and text.isprintable():
                self.last_id = text
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self.retry = int(value)

    def _dispatch(self) -> bytes:
        self._start = False
        data = b"\n".join(self._data)
        wanted = self._event in (b"", b"message")
        if not wanted and self._named is not None:
            self._named(self._event, data)
        self._data = []
        self._size = 0
        self._event = b""
        return data if wanted else b""
