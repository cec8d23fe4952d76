"""A process that runs or resumes a plan of twenty calls and kills itself, for real, at the place it is told.

`victim.py FOLDER run|resume POINT [CALL retry|VALUE]`. FOLDER/done gets a line for every call that was made, before
the call returns. POINT: `never`, `call:N:before`, `call:N:after` (within the Nth call this process makes, before or
after it is done) or `commit:N:before`, `commit:N:after` (around the Nth transaction). Prints the value; exit code 5
and the path of the call if it is in doubt.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import rtfs
from rtfs.host.durable.journal import Journal

PLAN = """
(capability "twice" :implementation (fn [x] (+ (call "count" {:n x}) (call "count" {:n x}))))
(def a (step "first" (+ (call "count" {:n 1}) (call "count" {:n 2}))))
(def b (step-parallel (call "count" {:n 3}) (call "count" {:n 4})
                      (+ (call "count" {:n 5}) (call "count" {:n 6}))))
(def c (call "twice" 7))
(def d (loop [i 8 sum 0] (if (< i 14) (recur (+ i 1) (+ sum (call "count" {:n i}))) sum)))
(def e ^{:runtime.retry {:max-retries 2 :initial-delay-ms 0}} (call "twice" 14))
(call "ccos.state.kv.put" :k [a b])
(def f (try (step-parallel (call "count" {:n 15}) (call "count" {:n -1}) (call "count" {:n 16}))
         (catch err (:code err))))
[a b c d e f (call "ccos.state.kv.get" :k) (call "count" {:n 17})]
"""
CALLS = 20


def main() -> int:
    folder, mode, point, *resolution = sys.argv[1:]
    kind, number, where = (point.split(":") + ["0", ""])[:3]
    left = {kind: int(number)}

    def reach(what: str, moment: str) -> None:
        if what == kind and moment == "before":
            left[what] -= 1
        if what == kind and moment == where and left[what] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    append = Journal.append

    def dying(self: Journal, line: bytes) -> int:
        reach("commit", "before")
        written = append(self, line)
        reach("commit", "after")
        return written

    Journal.append = dying  # type: ignore[method-assign]
    state = os.environ.get("VICTIM_STATE", folder)
    if state != folder:
        from rtfs.host.postgres.commits import Commits

        write = Commits.write

        def writing(self: Any, *given: Any) -> None:
            reach("commit", "before")
            write(self, *given)
            reach("commit", "after")

        Commits.write = writing  # type: ignore[method-assign]

    def count(arguments: Any) -> int:
        n = arguments.get(rtfs.Keyword("n"))
        reach("call", "before")
        with open(Path(folder) / "done", "a") as file:
            file.write(f"{n}\n")
        reach("call", "after")
        if n < 0:
            raise rtfs.HostError("less than nothing")
        return int(n) * 10

    with rtfs.Runtime(state=state) as runtime:
        runtime.register("count", count)
        try:
            if mode == "run":
                value = runtime.run(PLAN, durable=True, run_id="victim")
            elif resolution and resolution[1] == "retry":
                value = runtime.resume("victim", call=resolution[0], retry=True)
            elif resolution:
                value = runtime.resume("victim", call=resolution[0], result=int(resolution[1]))
            else:
                value = runtime.resume("victim")
        except rtfs.UserError as error:
            print(error)
            return 5 if error.code == "run/in-doubt" else 6
        print(rtfs.to_text(value))
    return 0


if __name__ == "__main__":
    sys.exit(main())
