"""The facts in a durable run's journal from which the run is restored.

Must not know how calls are performed. Invariants: a resumed run has the program, files, inputs and limits that it began
with (what is different now is a `run/divergence`, unless accepted), is checked if it was then, and has at most the
rights of both moments.
"""

from __future__ import annotations

import sys
from json import JSONDecodeError, dumps, loads
from os import urandom
from time import time

import rtfs
from rtfs.host.durable.codec import decode, decode_calls, encode
from rtfs.host.durable.doubt import Resolution
from rtfs.host.durable.errors import damaged
from rtfs.host.durable.execution import Durable
from rtfs.host.durable.renewal import CONTINUED, CONTINUES, spent_of
from rtfs.host.durable.store import CALL, DONE, ENDED, RUNNING, SAFE, STUCK, WHOLE
from rtfs.host.durable.waits import Waits
from rtfs.host.policy.context import LEVELS
from rtfs.host.policy.grants import Grants
from rtfs.host.policy.rules import Rules
from rtfs.host.run.options import RunOptions
from rtfs.source import Source, Span
from rtfs.values import HostError, Map, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.host.durable.store import JournalStore, RunStore
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.host.run.durability import Loads
    from rtfs.host.run.frame import Frame
    from rtfs.host.run.options import ResumeOptions

LIMITS = ("steps", "depth", "seconds", "output", "memory")
AS_JSON = (
    *("file", "principal", "grants", "rules", "calls", "limits", "width", "checked", "author", "inputs"),
    *("versions", "loaded", "files"),
)
"""The facts that are kept as JSON."""


def opening(
    store: RunStore,
    source: Source,
    frame: Frame,
    options: RunOptions,
    rules: Rules,
    loaded: list[tuple[Source, int]],
    shell: dict[str, Any],
    more: Mapping[str, str] | None = None,
) -> Callable[[Loads], JournalStore]:
    """A function that creates the journal of a new run, given its environment. It is called when the program is
    compiled, so that a program with errors leaves no journal.

    rules: the runtime's. loaded: what it has loaded. shell: how a command line sets up such a runtime. more: further
    facts.
    """
    context, run = frame.context, frame.run
    calls, values = context.quota.calls, encode(Map(context.values))

    def open_(environment: Loads) -> JournalStore:
        limits = {name: getattr(run.limits, name) for name in LIMITS} if run.limits is not None else None
        facts = {
            "state": RUNNING,
            "nonce": urandom(6).hex(),
            "began": repr(time()),
            "name": source.name,
            "text": dumps(source.text),
            "file": dumps(_is_file(source)),
            "folder": dumps(_here()),
            "context": values,
            "principal": dumps(context.principal),
            "level": context.level,
            "grants": dumps([[_absolute(text) for text in layer.texts] for layer in context.grants]),
            "rules": dumps(rules.as_data()),
            "calls": dumps(calls),
            "limits": dumps(limits),
            "width": dumps(run.width),
            "checked": dumps(run.gate is not None),
            "author": dumps(options.author),
            "inputs": dumps(options.inputs),
            "versions": dumps(versions()),
            "loaded": dumps([(text.name, text.text) for text, _ in loaded]),
            "files": dumps(files_of(environment)),
            "shell": dumps(shell),
            **(more or {}),
        }
        return store.create(context.run_id, facts)

    return open_


class Resumption:
    """A run that is to be resumed, with its journal open. `ended`: whether it has a value or an error already; then
    `outcome` returns or raises it, else it runs with `source`, `options` and `durability`, in a context that `narrow`
    narrows. It may wait for files. Raises HostError `run/…`.

    loaded: what its runtime has loaded. travels: it has its texts with it, those of this machine do not count, and
    where it cannot continue it is left as stuck. `waits`: what it waits for.
    """

    def __init__(
        self,
        store: RunStore,
        run_id: str,
        options: ResumeOptions,
        loaded: list[tuple[Source, int]],
        travels: bool = False,
    ) -> None:
        self.waits = Waits(hands_over=travels)
        self._travels = travels
        self._run_id = run_id
        self._given = options
        self._loaded = [(text.name, text.text) for text, _ in loaded]
        self._journal = store.open(run_id)
        try:
            self._read()
            if self.ended:
                self.close()
            else:
                self._check()
        except HostError as error:
            self.stick(error)
            self.close()
            raise
        except BaseException:
            self.close()
            raise

    def _read(self) -> None:
        """Take the facts out of the journal."""
        facts = self._facts = dict(self._journal.facts)
        self._calls = sum(1 for event in self._journal.events if event.kind in (CALL, SAFE, WHOLE))
        sources: dict[str, Source] = {}
        try:
            self.source = Source(loads(facts["text"]), facts["name"])
            self._context = dict(decode(facts["context"]).items())
            self._json = {name: loads(facts[name]) for name in AS_JSON}
            sources[self.source.name] = self.source
            for name, text in self._json["files"].items():
                sources[name] = Source(text, name)
            for name, text in self._json["loaded"]:
                sources[name] = Source(text, name)
            self._result = decode(facts["result"], sources) if "result" in facts else ...
            if isinstance(self._result, UserError) and "calls-of-error" in facts:
                decode_calls(self._result, facts["calls-of-error"], sources)
        except (KeyError, ValueError, AttributeError, JSONDecodeError) as error:
            raise damaged(self._run_id, error) from None
        self.ended = facts["state"] in ENDED and self._result is not ...

    def stick(self, error: UserError) -> None:
        """Leave a run that travels as stuck, since nothing can be done with it here or elsewhere."""
        if self._travels:
            self._journal.commit([("state", STUCK), ("note", error.message)])

    @property
    def loaded(self) -> list[Source]:
        """The texts that the runtime had loaded when the run began."""
        return [Source(text, name) for name, text in self._json["loaded"]]

    @property
    def files(self) -> Files | None:
        """The module files of a run that travels, else None."""
        return Files(self._json["files"]) if self._travels else None

    @property
    def continues(self) -> str:
        """The run as whose continuation it was made, or ""."""
        return self._facts.get(CONTINUES, "")

    @property
    def continued_as(self) -> str:
        """The run as which it continues, or ""."""
        return self._facts.get(CONTINUED, "")

    def close(self) -> None:
        """Let go of the run, if it did not begin. Harmless when repeated."""
        self._journal.close()

    def outcome(self) -> Any:
        """The value of a run that has ended; raises its error."""
        if self._facts["state"] != DONE:
            raise self._result  # type: ignore[misc]
        return self._result

    @property
    def options(self) -> RunOptions:
        """The options that the run continues with."""
        known, given = self._json, self._given
        return RunOptions(
            context=self._context,
            principal=known["principal"],
            limits=known["limits"] if given.limits is None else given.limits,
            timeout=given.timeout,
            allow=given.allow,
            name=self.source.name,
            run_id=self._run_id,
            durable=True,
            check=known["checked"],
            author=known["author"],
            inputs=known["inputs"],
        )

    @property
    def width(self) -> int:
        """The number of branches that run at once."""
        return int(self._json["width"])

    def durability(self) -> Durable:
        """The journaling of the run."""
        return Durable(self._open, resolution(self._given), self.waits)

    def narrow(self, context: RuntimeContext) -> None:
        """Leave a context the rights that both it and the beginning of the run have."""
        known = self._json
        first, *narrowed = [Grants(texts) for texts in known["grants"]]
        context.grants = (first, context.grants[0], *narrowed, *context.grants[1:])
        context.bases, context.former_rules = 2, Rules(known["rules"])
        context.level = max(self._facts["level"], context.level, key=LEVELS.index)
        context.values = self._context
        left = [calls for calls in (known["calls"], context.quota.calls) if calls is not None]
        context.quota.calls = min(left, default=None)
        spent = spent_of(self._facts)
        if spent is not None and context.quota.spending is not None:
            context.quota.spending.take(spent)

    def _check(self) -> None:
        """Raise HostError `run/divergence` for a program, a loaded text or a version that is not what it was."""
        if self._given.accept_changes:
            if self._json["file"]:
                self.source = _read(self.source.name) or self.source
            return
        self._check_versions()
        if self._travels:
            return
        self._check_text(self.source, self._json["file"])
        self._check_loaded()

    def _open(self, environment: Loads) -> JournalStore:
        if not self._given.accept_changes and not self._travels:
            now = files_of(environment)
            for name, text in self._json["files"].items():
                if name not in now:
                    raise self._changed(f"the program no longer loads {name}", None)
                self._compare(Source(text, name), now[name])
            for name in now:
                if name not in self._json["files"]:
                    raise self._changed(f"the program now loads {name}", None)
        return self._journal

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
        now = self._loaded
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


class Files:
    """Finds and reads the module files of a run among the texts that it has with it. texts: by path."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find(self, name: str, source: Source) -> str | None:
        """The path of a module's file, None where there is none."""
        end = name.replace(".", "/") + ".rtfs"
        return next((path for path in self._texts if path == end or path.endswith("/" + end)), None)

    def read(self, path: str) -> str:
        """The text of a file."""
        return self._texts[path]


def recorded(source: Source, frame: Frame, record: str | None, replay: str | None) -> Durable:
    """The journaling of a run whose calls are written to a recording, or answered by one."""
    from rtfs.host.durable.recording import Recorder, Recording, Replayed

    run_id = frame.context.run_id
    if replay is not None:
        return Replayed(lambda _: Recording(replay, run_id))
    assert record is not None
    return Durable(lambda _: Recorder(record, run_id, source.name))


def resolution(options: ResumeOptions) -> Resolution:
    """The resolution of calls in doubt that was passed to `resume`."""
    if options.result is not ...:
        return Resolution("result", options.result, options.call)
    return Resolution("retry" if options.retry else "failed" if options.assume_failed else "ask", None, options.call)


def files_of(environment: Loads) -> dict[str, str]:
    """The module files that a program loaded, with their texts."""
    return {unit.source.name: unit.source.text for unit in environment.files.values()}


def versions() -> dict[str, str]:
    """The versions that a replay depends on besides the program."""
    return {"Python": f"{sys.version_info[0]}.{sys.version_info[1]}", "rtfs": rtfs.__version__}


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
