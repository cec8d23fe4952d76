"""The types layer stays cheap to import."""

from __future__ import annotations

import subprocess
import sys


def test_importing_types_loads_nothing_heavy() -> None:
    heavy = [
        "typing",
        "re",
        "enum",
        "inspect",
        "json",
        "dataclasses",
        "lark",
        "re2",
        "difflib",
        "rtfs.types.from_schema",
    ]
    code = f"import sys; import rtfs.types; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
