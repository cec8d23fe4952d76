"""Asking a person before a call: the stage between a decision `approve` and the call.

Must not know terminals. Invariants: an approval is for one principal and one capability with these very arguments under
these rules (their keyed hash), is used once and ends after its time; only if the rule permits it does it hold
for the other calls of the run that the rule asks about; an answer that is not a clear yes is a no; the arguments are
shown completely, or with a note of what was left out; the time a person takes counts against no limit of the run.
"""

from __future__ import annotations

from time import monotonic

from rtfs.host.redaction import redact
from rtfs.host.run.person import FOR_RUN, Person
from rtfs.syntax.printer import to_text
from rtfs.values import HostError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.policy.policy import Decision
    from rtfs.host.run.frame import Frame

LIFE = 900.0
"""Seconds that an approval given in advance holds."""
WHOLE = 20_000
"""Characters up to which all arguments are shown as they are."""
RUNS = 10_000
"""Approvals for a run that are remembered; after as many others one is asked about again."""
PART = 2_000
"""Characters of one argument, of a call that is longer than that."""


class Refusal:
    """No, and why: `request.refuse("too expensive")`. The reason reaches the program."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class ApprovalRequest:
    """A request to approve a call. capability: id. arguments: tuple of RTFS values, in canonical form. text: the
    arguments as they may be shown, without known secrets: whole, or each shortened with a note of what is left out.
    reason: why approval is required. call: capability and arguments as text, whole; hash: the keyed hash of that and of
    the rules. principal, run_id: of the run. for_run: whether the person may approve for the rest of the run."""

    __slots__ = ("arguments", "call", "capability", "for_run", "hash", "principal", "reason", "run_id", "text")

    def __init__(
        self,
        entry: Entry,
        arguments: tuple[Any, ...],
        text: str,
        decision: Decision,
        call: str,
        hash: str,
        frame: Frame,
    ) -> None:
        self.capability = entry.id
        self.call = call
        self.arguments = arguments
        shown = redact(text)
        self.text = shown if len(shown) <= WHOLE else " ".join(self.parts(PART))
        self.reason = decision.reason
        self.for_run = decision.for_run
        self.hash = hash
        self.principal = frame.context.principal
        self.run_id = frame.context.run_id

    def parts(self, most: int | None = None) -> list[str]:
        """Each argument as a separate text, with its name; cut to so many characters, with a note of what was left
        out."""
        named = self.arguments[0] if len(self.arguments) == 1 else None
        if named.__class__ is Map:
            pairs = [(to_text(key), value) for key, value in named.items()]
        else:
            pairs = [(str(place), value) for place, value in enumerate(self.arguments)]
        return [f"{_cut(name, most)} {_cut(redact(to_text(value)), most)}" for name, value in pairs]

    def refuse(self, reason: str) -> Refusal:
        """The answer no, with a reason that reaches the program."""
        return Refusal(reason)


def _cut(text: str, most: int | None) -> str:
    if most is None or len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} …{len(text) - 2 * half:,} characters left out… {text[-half:]}"


class Approvals:
    """ask(request): True, False or a `Refusal`, "always" (for this hash, while the runtime lives), "run" (if
    `request.for_run`: for this run's calls of the capability that are asked about for the same reason), or None: no
    person is there; it may be async. ask is None: no person can be asked."""

    __slots__ = ("_always", "_for_runs", "_given", "_person")

    def __init__(self, ask: Callable[[ApprovalRequest], Any] | None = None) -> None:
        self._always: set[tuple[str, str]] = set()
        self._for_runs: dict[tuple[str, str, str], None] = {}
        self._given: dict[tuple[str, str], list[float]] = {}
        self._person = None if ask is None else Person(ask)

    def give(self, hash: str, principal: str = "local", seconds: float = LIFE) -> None:
        """Approve one call in advance: the hash is that of a `policy/approval-required` error (its data)."""
        self._given.setdefault((principal, hash), []).append(monotonic() + seconds)

    def _take(self, key: tuple[str, str]) -> bool:
        """Use up an approval given in advance."""
        moments = self._given.pop(key, [])
        good = [moment for moment in moments if moment > monotonic()]
        if len(good) > 1:
            self._given[key] = good[1:]
        return bool(good)

    async def settle(self, request: ApprovalRequest, frame: Frame) -> str:
        """How the request was approved, in words for the ledger. Raises HostError `policy/approval-required` if no
        person can be asked, `policy/denied` for no."""
        key = (request.principal, request.hash)
        if key in self._always:
            return "approved always"
        for_run = (request.run_id, request.capability, request.reason)
        if request.for_run and for_run in self._for_runs:
            return "approved before, for this run"
        if self._take(key):
            return "approved in advance"
        told = frame.run.durability.verdict(request, frame)
        answer, by = (None, "") if told is None else told
        if answer is None and self._person is not None:
            try:
                answer = await self._person.answer(request, frame)
            except HostError:
                raise
            except Exception as error:
                raise _refused(request, f"asking failed: {type(error).__name__}") from error
        if answer is None:
            raise HostError(
                f'calling "{request.capability}" needs an approval: {request.reason}',
                code="policy/approval-required",
                hint="run it at a terminal, or give the Runtime an `approve` function",
                capability=request.capability,
                data=request.hash,
            )
        if answer == "always" and answer.__class__ is str:
            self._always.add(key)
            return "approved, always"
        if request.for_run and answer == FOR_RUN and answer.__class__ is str:
            self._for_runs[for_run] = None
            while len(self._for_runs) > RUNS:
                del self._for_runs[next(iter(self._for_runs))]
            frame.run.durability.granted(request, by, frame)
            return f"approved by {by}, for this run" if by else "approved, for this run"
        if answer.__class__ is Refusal and answer.reason:
            raise _refused(request, f"it was not approved: {answer.reason}", str(answer.reason))
        if answer is not True:
            raise _refused(request, "it was not approved")
        return f"approved by {by}" if by else "approved"


def _refused(request: ApprovalRequest, why: str, reason: str | None = None) -> HostError:
    data = None if reason is None else Map([(Keyword("reason"), reason)])
    return HostError(
        f'calling "{request.capability}" is not allowed: {why}',
        code="policy/denied",
        capability=request.capability,
        data=data,
    )
