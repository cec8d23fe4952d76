"""Reads Python docstrings, in Google's and Sphinx's style: the description of a function and of its parameters.

Must not know types. Invariant: a docstring of no known style is a description and nothing else.
"""

from __future__ import annotations

import inspect
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SECTION = re.compile(r"(?:Args|Arguments|Parameters):$")
_GOOGLE = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.+)$")
_SPHINX = re.compile(r":param\s+(?:[^:]*\s)?(\w+)\s*:\s*(.+)$")


def docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The first paragraph, and what is said of each parameter, by name."""
    if not isinstance(function.__doc__, str) or function.__doc__ is type(function).__doc__:
        return "", {}
    text = inspect.cleandoc(function.__doc__)
    return " ".join(text.split("\n\n")[0].split()), {**_google(text.splitlines()), **_sphinx(text.splitlines())}


def _google(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    section: int | None = None
    depth = 0
    name = ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        words = line.strip()
        if _SECTION.match(words):
            section, name = indent, ""
        elif section is None or not words:
            continue
        elif indent <= section:
            section = None
        elif not name or indent <= depth:
            parameter = _GOOGLE.match(words)
            name, depth = (parameter[1], indent) if parameter else ("", 0)
            if parameter:
                found[name] = parameter[2]
        else:
            found[name] += " " + words
    return found


def _sphinx(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        words = line.strip()
        parameter = _SPHINX.match(words)
        if parameter:
            name = parameter[1]
            found[name] = parameter[2]
        elif words.startswith(":") or not words:
            name = ""
        elif name:
            found[name] += " " + words
    return found
