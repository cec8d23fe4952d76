"""Runs one bomb: `python bombing.py < program`, with little memory and processor time. Prints what became of it."""

from __future__ import annotations

import resource
import sys

MEMORY = 1_500 * 1024 * 1024
SECONDS = 60


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import rtfs
    from rtfs.values import LimitError

    limits = {"steps": 3_000_000, "seconds": 10.0}
    with rtfs.Runtime(limits=limits) as runtime:
        try:
            value = runtime.run(sys.stdin.read())
            print("value", rtfs.to_text(value)[:200])
        except LimitError as error:
            print("limit", error.code, error.message)
        except rtfs.UserError as error:
            print("error", error.code, error.message[:200])


main()
