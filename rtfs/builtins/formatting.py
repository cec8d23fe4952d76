"""`format`: text from a template with directives, as Java's `Formatter` reads them, the useful part of it.

`%[n$][flags][width][.precision]conversion`; conversions `s d f e g x X o b c n %`, flags `-` (left) `+` (sign) space
`0` (zeros) `,` (groups of three) `#` (prefix of `x` and `o`). Must not know how values print inside. Invariant: the
size of the result is bounded before a width or precision is honoured.
"""

from __future__ import annotations

from rtfs.builtins.checks import MAX_TEXT, argument_error, need_string, shown, size_error, type_error
from rtfs.builtins.declare import builtin
from rtfs.builtins.numbers import overflow
from rtfs.syntax.numbers import int_text
from rtfs.syntax.printer import display
from rtfs.values import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FLAGS = "-+ 0,#"
CONVERSIONS = "sdfegxXobcn%"


class Directive:
    """One directive of a template. `index`: of its argument, from 0, or None for the next one; `precision`: None if not
    given; `end`: the offset behind it."""

    __slots__ = ("conversion", "end", "flags", "index", "precision", "width")

    def __init__(
        self, index: int | None, flags: str, width: int, precision: int | None, conversion: str, end: int
    ) -> None:
        self.index = index
        self.flags = flags
        self.width = width
        self.precision = precision
        self.conversion = conversion
        self.end = end


def _bad_directive(template: str, start: int) -> EvalError:
    what = shown(template[start : start + 12])
    known = "%s %d %f %e %g %x %X %o %b %c %n %%"
    return argument_error("format", f"does not know the directive at {what}; there are {known}", "argument/format")


def _digits(text: str, at: int) -> tuple[int | None, int]:
    """The number that starts at `at`, or None, and where it ends. A number of 12 digits is the text limit plus one."""
    end = at
    while text[end : end + 1] in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"):
        end += 1
    if end == at:
        return None, at
    return (int(text[at:end]) if end - at < 12 else MAX_TEXT + 1), end


def parse_directive(template: str, start: int) -> Directive:
    """The directive whose `%` is at `start`. EvalError `argument/format` if it is none."""
    number, at = _digits(template, start + 1)
    index = None
    if number and template[at : at + 1] == "$":
        index = number - 1
        at += 1
    else:
        at = start + 1
    first = at
    while template[at : at + 1] and template[at] in FLAGS:
        at += 1
    flags = template[first:at]
    width, at = _digits(template, at)
    precision = None
    if template[at : at + 1] == ".":
        precision, at = _digits(template, at + 1)
        if precision is None:
            raise _bad_directive(template, start)
    conversion = template[at : at + 1]
    if not conversion or conversion not in CONVERSIONS:
        raise _bad_directive(template, start)
    if (width or 0) > MAX_TEXT or (precision or 0) > MAX_TEXT:
        raise size_error("format")
    return Directive(index, flags, width or 0, precision, conversion, at + 1)


def _grouped(digits: str) -> str:
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    groups.extend(digits[i : i + 3] for i in range(head, len(digits), 3))
    return ",".join(groups)


def _signed(directive: Directive, negative: bool, body: str) -> str:
    """Sign, prefix and body, with zeros between if the flags ask for them."""
    sign = "-" if negative else "+" if "+" in directive.flags else " " if " " in directive.flags else ""
    if "0" in directive.flags and "-" not in directive.flags:
        body = body.rjust(directive.width - len(sign), "0")
    return sign + body


def _integer(directive: Directive, value: Any) -> str:
    if value.__class__ is not int:
        raise type_error("format", f"the argument of %{directive.conversion}", "an integer", value)
    magnitude: int = abs(value)
    conversion = directive.conversion
    if conversion == "d":
        body = int_text(magnitude)
        if "," in directive.flags:
            body = _grouped(body)
    else:
        prefix = "" if "#" not in directive.flags else "0" + conversion
        body = prefix + format(magnitude, conversion)
    return _signed(directive, value < 0, body)


def _float(directive: Directive, value: Any) -> str:
    if value.__class__ is not float and value.__class__ is not int:
        raise type_error("format", f"the argument of %{directive.conversion}", "a number", value)
    try:
        number = float(value)
    except OverflowError:
        raise overflow("format") from None
    if number - number != 0:
        return display(number)
    precision = 6 if directive.precision is None else directive.precision
    group = "," if "," in directive.flags and directive.conversion != "e" else ""
    negative = number < 0 or str(number) == "-0.0"
    return _signed(directive, negative, format(abs(number), f"{group}.{precision}{directive.conversion}"))


def _rendered(directive: Directive, value: Any) -> str:
    conversion = directive.conversion
    if conversion in "dxXo":
        return _integer(directive, value)
    if conversion in "feg":
        return _float(directive, value)
    if conversion == "b":
        return "false" if value is None or value is False else "true"
    if conversion == "c":
        if value.__class__ is not str or len(value) != 1:
            raise type_error("format", "the argument of %c", "a string of one character", value)
        return str(value)
    text: str = value if value.__class__ is str else display(value)
    return text if directive.precision is None else text[: directive.precision]


@builtin(
    "format",
    "(format template & values)",
    "The template with its directives (%s %d %.2f %5d %-5s %x …) filled in, as Java's format does.",
    '(format "%s has %d, %.2f" "a" 3 1.5)',
    '"a has 3, 1.50"',
)
def format_(template: Any, /, *values: Any) -> str:
    need_string("format", "the template", template)
    parts: list[str] = []
    size = at = used = 0
    while True:
        start = template.find("%", at)
        if start < 0:
            break
        directive = parse_directive(template, start)
        parts.append(template[at:start])
        at = directive.end
        if directive.conversion in "%n":
            text = "%" if directive.conversion == "%" else "\n"
        else:
            index = used if directive.index is None else directive.index
            if directive.index is None:
                used += 1
            if index >= len(values):
                problem = f"has no value for {template[start:at]}, the values are {len(values)}"
                raise argument_error("format", problem, "argument/format")
            size += max(directive.width, directive.precision or 0)
            if size > MAX_TEXT:
                raise size_error("format")
            text = _rendered(directive, values[index])
        text = text.ljust(directive.width) if "-" in directive.flags else text.rjust(directive.width)
        parts.append(text)
        size += len(text) + directive.end - start
        if size > MAX_TEXT:
            raise size_error("format")
    parts.append(template[at:])
    if size + len(template) > MAX_TEXT:
        raise size_error("format")
    return "".join(parts)
