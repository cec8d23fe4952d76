"""Run the example of two npm servers as its README shows it: `python -m tests.examples.notes`.

Not part of the test run, for npx fetches packages. Needs node and npm.
"""

from __future__ import annotations

import sys

from tests.examples.readme import missing, run, shown


def main() -> int:
    for command, lines in shown("notes"):
        done = run(command)
        lacking = missing(lines, done.stdout)
        print(f"$ {command}\n{done.stdout}", end="")
        if lacking or done.returncode:
            print(f"FAIL: exit code {done.returncode}, without: {lacking}")
            return 1
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
