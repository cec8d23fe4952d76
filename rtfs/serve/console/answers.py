"""Answers to the questions of runs: stored with the run, which `rtfs resume` then continues in a separate process, with
its original options.

Must not know pages. Invariants: an answer reaches the question that was shown and no other, and of several answers the
first counts; a run's question cannot be answered with the token that started the run; who answered is in the run's
ledger.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import OrderedDict

from rtfs.host.durable.answers import answer
from rtfs.host.durable.runs import RunState
from rtfs.host.ledgers import ledger_of_run
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.host.durable.store import RunStore
    from rtfs.serve.console.access import Viewer
    from rtfs.serve.console.runs import RunRow

REASON = 500
"""Characters of a reason."""
SAID = 2_000
"""Characters of what a resumed run says that are looked at."""
TROUBLES = 200
"""Runs that could not be continued, of which it is known why."""
_ENDED, _PAUSED = (0, 1, 3), 4
"""Exit codes of `rtfs resume` for a run that has ended, or waits again: the run's own page tells."""


class Answers:
    """started_by(run id): the digest of the token that started a run, "" where it was started without one, None where
    that is not known (any more). words: for `rtfs resume`, to find the run."""

    def __init__(self, started_by: Callable[[str], str | None] = lambda run: None, words: Iterable[str] = ()) -> None:
        self._started_by = started_by
        self._words = list(words)
        self._troubles: OrderedDict[str, str] = OrderedDict()

    async def give(self, store: RunStore, viewer: Viewer, row: RunRow, question: str, verdict: Any) -> None:
        """Answer for a run, and have it continue. verdict: True, `APPROVED_FOR_RUN`, or the reason for
        no. Raises HostError `run/no-question`, `run/ended`, `serve/approval`, `argument/invalid`."""
        self._check(viewer, row)
        if isinstance(verdict, str):
            verdict = verdict[:REASON]

        def tell() -> None:
            with ledger_of_run(RunState(store.look(row.id))) as events:
                answer(store, events, row.id, question, verdict, viewer.name)

        await asyncio.to_thread(tell)
        self._troubles.pop(row.id, None)
        threading.Thread(target=self._resume, args=(row.id,), name=f"resume {row.id}", daemon=True).start()

    def trouble(self, run_id: str) -> str:
        """Why an answered run could not be continued, or ""."""
        return self._troubles.get(run_id, "")

    def _check(self, viewer: Viewer, row: RunRow) -> None:
        if not viewer.answers:
            raise HostError("this console takes no answers from you", code="serve/approval")
        if not row.answerable:
            raise HostError(
                "the run was started by a Python program, which knows its capabilities: it is resumed there",
                code="serve/approval",
            )
        if not viewer.token or row.principal != f"oauth:{viewer.name}":
            return
        token = self._started_by(row.id)
        later = viewer.issued is not None and viewer.issued > row.began
        if token == viewer.token or (token is None and not later):
            raise HostError(
                "a run is not approved with the token that started it",
                code="serve/approval",
                hint="sign in again, with another token",
            )

    def _resume(self, run_id: str) -> None:
        """Continue a run to its end, in a process that outlives this one."""
        command = [sys.executable, "-m", "rtfs", "resume", run_id, "--no-input", *self._words]
        quiet = subprocess.DEVNULL
        try:
            with subprocess.Popen(
                command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True, errors="replace",
                start_new_session=True,
            ) as process:  # fmt: skip
                assert process.stderr is not None
                said = ""
                for line in process.stderr:
                    said = (said + line)[:SAID]
                code = process.wait()
        except OSError as error:
            code, said = 2, str(error)
        elsewhere = "run/active" in said  # another process continues it, with the answer
        if code not in (*_ENDED, _PAUSED) or ("error run/" in said and not elsewhere):
            self._troubles[run_id] = said.strip().removeprefix("error ")
            while len(self._troubles) > TROUBLES:
                self._troubles.popitem(last=False)
