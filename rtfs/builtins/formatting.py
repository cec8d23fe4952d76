"""`format`: text from a template with directives, as Java's `Formatter` reads them.

`%[n$][flags][width][.precision]conversion`; conversions `s S d f e E g G x X o b B c C n %`, flags `-` (left) `+`
(sign) space `0` (zeros) `,` (groups of three) `(` (negative in parentheses) `#` (prefix of `x` and `o`) `<` (the
argument before). Halves are rounded up, as the shortest decimal text of the number shows them. Must not know how values
print inside. Invariant: the size of the result is bounded before a width or precision is honoured.

Source: https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Formatter.html
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_TEXT, argument_error, need_string, shown, size_error, type_error
from rtfs.builtins.declare import builtin
from rtfs.syntax.numbers import int_text
from rtfs.syntax.printer import display
from rtfs.values import EvalError, LimitError, Regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Taken = tuple[list[tuple[str, "Directive"]], EvalError | LimitError | None]

FLAGS = "-+ 0,(#<"
CONVERSIONS = "sSdfeEgGxXobBcCn%"

# The flags that a conversion takes, besides `-` and `<`.
_TAKES = {"d": "+ 0,(", "f": "+ 0,(#", "e": "+ 0(#", "g": "+ 0,(", "x": "0#", "o": "0#"}


class Directive:
    """One directive of a template. text: as written. index: of its argument, from 0, -1 for that of the directive
    before, or None for the next one; precision: None if not given; end: the offset behind it."""

    __slots__ = ("conversion", "end", "flags", "index", "precision", "text", "upper", "width")

    def __init__(
        self, text: str, index: int | None, flags: str, width: int | None, precision: int | None, end: int
    ) -> None:
        self.text = text
        self.index = index
        self.flags = flags
        self.width = width or 0
        self.precision = precision
        self.upper = text[-1].isupper()
        self.conversion = text[-1] if text[-1] == "X" else text[-1].lower()
        self.end = end


def _bad(text: str, why: str) -> EvalError:
    return argument_error("format", f"cannot use the directive {shown(text)}: {why}", "argument/format")


def _unknown(template: str, start: int) -> EvalError:
    what = shown(template[start : start + 12])
    known = "%s %d %f %e %g %x %X %o %b %c %n %%"
    error = argument_error("format", f"does not know the directive at {what}; there are {known}", "argument/format")
    error.hint = "a percent sign is written %%"
    return error


def _digits(text: str, at: int) -> tuple[int | None, int]:
    """The number that starts at `at`, or None, and where it ends. A number of 12 digits is the text limit plus one."""
    end = at
    while text[end : end + 1] in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"):
        end += 1
    if end == at:
        return None, at
    return (int(text[at:end]) if end - at < 12 else MAX_TEXT + 1), end


def parse_directive(template: str, start: int) -> Directive:
    """The directive whose `%` is at `start`. EvalError `argument/format` for an unknown directive or unsuitable
    flags."""
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
            raise _unknown(template, start)
    conversion = template[at : at + 1]
    if not conversion or conversion not in CONVERSIONS:
        raise _unknown(template, start)
    if (width or 0) > MAX_TEXT or (precision or 0) > MAX_TEXT:
        raise size_error("format")
    if "<" in flags:
        index = -1
    directive = Directive(template[start : at + 1], index, flags, width, precision, at + 1)
    _check_flags(directive)
    return directive


def _check_flags(directive: Directive) -> None:
    flags, text = directive.flags, directive.text
    takes = _TAKES.get(directive.conversion.lower(), "")
    for flag in flags:
        if flag not in "-<" and flag not in takes:
            raise _bad(text, f"the flag `{flag}` does not go with `{text[-1]}`")
    if len(set(flags)) != len(flags):
        raise _bad(text, "a flag is written twice")
    if not directive.width and ("-" in flags or "0" in flags):
        raise _bad(text, "the flags `-` and `0` need a width")
    if ("-" in flags and "0" in flags) or ("+" in flags and " " in flags):
        raise _bad(text, "its flags contradict each other")
    if directive.precision is not None and directive.conversion in "dxXoc":
        raise _bad(text, f"`{text[-1]}` takes no precision")


# ---------------------------------------------------------------------- numbers
def _grouped(digits: str) -> str:
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    groups.extend(digits[i : i + 3] for i in range(head, len(digits), 3))
    return ",".join(groups)


def _signed(directive: Directive, negative: bool, body: str) -> str:
    """Sign and body, with zeros between if the flags ask for them."""
    flags = directive.flags
    before, after = ("(", ")") if negative and "(" in flags else ("-" if negative else "", "")
    if not negative:
        before = "+" if "+" in flags else " " if " " in flags else ""
    if "0" in flags:
        body = body.rjust(directive.width - len(before) - len(after), "0")
    return before + body + after


def _integer(directive: Directive, value: Any) -> str:
    conversion = directive.conversion
    if value.__class__ is not int:
        error = type_error("format", f"the argument of %{conversion}", "an integer", value)
        if value.__class__ is float:
            error.hint = "%.0f or %.2f is for floats; (round x) and (int x) make an integer"
        raise error
    if conversion == "d":
        body = int_text(abs(value))
        return _signed(directive, value < 0, _grouped(body) if "," in directive.flags else body)
    if value < 0 and value >= -(1 << 63):
        value += 1 << 64  # as the 64 bits that it is in Java
    prefix = "" if "#" not in directive.flags else "0" if conversion == "o" else "0x"
    body = format(abs(value), conversion.lower())
    if "0" in directive.flags:
        body = body.rjust(directive.width - len(prefix) - (value < 0), "0")
    text = ("-" if value < 0 else "") + prefix + body
    return text.upper() if directive.upper else text


def _decimal(value: Any) -> tuple[int, int]:
    """(digits, scale): the number without its sign is digits / 10^scale, by its shortest decimal text."""
    if value.__class__ is int:
        return abs(value), 0
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    return int(whole + fraction), len(fraction) - int(exponent or 0)


def _scaled(digits: int, scale: int, places: int) -> int:
    """digits / 10^scale in units of 10^-places, halves up."""
    if places >= scale:
        return int(digits * 10 ** (places - scale))
    unit = 10 ** (scale - places)
    quotient, rest = divmod(digits, unit)
    return int(quotient + (2 * rest >= unit))


def _fixed(directive: Directive, digits: int, scale: int, places: int) -> str:
    """The number with so many places behind the point."""
    told = min(places, max(scale, 0))  # zeros behind these are text, however many there are
    text = int_text(_scaled(digits, scale, told)).rjust(told + 1, "0")
    whole, fraction = text[: len(text) - told], text[len(text) - told :]
    if "," in directive.flags:
        whole = _grouped(whole)
    return f"{whole}.{fraction.ljust(places, '0')}" if places or "#" in directive.flags else whole


def _significant(digits: int, scale: int, places: int) -> tuple[str, int]:
    """(first digits, exponent of ten of the first): the number rounded to one digit and `places` more, or as many as
    it has."""
    text = int_text(digits)
    exponent = len(text) - 1 - scale if digits else 0
    if len(text) > places + 1:
        text = int_text(_scaled(digits, len(text) - 1, places))
        if len(text) > places + 1:
            return text[:-1], exponent + 1
    return text, exponent


def _scientific(directive: Directive, digits: int, scale: int, places: int) -> str:
    text, exponent = _significant(digits, scale, places)
    point = "." if places or "#" in directive.flags else ""
    return f"{text[0]}{point}{text[1:].ljust(places, '0')}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _general(directive: Directive, digits: int, scale: int) -> str:
    """Java's `%g`: so many digits in all, as a fraction from 10^-4 up to what they can say, else with an exponent."""
    significant = 6 if directive.precision is None else directive.precision or 1
    exponent = _significant(digits, scale, significant - 1)[1]
    if digits and not -4 <= exponent < significant:
        return _scientific(directive, digits, scale, significant - 1)
    return _fixed(directive, digits, scale, max(0, significant - 1 - exponent))


def _float(directive: Directive, value: Any) -> str:
    conversion = directive.conversion
    if value.__class__ is not float and value.__class__ is not int:
        raise type_error("format", f"the argument of %{conversion}", "a number", value)
    if value.__class__ is float and value - value != 0:
        if value != value:
            return "NaN"
        sign = ("(", ")") if value < 0 and "(" in directive.flags else ("-" if value < 0 else "", "")
        plus = "+" if value > 0 and "+" in directive.flags else ""
        return f"{plus}{sign[0]}Infinity{sign[1]}"
    digits, scale = _decimal(value)
    places = 6 if directive.precision is None else directive.precision
    if conversion == "f":
        body = _fixed(directive, digits, scale, places)
    elif conversion == "e":
        body = _scientific(directive, digits, scale, places)
    else:
        body = _general(directive, digits, scale)
    return _signed(directive, value < 0 or repr(value) == "-0.0", body)


def _text(value: Any) -> str:
    return value if value.__class__ is str else value.pattern if value.__class__ is Regex else display(value)


def _rendered(directive: Directive, value: Any) -> str:
    """The text of a value by a directive, not filled up to its width."""
    conversion = directive.conversion
    if value is None and conversion not in "sb":
        return "nil"
    if conversion in "dxXo":
        return _integer(directive, value)
    if conversion in "feg":
        text = _float(directive, value)
    elif conversion == "c":
        if value.__class__ is not str or len(value) != 1:
            raise type_error("format", "the argument of %c", "a character", value)
        text = value
    else:
        text = _text(value) if conversion == "s" else "false" if value is None or value is False else "true"
        if directive.precision is not None:
            text = text[: directive.precision]
    return text.upper() if directive.upper else text


KEPT = 256
"""Templates whose directives are remembered, at most, and the characters that one of them has, at most."""

_taken_apart: dict[str, _Taken] = {}


def _take_apart(template: str) -> _Taken:
    """The directives of a template with the text before each, up to the first malformed one, and the error of that."""
    found: list[tuple[str, Directive]] = []
    at = 0
    while (start := template.find("%", at)) >= 0:
        try:
            directive = parse_directive(template, start)
        except (EvalError, LimitError) as error:
            return found, error
        found.append((template[at:start], directive))
        at = directive.end
    if len(template) <= KEPT:
        if len(_taken_apart) >= KEPT:
            _taken_apart.clear()
        _taken_apart[template] = found, None
    return found, None


@builtin(
    "format",
    "(format template & values)",
    "The template with its directives (%s %d %.2f %5d %-5s %x …) filled in, as Java's format does.",
    '(format "%s has %d, %.2f" "a" 3 1.5)',
    '"a has 3, 1.50"',
)
def format_(template: Any, /, *values: Any) -> str:
    need_string("format", "the template", template)
    taken = _taken_apart.get(template)
    if taken is None:
        taken = _take_apart(template)
    parts: list[str] = []
    size = used = last = 0
    asked = False
    directives, error = taken
    for before, directive in directives:
        parts.append(before)
        if directive.conversion in "%n":
            text = "%" if directive.conversion == "%" else "\n"
        else:
            if directive.index is None:
                last = used
                used += 1
            elif directive.index >= 0:
                last = directive.index
            elif not asked:
                raise _bad(directive.text, "no directive before it takes an argument")
            asked = True
            if last >= len(values):
                problem = f"has no value for {directive.text}, the values are {len(values)}"
                raise argument_error("format", problem, "argument/format")
            size += max(directive.width, directive.precision or 0)
            if size > MAX_TEXT:
                raise size_error("format")
            text = _rendered(directive, values[last])
        if directive.width:
            text = text.ljust(directive.width) if "-" in directive.flags else text.rjust(directive.width)
        parts.append(text)
        size += len(text) + len(directive.text)
        if size > MAX_TEXT:
            raise size_error("format")
    if error is not None:
        raise error
    if values and not asked and "{" in template:
        error = argument_error("format", "has values, but no directive that takes one", "argument/format")
        error.hint = 'the directives are Java\'s: (format "%s is %d" name number)'
        raise error
    parts.append(template[directives[-1][1].end :] if directives else template)
    if size + len(template) > MAX_TEXT:
        raise size_error("format")
    return "".join(parts)
