"""The example of every declaration is run, and prints what the declaration says."""

from __future__ import annotations

import pytest

from rtfs.builtins import REGISTRY
from rtfs.compiler import Environment, compile_source
from rtfs.machine import Complete, start
from rtfs.source import Source
from rtfs.syntax.printer import to_text

EXAMPLES = [(expression, printed) for entry in REGISTRY.values() for expression, printed in entry.examples]


@pytest.mark.parametrize(("expression", "printed"), EXAMPLES)
def test_an_example_prints_what_it_says(expression: str, printed: str) -> None:
    outcome = start(compile_source(Source(expression), Environment()))
    assert isinstance(outcome, Complete)
    assert to_text(outcome.value) == printed
