"""The RTFS texts of the repository, and what the project's own lexer says of their characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtfs.source import Source
from rtfs.syntax.parser import tokens
from rtfs.syntax.tokens import Reading
from rtfs.values.keyword import Keyword

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("benchmarks", "examples", "stdlib", "tests")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.rtfs"))

HARD = """#!/usr/bin/env rtfs
;; what is hard: quotes " in comments, #| in them
(def s "a ; no comment #| nor this |# \\" \\\\")
#| outer #| inner |# still "out" ; |#
(def r #"a\\"b;[0-9]+") #_(ignored "form") 'x `(y ~z ~@w) @d ^{:doc "m"} v
[\\a \\" \\; \\( \\newline \\u0041 \\space]
[1 -2 +3 0x1F 0b101 0o17 2r101 1.5 -1.5e-7 1e100 3N 4.5M ##Inf ##-Inf ##NaN x1 a-1 - + -> ->> 'q a'b]
{:a/b 1, :k-2 nil} #{true false} #(+ % %2) [truefoo nilly] (f :x:y a:b)
#:ns{:a 1} 2023-12-25T10:30:45Z 550e8400-e29b-41d4-a716-446655440000 resource://r-1 #inst "2023-12-25"
(defn name- [x :int] (let [y 1] (when-let [z y] (when z 2))))
"two
lines ; inside #|"
"""


def kinds(text: str) -> list[str]:
    """`string`, `comment`, `number`, `keyword`, `constant`, `tagged`, `faulty`, `code` or `space` for each
    character, after the lexer that reads programs.

    A comment is what is neither in a token nor white space between them. `tagged` is `#inst "…"`, one token there, and
    `faulty` what the lexer reports: golden files hold such texts on purpose.
    """
    found = ["comment"] * len(text)
    reading = Reading(Source(text, "<test>"))
    for token in tokens(reading):
        after = token.after
        pieces = [(getattr(token, "value", token), token.start, token.end)]
        pieces += zip(after[::3], after[1::3], after[2::3], strict=True)
        for value, start, end in pieces:
            found[start:end] = [_kind(value, text[start:end])] * (end - start)
    for error in reading.errors:
        span = error.span
        assert span is not None
        found[span.start : span.end] = ["faulty"] * (span.end - span.start)
    begun = False  # whether a comment has begun since the last token or line end
    for at, character in enumerate(text):
        if found[at] != "comment":
            begun = False
        elif character not in " \t\r\n,":
            begun = True
        elif not begun:
            found[at] = "space"
        elif character == "\n":
            begun = False
            found[at] = "space"
    return found


def _kind(value: Any, written: str) -> str:
    if written.startswith(('"', '#"')):
        return "string"
    if written.startswith(("#inst", "#uuid")):
        return "tagged"
    if isinstance(value, Keyword):
        return "keyword"
    if written in ("nil", "true", "false"):
        return "constant"
    if isinstance(value, int | float):
        return "number"
    return "code"
