"""Records what a real Clojure says: the values of programs.txt, and with `--names` the public names of its namespaces.

`python -m tests.clojure.record` writes recorded.jsonl, `--names` writes names.txt. Needs the command `clojure`, as
Debian's package of that name has it (Clojure 1.11).
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.clojure.programs import FOLDER, RECORDED, in_clojure, programs

SPECIAL = (
    "def if do let* loop* fn* quote var recur throw try catch finally new set! monitor-enter monitor-exit letfn* case* "
    "import* reify* deftype*"
)
NAMES = """
(require 'clojure.string 'clojure.set 'clojure.walk 'clojure.math 'clojure.edn)
(doseq [space '[clojure.core clojure.string clojure.set clojure.walk clojure.math clojure.edn]
        name (keys (ns-publics space))]
  (println (str space "/" name)))
"""


def names() -> list[str]:
    run = subprocess.run(["clojure", "-e", NAMES], capture_output=True, text=True, timeout=120, check=True)
    return sorted({*run.stdout.split(), *(f"clojure.core/{name}" for name in SPECIAL.split())})


def main(argv: list[str]) -> int:
    if "--names" in argv:
        (FOLDER / "names.txt").write_text("\n".join(names()) + "\n", encoding="utf-8")
        return 0
    sources = programs()
    rows = [{"source": source, "clojure": value} for source, value in zip(sources, in_clojure(sources), strict=True)]
    RECORDED.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} programs recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
