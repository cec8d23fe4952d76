"""JSON beside Python's `json`, and what the ledger's text and hash of a large result cost beside the result.

`parse-json` reads with pydantic's parser, which is imported from the start, as it is where a configuration or a typed
function is loaded; otherwise it would be imported after some megabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pydantic_core  # noqa: F401 - see above

import rtfs
from benchmarks.measure import Row, compare, interleaved

GROUP = "json"
ROWS = 3_000


def data() -> list[dict[str, Any]]:
    """Rows as an API answers them."""
    return [
        {"id": n, "name": f"n{n}", "tags": ["a", "b"], "price": n * 1.5, "ok": True, "sub": {"x": n, "y": None}}
        for n in range(ROWS)
    ]


def run() -> Iterator[Row]:
    """Times of both, and the share of the ledger."""
    rows = data()
    text = json.dumps(rows)
    answer = rtfs.from_python(rows, keywords=True)  # what `rows` become as the result of a call
    with rtfs.Runtime() as rt:
        rt.register("bench.text", lambda: text)
        rt.register("bench.rows", lambda: rows)
        rt.register("bench.value", lambda: answer)
        rt.run(
            '(def text (call "bench.text")) (def value (parse-json text))'
            "(defn parse [] (count (parse-json text)))"
            "(defn parse-keywords [] (count (parse-json text {:keywords true})))"
            "(defn serialize [] (count (serialize-json value)))"
        )
        for name, base in (
            ("parse", lambda: json.loads(text)),
            ("parse-keywords", lambda: json.loads(text)),
            ("serialize", lambda: json.dumps(rows)),
        ):
            yield compare(GROUP, f"{name}, {ROWS:,} rows", lambda n=name: rt.run(f"({n})"), base, goal=1.5)
        jobs = [lambda: rt.call("bench.rows"), lambda: rt.call("bench.value")]
        whole, ready = (min(samples) * 1e3 for samples in interleaved(jobs))
        share = ready / max(whole - ready, 1e-9)
        yield Row(GROUP, "ledger, beside the result's own", ready, "ms", whole - ready, share, goal=0.1)
