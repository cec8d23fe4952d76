"""Reading source text, in megabytes a second."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import rtfs
from benchmarks.measure import Row, interleaved

GROUP = "reading"

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
    """MB/s of forms with spans."""
    text = text_of(300_000)
    (samples,) = interleaved([lambda: rtfs.read(text)])
    speed = len(text.encode()) / 1e6 / statistics.median(samples)
    yield Row(GROUP, "forms with spans", speed, "MB/s", goal=1.4, better="more", samples={"seconds": samples})
