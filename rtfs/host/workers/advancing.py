"""`Advancing`: continues the runs of a database in this process, each as far as possible.

Must not know queues. Invariants: a run that started elsewhere brings its texts, and has only the rights that both its
start and this process allow; a run that cannot be continued anywhere is marked as stuck, with the reason.
"""

from __future__ import annotations

from _thread import allocate_lock

from rtfs.capabilities.registry import FILE
from rtfs.host.run.options import PLAIN, ResumeOptions
from rtfs.source import Source
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.host.durable.resume import Resumption
    from rtfs.host.durable.waits import Waits
    from rtfs.host.executor import Executor
    from rtfs.host.isolation.guests import Guests

    Base = tuple[Registry, Callable[[], Environment], Guests | None]
    Made = tuple[Registry, Environment, Guests | None]

KEPT = 32
"""Sets of loaded texts that are kept ready."""


class Advancing:
    """Continues runs. executor: that of the runtime whose capabilities and rights they use."""

    __slots__ = ("_at_work", "_bases", "_draining", "_executor", "_guard")

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._bases: dict[tuple[tuple[str, str], ...], Made] = {}
        self._at_work: set[Waits] = set()
        self._draining = False
        self._guard = allocate_lock()

    def advance(self, run_id: str) -> None:
        """Continue a run to its end, or until it waits for something outside. Raises HostError `run/…`, `database/…`,
        and what the program raises."""
        from rtfs.host.durable.resume import Resumption

        executor = self._executor
        executor.check_usable()
        found = Resumption(executor.store, run_id, ResumeOptions(), [], travels=True)
        if found.ended:
            return
        with self._guard:
            self._at_work.add(found.waits)
            found.waits.draining = self._draining
        try:
            try:
                registry, language, guests = self._base(found)
            except UserError as error:
                found.stick(error)
                raise
            executor.drive(executor.continued(found, (registry, language), guests))
        finally:
            with self._guard:
                self._at_work.discard(found.waits)
            found.close()

    def drain(self) -> None:
        """Hand back every run of this process before its next call."""
        with self._guard:
            self._draining = True
            for waits in self._at_work:
                waits.draining = True

    def _base(self, found: Resumption) -> Base:
        """The base environment of a run: the texts that were loaded where it began, with this runtime's
        capabilities."""
        executor, loaded = self._executor, found.loaded
        if [one.text for one in loaded] == [one.text for one, _ in executor.loaded]:
            registry, language = executor.fresh()
            if executor.isolated:
                return registry, language, None
            environment = language()
        else:
            made, base, guests = self._made(loaded)
            registry, environment = made.snapshot(), base.snapshot()
            if guests is not None:
                return registry, lambda: environment, guests
        environment.finder = found.files
        return registry, lambda: environment, None

    def _made(self, loaded: list[Source]) -> Made:
        key = tuple((one.name, one.text) for one in loaded)
        with self._guard:
            known = self._bases.get(key)
        if known is None:
            known = self._load(loaded)
            with self._guard:
                self._bases[key] = known
                while len(self._bases) > KEPT:
                    del self._bases[next(iter(self._bases))]
        return known

    def _load(self, loaded: list[Source]) -> Made:
        executor = self._executor
        registry = executor.registry.snapshot()
        if executor.isolated:
            from rtfs.host.isolation.running import load_apart

            guests = load_apart(executor, [(source, FILE) for source in loaded], registry)
            return registry, executor.environment, guests
        from rtfs.host.bundled.prelude import new_environment

        environment = new_environment(executor.options.module_path)
        for source in loaded:
            source.library = True
            run = executor.new_run(PLAIN, registry, lambda: environment, FILE, False)
            executor.drive(executor.execute(source, executor.new_frame(run, PLAIN, source)))
        environment.core_macros()
        return registry, environment, None
