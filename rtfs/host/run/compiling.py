"""A run's program: compiled in this process, or found where it was compiled before, and run.

Must not know how calls are performed or journaled. Invariant: what a run that keeps its definitions to itself defines
is never in an environment that others share.
"""

from __future__ import annotations

from rtfs.compiler import compile_source, compiled_before
from rtfs.host.run.driver import drive
from rtfs.host.run.durability import NOT_DURABLE
from rtfs.host.scheduler.suspensions import Turn
from rtfs.machine import RequiresHost, memory, start
from rtfs.machine.limits import EXPANSION_LIMITS
from rtfs.machine.machine import start_work
from rtfs.syntax.collector import CollectorPaused
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Coroutine
    from typing import Any

    from rtfs.compiler import Program
    from rtfs.host.run.frame import Frame, Run
    from rtfs.source import Source


def known_program(source: Source, run: Run, compiling: LockType) -> Program | None:
    """The program of a text that was run lately, if it defines nothing; else None. compiling: the lock of those who
    compile in the run's environment."""
    environment = run.environment
    with compiling:
        environment.literal = None if run.flow is None else run.flow.literal
        return compiled_before(source, environment, run.gate)


async def compile_program(source: Source, run: Run, compiling: LockType) -> Program:
    """Compile a program, which may define something, within the time and memory of its run. Raises UserError.

    Python's collector waits: forms and nodes are gone at the end, in no cycles, before it would have looked at them.
    """
    if run.shares:
        with compiling:
            run.part()
    environment = run.environment

    def compile() -> Program:
        return compile_source(source, environment, module="user", gate=run.gate)

    with compiling, CollectorPaused():
        outcome = start_work(environment, compile, (), EXPANSION_LIMITS, run.breathe, run.budget)
    while isinstance(outcome, RequiresHost):  # a long text: others have their turn meanwhile
        assert outcome.machine is not None
        held = outcome.machine.budget.held
        await Turn()
        with compiling, CollectorPaused():
            outcome = outcome.resume(None)
            memory.promote()
            memory.set_aside(held)  # until the run is over: what has been compiled stays
    program: Program = outcome.value
    return program


def carried_out(program: Program, frame: Frame) -> Coroutine[Any, Any, Any]:
    """A program that begins to run, by the run's journaling; awaited, its value."""
    run = frame.run
    if run.durability is NOT_DURABLE:
        return drive(start(program, run.limits, run.breathe, run.budget, frame.flow), frame)
    return run.durability.carry_out(lambda: _run_program(program, frame), program.environment)


async def _run_program(program: Program, frame: Frame) -> Any:
    """The value of a program, whose journal has its errors as the caller gets them."""
    run = frame.run
    try:
        return await drive(start(program, run.limits, run.breathe, run.budget, frame.flow), frame)
    except UserError as error:
        from rtfs.machine.errors.refine import refine_error

        refine_error(error)
        raise
