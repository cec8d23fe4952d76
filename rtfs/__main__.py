"""`python -m rtfs`: the command."""

from __future__ import annotations

import sys

from rtfs.cli.main import command

if __name__ == "__main__":
    sys.exit(command())
