"""`ccos.io.println`, `print` and `log`: text for people. Standard output and error are looked up at each call."""

from __future__ import annotations

import sys

from rtfs.syntax.printer import display
from rtfs.values import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def println(*values: Any) -> None:
    """Write the values, separated by spaces, and a line end to standard output."""
    _write(sys.stdout, " ".join([display(value) for value in values]) + "\n")


def print_(*values: Any) -> None:
    """Write the values, separated by spaces, to standard output."""
    _write(sys.stdout, " ".join([display(value) for value in values]))


def log(*values: Any) -> None:
    """Write the values, separated by spaces, and a line end to standard error."""
    _write(sys.stderr, " ".join([display(value) for value in values]) + "\n")


def _write(stream: Any, text: str) -> None:
    if stream is None:  # a process without a console
        return
    try:
        stream.write(text)
    except OSError as error:
        raise Cancelled("the output cannot be written any more") from error
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
