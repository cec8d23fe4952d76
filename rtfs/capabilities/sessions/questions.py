"""A server's question to a person in the middle of a call: a message, a flat form, and the answer to it.

Must not know any provider, protocol or terminal. Invariants: what is shown of a server's text holds no control
characters; the content of an accepted answer fits the form, with the form's defaults where nothing was given.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    Ask = Callable[["Question"], Awaitable["Answer"]]

ACCEPT, DECLINE, CANCEL = "accept", "decline", "cancel"
"""The outcomes of a question: answered; refused; put aside, or not answered."""

MISSING: Any = object()
MOST_FIELDS = 64
MOST_CHOICES = 500
MESSAGE = 2_000
LABEL = 200
_KINDS = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "choice": "one of the choices", "choices": "a list of choices",
}  # fmt: skip
_SECRETS = (
    "password", "passwd", "passphrase", "secret", "token", "api key", "api-key", "api_key", "apikey", "credential",
    "private key", "private_key", "cvv", "one-time code",
)  # fmt: skip


class Answer:
    """action: `accept`, `decline` or `cancel`. content: of an accepted answer, name -> JSON value."""

    __slots__ = ("action", "content")

    def __init__(self, action: str, content: dict[str, Any] | None = None) -> None:
        self.action = action
        self.content = content

    def __repr__(self) -> str:
        return f"<answer {self.action}>"


class Field:
    """One value that is asked for. name: its key. kind: string, integer, number, boolean, choice (one of several texts)
    or choices (a list of them). title, about: the server's words, safe to show. required. default: a value that fits,
    or MISSING. choices: (value, words). least, most: of a number, of a text's length, of a list's. format: email, uri,
    date, date-time, or None. pattern: a regular expression, or None."""

    __slots__ = (
        "about", "choices", "default", "format", "kind", "least", "most", "name", "pattern", "required", "title",
    )  # fmt: skip

    def __init__(self, name: str, schema: Any, required: bool) -> None:
        if not isinstance(schema, dict):
            raise ValueError(f"the field {one_line(name, 60)!r} is not described")
        self.name = name
        self.required = required
        self.title = one_line(_text(schema.get("title")) or name, LABEL)
        self.about = one_line(_text(schema.get("description")), LABEL)
        self.choices: tuple[tuple[str, str], ...] = ()
        self.kind = self._kind(schema)
        bounds = {"string": ("minLength", "maxLength"), "choices": ("minItems", "maxItems")}
        low, high = bounds.get(self.kind, ("minimum", "maximum"))
        self.least, self.most = _number(schema.get(low)), _number(schema.get(high))
        self.format = _text(schema.get("format")) or None
        self.pattern = _text(schema.get("pattern")) or None
        self.default: Any = schema.get("default", MISSING)
        if self.default is not MISSING and self.problem(self.default) is not None:
            self.default = MISSING

    def _kind(self, schema: dict[str, Any]) -> str:
        kind = schema.get("type")
        if kind == "array":
            items = schema.get("items")
            self.choices = _choices(items) if isinstance(items, dict) else ()
            kind = "choices" if self.choices else None
        elif kind in ("string", None):
            self.choices = _choices(schema)
            kind = "choice" if self.choices else kind
        if not self.choices and kind not in ("string", "integer", "number", "boolean"):
            raise ValueError(f"the field {one_line(self.name, 60)!r} is of a kind that cannot be asked for")
        return str(kind)

    @property
    def wanted(self) -> str:
        """The requirement for a value, in words."""
        if self.choices:
            words = ", ".join(words for _, words in self.choices)
            return f"one of {words}" if self.kind == "choice" else f"any of {words}"
        said = self.format if self.kind == "string" and self.format else _KINDS[self.kind]
        unit = " characters" if self.kind == "string" else ""
        if self.least is not None and self.most is not None:
            return f"{said}, {self.least:g} to {self.most:g}{unit}"
        if self.least is not None:
            return f"{said}, at least {self.least:g}{unit}"
        return said if self.most is None else f"{said}, at most {self.most:g}{unit}"

    def problem(self, value: Any) -> str | None:
        """The problem with a value, in words; None if it is valid."""
        kind = self.kind
        if kind == "choices":
            known = [one for one, _ in self.choices]
            if not isinstance(value, list) or any(one not in known for one in value):
                return f"it has to be {self.wanted}"
            return self._bounded(len(value))
        if kind == "choice":
            fits = isinstance(value, str) and value in [one for one, _ in self.choices]
            return None if fits else f"it has to be {self.wanted}"
        if kind == "boolean":
            return None if isinstance(value, bool) else "it has to be true or false"
        if kind == "string":
            return self._text_problem(value) if isinstance(value, str) else "it has to be text"
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value - value != 0:
            return f"it has to be {_KINDS[kind]}"
        if kind == "integer" and value != int(value):
            return "it has to be a whole number"
        return self._bounded(value)

    def _bounded(self, size: float) -> str | None:
        outside = (self.least is not None and size < self.least) or (self.most is not None and size > self.most)
        return f"it has to be {self.wanted}" if outside else None

    def _text_problem(self, value: str) -> str | None:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return "it has to be text"
        if self.format is not None and not _has_format(value, self.format):
            return f"it has to be of the form {one_line(self.format, 40)}"
        if self.pattern is not None and not _matches(self.pattern, value):
            return f"it has to match {one_line(self.pattern, 80)}"
        return self._bounded(len(value))

    @property
    def sensitive(self) -> bool:
        """Whether the server's words sound as if it wanted a secret, which it must not ask for like this."""
        said = f"{self.name} {self.title} {self.about}".lower()
        return any(word in said for word in _SECRETS)


class Question:
    """server: who asks, as a person knows it. message: its words, several lines. fields: of the form, may be none. url:
    of a page to open instead of a form, or None: an answer that accepts says that the person is willing, and its
    content stays empty. capability, principal, run_id: of the call that is waiting, set by the host."""

    __slots__ = ("capability", "fields", "message", "principal", "run_id", "server", "url")

    def __init__(self, server: str, message: str, schema: Mapping[str, Any], *, url: object = MISSING) -> None:
        """schema: a JSON Schema of a flat object. Raises ValueError for another, or for a url that is not one."""
        properties = schema.get("properties", {})
        listed = schema.get("required")
        required = listed if isinstance(listed, list) else []
        if schema.get("type", "object") != "object" or not isinstance(properties, dict):
            raise ValueError("the requested schema is not an object")
        if len(properties) > MOST_FIELDS:
            raise ValueError(f"more than {MOST_FIELDS} fields are asked for")
        self.url = None if url is MISSING else _page(url)
        self.server = server
        self.message = _lines(message)
        self.fields = tuple(Field(name, described, name in required) for name, described in properties.items())
        self.capability = ""
        self.principal = ""
        self.run_id = ""

    def content(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The content of an answer: what was given, and the defaults of what was not. Raises ValueError that says what
        does not fit."""
        names = {field.name for field in self.fields}
        found: dict[str, Any] = {}
        wrong = [f"{one_line(str(name), 60)!r} is not asked for" for name in given if name not in names]
        for field in self.fields:
            value = given.get(field.name, MISSING)
            if value is MISSING:
                value = field.default
            if value is not MISSING:
                problem = field.problem(value)
                if problem is not None:
                    wrong.append(f"{one_line(field.name, 60)!r}: {problem}")
                found[field.name] = value
            elif field.required:
                wrong.append(f"{one_line(field.name, 60)!r} is missing")
        if wrong:
            raise ValueError("; ".join(wrong))
        return found

    def same(self, other: Question) -> bool:
        """Whether another question asks for the same in the same words."""
        mine, others = ([(field.name, field.kind, field.choices) for field in one.fields] for one in (self, other))
        return (self.message, self.url) == (other.message, other.url) and mine == others

    def __repr__(self) -> str:
        return f"<question of {self.server}>"


def _lines(text: str) -> str:
    """A message safe to show: its lines, each without control characters."""
    parts = [one_line(part, MESSAGE) for part in text[: 2 * MESSAGE].splitlines()[:50]]
    joined = "\n".join(parts).strip("\n")
    return joined if len(joined) <= MESSAGE else joined[: MESSAGE - 1] + "…"


def _page(url: object) -> str:
    """The address of a page for a person to open, safe to show. Raises ValueError for any other text: only https, or
    http on the loopback, without credentials in it."""
    from urllib.parse import urlsplit

    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or len(url) > MESSAGE:
        raise ValueError("the address of a page is needed")
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.username is not None or not (parts.scheme == "https" or local):
        raise ValueError("the address of a page begins with https://")
    return url


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and value - value == 0
    return value if good else None


def _choices(schema: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The texts to choose from, with the words for them: of `enum` (and the older `enumNames`), `oneOf` or `anyOf`."""
    values = schema.get("enum")
    if isinstance(values, list):
        names = schema.get("enumNames")
        words = names if isinstance(names, list) and len(names) == len(values) else values
        pairs = list(zip(values, words, strict=True))
    else:
        listed = schema.get("oneOf") or schema.get("anyOf")
        options = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        pairs = [(one.get("const"), one.get("title") or one.get("const")) for one in options]
    if len(pairs) > MOST_CHOICES or not all(isinstance(value, str) for value, _ in pairs):
        return ()
    return tuple((value, one_line(str(words), LABEL)) for value, words in pairs)


def _has_format(value: str, format: str) -> bool:
    if format == "email":
        name, _, host = value.rpartition("@")
        return bool(name and host) and not any(c.isspace() for c in value)
    if format == "uri":
        scheme, colon, rest = value.partition(":")
        return bool(colon and rest) and scheme.isascii() and scheme[:1].isalpha() and " " not in value
    if format in ("date", "date-time"):
        from datetime import date, datetime

        try:
            date.fromisoformat(value) if format == "date" else datetime.fromisoformat(value)
        except ValueError:
            return False
        return format == "date" or len(value) > len("2000-01-01")
    return True


def _matches(pattern: str, value: str) -> bool:
    """Whether a text matches, by an expression that cannot take long; True for one that cannot be read (the server
    will say)."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options).search(value) is not None
    except (re2.error, UnicodeEncodeError):
        return True
