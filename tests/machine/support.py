"""Short cuts for the tests of the machine: programs in an environment of their own, no host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtfs.compiler import Environment, Program, compile_source
from rtfs.machine import Complete, Limits, Outcome, RequiresHost, new_environment, start
from rtfs.source import Source
from rtfs.values import UserError

ROOT = Path(__file__).resolve().parent.parent.parent


def program(text: str, environment: Environment | None = None, name: str = "test.rtfs") -> Program:
    return compile_source(Source(text, name), environment or new_environment())


def begin(text: str, limits: Limits | None = None, environment: Environment | None = None, **options: Any) -> Outcome:
    """Compile and start."""
    return start(program(text, environment), limits, **options)


def waiting(text: str, limits: Limits | None = None, environment: Environment | None = None) -> RequiresHost:
    """A program that asks its host for something."""
    outcome = begin(text, limits, environment)
    assert isinstance(outcome, RequiresHost)
    return outcome


def value(text: str, limits: Limits | None = None, environment: Environment | None = None) -> Any:
    """The value of a program that asks for nothing."""
    outcome = begin(text, limits, environment)
    assert isinstance(outcome, Complete)
    return outcome.value


def error(text: str, limits: Limits | None = None, environment: Environment | None = None) -> UserError:
    """The error a program ends with."""
    with pytest.raises(UserError) as caught:
        begin(text, limits, environment)
    return caught.value


def answered(outcome: Outcome, answer: Any = lambda call: call.args[0] if call.args else None) -> Any:
    """The value of a program whose calls are answered by a function of the call."""
    while isinstance(outcome, RequiresHost):
        outcome = outcome.resume(answer(outcome.call))
    return outcome.value


def in_a_process(script: str, *arguments: str) -> str:
    """Output of a Python script that may crash the interpreter: then the test fails, not the tests."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )
    assert run.returncode == 0, f"exit status {run.returncode}\n{run.stdout[-2000:]}{run.stderr[-4000:]}"
    return run.stdout.strip()
