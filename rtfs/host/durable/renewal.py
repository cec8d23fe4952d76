"""Continuing a run as a new one: the same program with other parameters, and none of the old one's journal.

Must not know stores, nor how calls are made. Invariants: the new run has the rights, principal, labels and priority of
the old one, and what was left of its quotas; its id follows from that of the old one, so that a second attempt finds it
made.
"""

from __future__ import annotations

from json import dumps, loads
from os import urandom
from time import time

from rtfs.compiler.forms.plan import GIVEN
from rtfs.host.durable.bundle import FIELDS
from rtfs.host.durable.codec import decode, encode
from rtfs.host.durable.store import DONE, QUEUED, RUNNING
from rtfs.host.run.parameters import UNFITTED
from rtfs.host.stop import Stop, stop
from rtfs.values import HostError, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtfs.host.policy.context import Quota

CONTINUES, CONTINUED, SPENT = "continues", "continued-as", "spent"
"""Facts. continues: of the new run, the id of the old one. continued-as: of the old one, that of the new one. spent:
what the runs before have used up of the quotas."""
_KEPT = (
    *FIELDS, "file", "folder", "context", "principal", "level", "grants", "rules", "calls", "limits", "width",
    "checked", "author", "inputs", "shell", "queue", "priority",
)  # fmt: skip
_FIRST, _NUMBER = "first", "number"
"""Facts: the id of the first of the runs, and which of them this is."""


class Renewal:
    """A run that is to be made in the place of another. facts: with which it begins. ending: facts of the other, which
    ends with that."""

    __slots__ = ("ending", "facts", "run_id")

    def __init__(self, run_id: str, old: Mapping[str, str], parameters: Map | None, quota: Quota) -> None:
        first, number = old.get(_FIRST, run_id), int(old.get(_NUMBER, "1")) + 1
        self.run_id = f"{first}.{number}"
        self.facts = {name: old[name] for name in _KEPT if name in old}
        self.facts |= {
            "state": QUEUED if "queue" in old else RUNNING, "nonce": urandom(6).hex(), "began": repr(time()),
            CONTINUES: run_id, _FIRST: first, _NUMBER: str(number),
            "context": encode(_context(old["context"], parameters)), "calls": dumps(quota.calls),
        }  # fmt: skip
        if quota.spending is not None:
            self.facts[SPENT] = dumps(quota.spending.as_data())
        self.ending = {"state": DONE, "ended": repr(time()), "result": encode(None), CONTINUED: self.run_id}

    @property
    def by_workers(self) -> bool:
        """Whether workers advance the new run."""
        return "queue" in self.facts


def renewing(run_id: str, old: Mapping[str, str], parameters: Map | None, quota: Quota) -> Stop:
    """The end of a run that continues as a new one. Raises HostError `capability/result` for parameters that cannot be
    recorded."""
    try:
        renewal = Renewal(run_id, old, parameters, quota)
    except TypeError as error:
        raise HostError(f"these parameters cannot be recorded: {error}", code="argument/invalid") from None
    found = stop(
        "run/continued",
        f"run {run_id} continues as run {renewal.run_id}",
        hint=f"rtfs resume {renewal.run_id} gives its value",
    )
    found.renewal = renewal
    return found


def spent_of(facts: Mapping[str, str]) -> Any:
    """The parts of the quotas that earlier runs have used, as `Spending.take` takes them; None if they used nothing."""
    return loads(facts[SPENT]) if SPENT in facts else None


def _context(text: str, parameters: Map | None) -> Map:
    """Context values with new parameters; those that are not named keep their values."""
    context: dict[Any, Any] = dict(decode(text).items())
    if parameters is not None and len(parameters):
        known = context.pop(GIVEN, None) or Map()
        known = Map([*known.items(), *(context.pop(UNFITTED, None) or Map()).items(), *parameters.items()])
        context[UNFITTED] = known
    return Map(context)
