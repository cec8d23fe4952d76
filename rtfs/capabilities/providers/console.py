"""`ccos.io.println`, `print` and `log`: text for people. It goes to the output of the run, else to standard output and
error, which are looked up at each call."""

from __future__ import annotations

import sys

from rtfs.syntax.printer import display
from rtfs.values import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.permit import Permit


def println(*values: Any, permit: Permit) -> None:
    """Write the values, separated by spaces, and a line end to the run's output, else to standard output."""
    _write(permit, "stdout", " ".join([display(value) for value in values]) + "\n")


def print_(*values: Any, permit: Permit) -> None:
    """Write the values, separated by spaces, to the run's output, else to standard output."""
    _write(permit, "stdout", " ".join([display(value) for value in values]))


def log(*values: Any, permit: Permit) -> None:
    """Write the values, separated by spaces, and a line end to the run's output, else to standard error."""
    _write(permit, "stderr", " ".join([display(value) for value in values]) + "\n")


def _write(permit: Permit, name: str, text: str) -> None:
    if permit.output is not None:
        permit.output(text)
        return
    stream = getattr(sys, name)
    if stream is None:  # a process without a console
        return
    try:
        stream.write(text)
    except OSError as error:
        raise Cancelled("the output cannot be written any more") from error
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
