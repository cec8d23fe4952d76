"""What a durable run is remembered by, and how it is found again: the facts in its journal.

Must not know how calls are performed. Invariants: a resumed run has the program, files, inputs and limits that it began
with (what is different now is a `run/divergence`, unless accepted), and at most the rights of both moments.
"""

from __future__ import annotations

import sys
from json import JSONDecodeError, dumps, loads
from os import urandom
from time import time

import rtfs
from rtfs.host.audit.events import RunResumed
from rtfs.host.durable.codec import decode, decode_calls, encode
from rtfs.host.durable.execution import Durable, Resolution, in_doubt, replay_of
from rtfs.host.durable.journal import (
    CALL,
    DONE,
    FAILED,
    RUNNING,
    SAFE,
    WAITING,
    WHOLE,
    Journal,
    create_journal,
    look,
    open_journal,
    state_folder,
)
from rtfs.host.policy.grants import Grants
from rtfs.host.policy.rules import Rules
from rtfs.host.run.options import RunOptions
from rtfs.host.sqlite import KILL
from rtfs.source import Source, Span
from rtfs.values import HostError, Map, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from rtfs.compiler import Environment
    from rtfs.host.executor import Executor
    from rtfs.host.run.frame import Frame
    from rtfs.host.run.options import ResumeOptions

LIMITS = ("steps", "depth", "seconds", "output")


def beginning(executor: Executor, source: Source, frame: Frame) -> Durable:
    """The journaling of a new run; its journal is made when the program is compiled, so that one that is no program
    leaves none."""
    context, run = frame.context, frame.run
    limits = {name: getattr(run.limits, name) for name in LIMITS} if run.limits is not None else None
    facts = {
        "state": RUNNING,
        "nonce": urandom(6).hex(),
        "began": repr(time()),
        "name": source.name,
        "text": dumps(source.text),
        "file": dumps(_is_file(source)),
        "folder": dumps(_here()),
        "context": encode(Map(context.values)),
        "principal": dumps(context.principal),
        "level": context.level,
        "grants": dumps([[_absolute(text) for text in layer.texts] for layer in context.grants]),
        "rules": dumps(executor.rules.as_data()),
        "calls": dumps(context.quota.calls),
        "limits": dumps(limits),
        "width": dumps(run.width),
        "versions": dumps(versions()),
        "loaded": dumps([(text.name, text.text) for text, _ in executor.loaded]),
        "shell": dumps(executor.shell),
    }

    def open_(environment: Environment) -> Journal:
        facts["files"] = dumps(files_of(environment))
        return create_journal(state_folder(executor.options.state), context.run_id, facts, executor.options.durability)

    return Durable(open_, slow=executor.options.durability != KILL)


class Resumption:
    """A run that is to be resumed. ended: whether it has a value or an error already; then `outcome` gives or raises
    it, else `begin` goes on with it. Raises HostError `run/…`."""

    def __init__(self, executor: Executor, run_id: str, options: ResumeOptions) -> None:
        self._executor = executor
        self._run_id = run_id
        self._options = options
        self._folder = state_folder(executor.options.state)
        facts, events, _ = look(self._folder, run_id)
        self._facts = facts
        self._calls = sum(1 for event in events if event.kind in (CALL, SAFE, WHOLE))
        self._sources = {}
        try:
            self._source = Source(loads(facts["text"]), facts["name"])
            self._context = dict(decode(facts["context"]).items())
            self._json = {
                name: loads(facts[name])
                for name in (
                    "file",
                    "principal",
                    "grants",
                    "rules",
                    "calls",
                    "limits",
                    "width",
                    "versions",
                    "loaded",
                    "files",
                )
            }
            self._sources[self._source.name] = self._source
            for name, text in self._json["files"].items():
                self._sources[name] = Source(text, name)
            for name, text in self._json["loaded"]:
                self._sources[name] = Source(text, name)
            self._result = decode(facts["result"], self._sources) if "result" in facts else ...
            if isinstance(self._result, UserError) and "calls-of-error" in facts:
                decode_calls(self._result, facts["calls-of-error"], self._sources)
        except (KeyError, ValueError, AttributeError, JSONDecodeError) as error:
            raise HostError(f"the journal of run {run_id} cannot be read: {error}", code="run/damaged") from None
        self.ended = facts["state"] in (DONE, FAILED) and self._result is not ...

    def outcome(self) -> Any:
        """The value of a run that has ended; raises its error."""
        if self._facts["state"] == FAILED:
            raise self._result  # type: ignore[misc]
        return self._result

    def begin(self) -> Coroutine[Any, Any, Any]:
        """The run, ready to be driven."""
        executor, known, given = self._executor, self._json, self._options
        if not given.accept_changes:
            self._check_versions()
            self._check_text(self._source, known["file"])
            self._check_loaded()
        source = self._source
        if given.accept_changes and known["file"]:
            source = _read(source.name) or source
        options = RunOptions(
            context=self._context,
            principal=known["principal"],
            limits=known["limits"] if given.limits is None else given.limits,
            timeout=given.timeout,
            allow=given.allow,
            name=source.name,
            run_id=self._run_id,
            durable=True,
            check=False,
        )
        registry, language = executor.fresh()
        run = executor.new_run(options, registry, language, 0, True)
        run.width = known["width"]
        frame = executor.new_frame(run, options, source)
        context = frame.context
        first, *narrowed = [Grants(texts) for texts in known["grants"]]
        context.grants = (first, context.grants[0], *narrowed, *context.grants[1:])
        context.bases, context.former_rules = 2, Rules(known["rules"])
        context.level = stricter(self._facts["level"], context.level)
        context.values = self._context
        left = [calls for calls in (known["calls"], context.quota.calls) if calls is not None]
        context.quota.calls = min(left, default=None)
        executor.events.emit(RunResumed(context, frame.parent, source.name))
        run.durability = Durable(self._open, resolution(given), slow=self._facts.get("durability", KILL) != KILL)
        return executor.execute(source, frame)

    def _open(self, environment: Environment) -> Journal:
        if not self._options.accept_changes:
            now = files_of(environment)
            for name, text in self._json["files"].items():
                if name not in now:
                    raise self._changed(f"the program no longer loads {name}", None)
                self._compare(Source(text, name), now[name])
            for name in now:
                if name not in self._json["files"]:
                    raise self._changed(f"the program now loads {name}", None)
        journal = open_journal(self._folder, self._run_id)
        state = journal.facts().get("state")
        if state not in (RUNNING, WAITING) and self.ended:
            journal.close()
            raise HostError(f"run {self._run_id} has ended meanwhile", code="run/active")
        return journal

    def _check_versions(self) -> None:
        for name, now in versions().items():
            was = self._json["versions"].get(name)
            if was != now:
                raise self._changed(f"the run began with {name} {was}; this is {name} {now}", None)

    def _check_text(self, source: Source, is_file: bool) -> None:
        if not is_file:
            return
        now = _read(source.name)
        if now is None:
            raise self._changed(f"{source.name} is gone", None)
        self._compare(source, now.text)

    def _check_loaded(self) -> None:
        now = [(text.name, text.text) for text, _ in self._executor.loaded]
        was = [(name, text) for name, text in self._json["loaded"]]
        for (name, text), (name_now, text_now) in zip(was, now, strict=False):
            if name != name_now:
                raise self._changed(f"{name_now} is loaded where {name} was", None)
            self._compare(Source(text, name), text_now)
        if len(now) != len(was):
            one = (was if len(was) > len(now) else now)[min(len(was), len(now))][0]
            raise self._changed(
                f"{one} is {'not loaded any more' if len(was) > len(now) else 'loaded in addition'}", None
            )

    def _compare(self, was: Source, now: str) -> None:
        if was.text == now:
            return
        source = Source(now, was.name)
        shared = min(len(was.text), len(now))
        at = next((index for index in range(shared) if was.text[index] != now[index]), shared)
        span = Span(source, min(at, max(len(now) - 1, 0)), min(at + 1, len(now)))
        raise self._changed(f"{was.name} was changed at line {source.position(at)[0]}", span)

    def _changed(self, what: str, span: Span | None) -> HostError:
        return HostError(
            f"{what}, after call {self._calls} of run {self._run_id} was made",
            code="run/divergence",
            span=span,
            hint="put it back, or try whether the record fits all the same: --accept-changes",
        )


def recorded(source: Source, frame: Frame, record: str | None, replay: str | None) -> Durable:
    """The journaling of a run whose calls are written to a recording, or answered by one."""
    from rtfs.host.durable.recording import Recorder, Recording, Replayed

    run_id = frame.context.run_id
    if replay is not None:
        return Replayed(lambda _: Recording(replay, run_id))
    assert record is not None
    return Durable(lambda _: Recorder(record, run_id, source.name))


def resolution(options: ResumeOptions) -> Resolution:
    """What `resume` was told about calls in doubt."""
    if options.result is not ...:
        return Resolution("result", options.result, options.call)
    return Resolution("retry" if options.retry else "failed" if options.assume_failed else "ask", None, options.call)


class RunState:
    """A durable run as a list shows it. state: running, interrupted, in doubt, waiting, done or failed. began: seconds
    since 1970. calls: how many have been announced. folder: where it was started. note: what it waits for or failed
    with, or None. asked: the call, as text, that it last waited for, or "". shell: of its runtime."""

    __slots__ = ("asked", "began", "calls", "folder", "name", "note", "run_id", "shell", "state")

    def __init__(self, folder: str, run_id: str) -> None:
        facts, events, busy = look(folder, run_id)
        doubtful = replay_of(run_id, events, lambda scheduler: None).in_doubt()
        state = facts.get("state", "?")
        if state in (RUNNING, WAITING) and busy:
            state = RUNNING
        elif state == RUNNING:
            state = "in doubt" if doubtful else "interrupted"
        self.run_id = run_id
        self.state = state
        self.asked = facts.get("asked", "")
        self.calls = sum(1 for event in events if event.kind in (CALL, SAFE, WHOLE))
        self.note = facts.get("note") if state == WAITING else None
        try:
            self.name = facts["name"]
            self.began = float(facts["began"])
            self.folder: str = loads(facts["folder"])
            self.shell: dict[str, Any] = loads(facts["shell"])
            if state == FAILED and "result" in facts:
                self.note = str(decode(facts["result"]))
        except (KeyError, ValueError) as error:
            raise HostError(f"the journal of run {run_id} cannot be read: {error}", code="run/damaged") from None
        if state == "in doubt":
            self.note = in_doubt(run_id, doubtful[0], False).error.message


def files_of(environment: Environment) -> dict[str, str]:
    """The module files that a program loaded, with their texts."""
    return {unit.source.name: unit.source.text for unit in environment.files.values()}


def versions() -> dict[str, str]:
    """What replaying depends on besides the program."""
    return {"Python": f"{sys.version_info[0]}.{sys.version_info[1]}", "rtfs": rtfs.__version__}


def stricter(one: str, other: str) -> str:
    """The stricter of two security levels."""
    from rtfs.host.policy.context import LEVELS

    return max(one, other, key=LEVELS.index)


def _is_file(source: Source) -> bool:
    found = _read(source.name)
    return found is not None and found.text == source.text


def _read(name: str) -> Source | None:
    import os

    from rtfs.host.files import read_source

    if not os.path.isfile(name):
        return None
    try:
        return read_source(name)
    except HostError:
        return None


def _absolute(grant: str) -> str:
    """A file grant as it is meant here, wherever the run is resumed."""
    from rtfs.host.policy.grants import real_path

    parts = grant.split(":", 2)
    if len(parts) == 3 and parts[0] == "fs":
        return f"fs:{parts[1]}:{real_path(parts[2])}"
    return grant


def _here() -> str:
    import os

    try:
        return os.getcwd()
    except OSError:
        return "/"
