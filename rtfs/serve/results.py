"""The report of a run to a model: structured content, a short text, media; errors with what was done already.

Must not know transports, nor how plans run. Invariants: structured content is JSON data that fits a model's context; an
error always comes with the calls that were made and their outcomes, so that no effect is repeated.
"""

from __future__ import annotations

import json

from rtfs.serve.runs import DONE, PAUSED, REFUSED
from rtfs.serve.truncation import CHARACTERS, TOKENS, cut_to, size
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.serve.handles import Handles
    from rtfs.serve.runs import Outcome, Pending

CALLS = 50
"""Calls of a run that are listed; of more, the first and the last."""
CUTS = 12
"""Cuts that are listed."""
ERRORS = 5
"""Errors of a refused plan that are told."""
MEDIA = ("image", "audio", "resource", "resource_link")
"""Content blocks that are passed through."""
MEDIA_BYTES = 5_000_000
"""Characters of blocks that are passed through."""


class Told:
    """The result of a tool. data: structured content. text: a short form of it. failed: whether it is an error. blocks:
    media. pending: the call at which a paused run waits."""

    __slots__ = ("blocks", "data", "failed", "pending", "text")

    def __init__(
        self,
        text: str,
        data: dict[str, Any] | None = None,
        failed: bool = False,
        blocks: list[dict[str, Any]] | None = None,
        pending: Pending | None = None,
    ) -> None:
        self.text = text
        self.data = data
        self.failed = failed
        self.blocks = blocks or []
        self.pending = pending


def told(outcome: Outcome, handles: Handles, principal: str, tokens: int = TOKENS) -> Told:
    """The outcome of a run, for a model. tokens: the approximate limit for its value."""
    data: dict[str, Any] = {"status": outcome.status}
    blocks: list[dict[str, Any]] = []
    if outcome.status == DONE:
        value = json_of(outcome.value)
        data["value"], more = _fitted(value, handles, principal, tokens)
        data.update(more)
        blocks = _media(outcome.value)
    calls = [one.as_data() for one in outcome.calls]
    if calls:
        data["calls"] = calls if len(calls) <= CALLS else [*calls[: CALLS // 2], *calls[-CALLS // 2 :]]
        if len(calls) > CALLS:
            data["calls_in_all"] = len(calls)
    if outcome.output:
        data["output"] = outcome.output
    if outcome.run_id is not None:
        data["run"] = outcome.run_id
    if outcome.pending is not None:
        pending = outcome.pending
        if pending.capability:
            data["pending"] = {
                "capability": pending.capability, "arguments": pending.text, "reason": pending.reason,
            }  # fmt: skip
            data["next"] = f"a person answers with `rtfs resume {outcome.run_id}` or in the console; then use resume"
        else:
            data["pending"] = {"reason": pending.reason}
            data["next"] = f"after `rtfs signal {outcome.run_id} NAME JSON`, or when its time has come, use resume"
    elif outcome.error is not None:
        errors = outcome.errors or [outcome.error]
        data["error"] = error_data(errors[0])
        if len(errors) > 1:
            data["further_errors"] = [error_data(error) for error in errors[1:ERRORS]]
    failed = outcome.status not in (DONE, PAUSED)
    asked = outcome.pending if outcome.pending is not None and outcome.pending.capability else None
    return Told(_text(outcome, data), data, failed, blocks, asked)


def part(value: Any, handles: Handles, principal: str, tokens: int = TOKENS) -> Told:
    """A part of a kept result."""
    shown, more = _fitted(value, handles, principal, tokens)
    return Told(_compact(shown), {"value": shown, **more})


def json_of(value: Any) -> Any:
    """A value as JSON data; what JSON does not have (functions, infinities) as RTFS text."""
    from rtfs.builtins import CORE
    from rtfs.syntax.printer import to_text

    try:
        return json.loads(CORE["serialize-json"](value))
    except (UserError, ValueError, RecursionError):
        return to_text(value)


def error_data(error: UserError) -> dict[str, Any]:
    """An error as JSON data: code, message, place, hint, capability; `report` is what a person would see, with the line
    and carets."""
    from rtfs.host.hint_wording import MODEL, worded
    from rtfs.syntax.diagnostics import render

    if error.hint:
        error.hint = worded(error.hint, MODEL)
    found: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.span is not None:
        found["line"], found["column"] = error.span.line, error.span.column
    for name in ("hint", "capability"):
        value = getattr(error, name)
        if value:
            found[name] = value
    path = _path(error.data)
    if path:
        found["path"] = path
    found["report"] = render(error, color=False)
    return found


def _path(data: Any) -> list[Any]:
    """The path to the wrong part of an argument, if the error has one."""
    from rtfs.values import Keyword, Map, Vector

    path = data.get(Keyword("path")) if isinstance(data, Map) else None
    keys = list(path) if isinstance(path, Vector) else []
    return [key.name if isinstance(key, Keyword) else key if isinstance(key, (int, str)) else str(key) for key in keys]


def _fitted(value: Any, handles: Handles, principal: str, tokens: int) -> tuple[Any, dict[str, Any]]:
    """JSON data that fits, and what to say of what was cut."""
    whole = size(value)
    if whole <= tokens * CHARACTERS:
        return value, {}
    shown, cuts = cut_to(value, tokens * CHARACTERS)
    if not cuts:
        return shown, {}
    more: dict[str, Any] = {"cut": [cut.as_data() for cut in cuts[:CUTS]]}
    if len(cuts) > CUTS:
        more["cuts_in_all"] = len(cuts)
    handle = handles.keep(principal, value, whole)
    if handle is not None:
        more["handle"] = handle
        more["whole"] = f"{whole:,} characters: result({{handle: {handle!r}, path: …}}), or @{handle} in a plan"
    return shown, more


def _media(value: Any) -> list[dict[str, Any]]:
    """The media blocks that came along with a value."""
    from rtfs.values import to_python
    from rtfs.values.info import ResultInfo

    note = getattr(value, "info", None)
    if not isinstance(note, ResultInfo):
        return []
    content = to_python(note.meta).get("content") or ()
    blocks = [block for block in content if isinstance(block, dict) and block.get("type") in MEDIA]
    return blocks if size(blocks) <= MEDIA_BYTES else []


def _text(outcome: Outcome, data: dict[str, Any]) -> str:
    if outcome.status == DONE:
        text = _compact(data["value"])
        return text + (f"\n(cut; the whole is {data['handle']})" if "handle" in data else "")
    if outcome.status == PAUSED:
        pending = data["pending"]
        if "capability" not in pending:
            return f"paused: {pending['reason']}; {data['next']}"
        return (
            f"paused: {pending['capability']} {pending['arguments']} waits for a person ({pending['reason']}); "
            f"run {outcome.run_id}"
        )
    lines = ["refused; nothing was done"] if outcome.status == REFUSED else [outcome.status]
    lines += [error["report"] for error in (data["error"], *data.get("further_errors", ()))]
    made = [one for one in outcome.calls if one.outcome in ("done", "may have happened")]
    if made:
        lines.append("calls already made: " + ", ".join(f"{one.id} ({one.outcome})" for one in made[:CALLS]))
    return "\n".join(lines)


def _compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
