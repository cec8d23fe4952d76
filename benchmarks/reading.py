"""Reading source text and compiling it, in bytes a second."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import count

import rtfs
from benchmarks.measure import Row, interleaved

GROUP = "reading"
_numbers = count(time.time_ns())
"""What is put at the end of a text, which the cache on disk then does not have from an earlier run."""

PIECE = """
;; one of many functions
(defn handle-{n} "Looks at a record." [{{:keys [id title labels] :or {{labels []}}}} limit : int]
  (let [total (+ {n} (* limit 2.5)) names (map (fn [l] (str "<" l ">")) labels)]
    (cond
      (> total 100) {{:id id :title title :labels names}}
      (= id "none-{n}") nil
      :else [:small (into {{}} (for [n names] [n (count n)])) true])))
"""


def text_of(size: int) -> str:
    """Source text of about `size` characters."""
    made, n = [], 0
    while size > 0:
        made.append(PIECE.format(n=n))
        size -= len(made[-1])
        n += 1
    return "".join(made)


def run() -> Iterator[Row]:
    """MB/s of forms with spans; KB/s of units, without the cache on disk."""
    text = text_of(300_000)
    (samples,) = interleaved([lambda: rtfs.read(text)])
    speed = len(text.encode()) / 1e6 / statistics.median(samples)
    yield Row(GROUP, "forms with spans", speed, "MB/s", goal=3, better="more", samples={"seconds": samples})
    text = text_of(30_000)
    for name, where in (("compiled, as a file", "bench.rtfs"), ("compiled, as a text", "<bench>")):
        (samples,) = interleaved([lambda name=where: rtfs.compile(f"{text}; {next(_numbers)}", name=name)])
        speed = len(text.encode()) / 1e3 / statistics.median(samples)
        yield Row(GROUP, name, speed, "KB/s", goal=500, better="more", samples={"seconds": samples})
