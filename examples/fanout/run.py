"""A fan-out over suppliers that fail, and what the host did about it.

$ python examples/fanout/run.py
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import rtfs

PRICES = {"north": 7, "east": 9, "west": 5}
FAILURES = {"north": 2, "east": 0, "west": 1_000}
asked: Counter[str] = Counter()


def quote(request: rtfs.Map) -> Any:
    """A supplier's price, after as many failures as the table says."""
    supplier = request[rtfs.Keyword("supplier")]
    asked[supplier] += 1
    if asked[supplier] <= FAILURES[supplier]:
        raise rtfs.HostError(f"{supplier} does not answer")
    return rtfs.from_python({"supplier": supplier, "price": PRICES[supplier], "source": "quote"}, keywords=True)


def list_price(request: rtfs.Map) -> Any:
    """What is printed in the catalogue, twice the price."""
    supplier = request[rtfs.Keyword("supplier")]
    return rtfs.from_python({"supplier": supplier, "price": 2 * PRICES[supplier], "source": "list"}, keywords=True)


def main() -> None:
    hints: Counter[str] = Counter()

    def note(record: rtfs.Record) -> None:
        if record.kind == "hint":
            hints[record.detail] += 1

    with rtfs.Runtime(on_event=note) as runtime:
        runtime.register("supplier.quote", quote)
        runtime.register("prices.list", list_price)
        plan = Path(__file__).with_name("plan.rtfs")
        print(rtfs.to_text(runtime.run(plan.read_text(encoding="utf-8"), name=plan.name)))
    print(dict(sorted(asked.items())))
    for detail, times in sorted(hints.items()):
        print(f"{detail} ({times}x)")


if __name__ == "__main__":
    main()
