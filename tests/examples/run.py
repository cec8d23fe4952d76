"""Run examples as their READMEs show them: `python -m tests.examples.run [--python PYTHON --folder FOLDER] [EXAMPLE…]`.

Without names, all that fetch no npm packages. With another PYTHON its installed rtfs is tried, on the `examples/` of
FOLDER: that is how CI tries the wheel. Not part of the test run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.examples.readme import FETCHING, FOLDERS, ROOT, problem, shown


def main() -> int:
    parser = argparse.ArgumentParser(description="Run examples as their READMEs show them.")
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--folder", type=Path, default=ROOT)
    options = parser.parse_args()
    failed = 0
    for example in options.examples or [name for name in FOLDERS if name not in FETCHING]:
        for command, lines in shown(example):
            wrong = problem(command, lines, options.python, options.folder)
            failed += bool(wrong)
            print(wrong or f"ok: {command}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
