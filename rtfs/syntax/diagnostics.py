"""Errors as people read them: code, message, place, the source line with carets, notes, hint, trace, further errors.

Knows nothing of how errors arise or of terminals beyond ANSI colours. Invariant: no control or invisible character of
the program, its data or a file name reaches the output raw, and carets are under the columns they mean.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.source import Span
    from rtfs.values.error import UserError

_TAB = 4
_WIDTH = 100
"""Columns of a source line that are shown; of a longer one the part around the error."""
_LONGEST = 10_000
"""Characters of a message that are shown: a program may throw a text of any length."""
_MOST_OTHERS = 20
_TRACE_HEAD = 12
_TRACE_TAIL = 4

_COLORS = {"error": "1;31", "bold": "1", "frame": "34", "caret": "1;31", "hint": "36", "dim": "2"}


def render(error: UserError, *, color: bool = False) -> str:
    """The whole report about `error`, several lines without a final newline. `color`: with ANSI escape sequences."""
    paint = _painted if color else _plain
    lines = _report(error, paint)
    if error.capability is not None:
        lines.append(f"  capability: {_one_line(error.capability)}")
    lines += _trace(error.trace, paint)
    others = error.others
    for other in others[:_MOST_OTHERS]:
        lines += ["", *_report(other, paint)]
    if len(others) > _MOST_OTHERS:
        lines += ["", f"and {len(others) - _MOST_OTHERS} further errors"]
    return "\n".join(lines)


def clean(text: str) -> str:
    """`text` with control and invisible characters written as escapes; line ends stay."""
    if text.isprintable():
        return text
    return "".join([char if char == "\n" else _visible(char) for char in text])


def _one_line(text: str) -> str:
    return _shown(text).replace("\n", "\\n")


def _shown(text: str) -> str:
    """A text, clean and, if it is too long, cut."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return clean(text)


def _visible(char: str) -> str:
    if char.isprintable() or char == " ":
        return char
    if char == "\t":
        return "\\t"
    if char == "\r":
        return "\\r"
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def _plain(text: str, style: str) -> str:
    return text


def _painted(text: str, style: str) -> str:
    return f"\x1b[{_COLORS[style]}m{text}\x1b[0m" if text else text


def _report(error: UserError, paint: Painter) -> list[str]:
    message = _shown(error.message).replace("\n", "\n  ")
    lines = [f"{paint('error', 'error')} {paint(_one_line(error.code), 'bold')}: {message}"]
    if error.span is not None:
        lines += _excerpt(error.span, paint)
    for text, span in error.notes:
        lines.append(f"  {paint('note', 'hint')}: {_one_line(text)}")
        if span is not None:
            lines += _excerpt(span, paint)
    if error.hint:
        lines.append(f"  {paint('hint', 'hint')}: " + _shown(error.hint).replace("\n", "\n        "))
    return lines


def _excerpt(span: Span, paint: Painter) -> list[str]:
    number, column = span.source.position(span.start)
    line = span.source.line(number)
    length = max(1, min(span.end - span.start, len(line) - column + 1))
    before, marked = _layout(line, column - 1, length)
    shown, lead = _window(*before, marked)
    gutter = str(number)
    pad = " " * len(gutter)
    bar = paint("|", "frame")
    carets = paint("^" * max(1, lead[1]), "caret")
    last = span.source.position(max(span.start, span.end - 1))[0]
    if last > number:
        carets += paint(f" … to line {last}", "dim")
    return [
        f"  {paint('-->', 'frame')} {_one_line(str(span))}",
        f"  {pad} {bar}",
        f"  {paint(gutter, 'frame')} {bar} {shown}".rstrip(),
        f"  {pad} {bar} {' ' * lead[0]}{carets}",
    ]


def _layout(line: str, start: int, length: int) -> tuple[tuple[list[str], list[int]], tuple[int, int]]:
    """Cells of a line (what is shown of each character, and how many columns it takes), and the marked stretch in
    columns: where it begins and how many it has."""
    # Far-off parts of a very long line cannot be seen anyway.
    skipped = max(0, start - 2 * _WIDTH)
    cells: list[str] = []
    widths: list[int] = []
    column = mark = wide = 0
    for index, char in enumerate(line[skipped : start + length + 2 * _WIDTH], skipped):
        if index == start:
            mark = column
        if char == "\t":
            cell = " " * (_TAB - column % _TAB)
            width = len(cell)
        else:
            cell = _visible(char)
            width = _columns(char) if len(cell) == 1 else len(cell)
        if start <= index < start + length:
            wide += width
        cells.append(cell)
        widths.append(width)
        column += width
    if start >= skipped + len(cells):
        mark = column
    return (cells, widths), (mark, wide)


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    from unicodedata import category, east_asian_width

    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _window(cells: list[str], widths: list[int], marked: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """The part of a line that is shown, and the marked stretch within it."""
    mark, wide = marked
    total = sum(widths)
    if total <= _WIDTH:
        return "".join(cells), marked
    first = max(0, min(mark - _WIDTH // 3, total - _WIDTH))
    last = first + _WIDTH
    shown: list[str] = []
    column = 0
    begin = -1
    for cell, width in zip(cells, widths, strict=True):
        if first <= column and column + width <= last:
            if begin < 0:
                begin = column
            shown.append(cell)
        column += width
    begin = max(begin, 0)
    left = "…" if first > 0 else ""
    right = "…" if last < total else ""
    return f"{left}{''.join(shown)}{right}", (len(left) + mark - begin, min(wide, last - mark))


def _trace(trace: tuple[tuple[str, Span | None], ...], paint: Painter) -> list[str]:
    if len(trace) > _TRACE_HEAD + _TRACE_TAIL + 1:
        omitted = len(trace) - _TRACE_HEAD - _TRACE_TAIL
        middle = paint(f"  … {omitted:,} calls …", "dim")
        return [*_calls(trace[:_TRACE_HEAD], paint), middle, *_calls(trace[-_TRACE_TAIL:], paint)]
    return _calls(trace, paint)


def _calls(calls: tuple[tuple[str, Span | None], ...], paint: Painter) -> list[str]:
    lines: list[str] = []
    last, more = "", 0
    for name, span in (*calls, ("", None)):
        line = f"  {paint('in', 'dim')} {_one_line(name)}" + (f" at {_one_line(str(span))}" if span is not None else "")
        if line == last:  # a recursion
            more += 1
            continue
        if more:
            lines.append(last if more == 1 else paint(f"  … {more} times more", "dim"))
        lines.append(line)
        last, more = line, 0
    return lines[:-1]


if TYPE_CHECKING:
    from collections.abc import Callable

    Painter = Callable[[str, str], str]
