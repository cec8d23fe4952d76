"""Programs as data: what is wrong is refused before its first effect, what is right runs to its value."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
from tests.checker.programs import Program, new_runtime, programs

WRONG = programs("wrong.rtfs", ";!")
RIGHT = programs("right.rtfs", ";=>")
CONTEXT = {"n": None, "s": "text", "m": rtfs.Map([])}
"""What `@n`, `@s` and `@m` are."""


@pytest.mark.parametrize("program", WRONG, ids=[one.text for one in WRONG])
def test_a_wrong_program_is_refused_with_its_code_and_no_effect(program: Program):
    done: list[Any] = []
    with new_runtime(done) as runtime, pytest.raises(rtfs.UserError) as caught:
        runtime.run(f'(call "test.effect")\n{program.text}', context=CONTEXT)
    assert caught.value.code == program.expected
    assert caught.value.span is not None
    assert done == []


@pytest.mark.parametrize("program", WRONG, ids=[one.text for one in WRONG])
def test_the_run_of_a_wrong_program_fails_with_the_same_code(program: Program):
    with new_runtime([]) as runtime, pytest.raises(rtfs.UserError) as caught:
        runtime.run(program.text, context=CONTEXT, check=False)
    assert caught.value.code == program.expected


@pytest.mark.parametrize("program", RIGHT, ids=[one.text for one in RIGHT])
def test_a_right_program_runs_to_its_value(program: Program):
    with new_runtime([]) as runtime:
        assert rtfs.to_text(runtime.run(program.text, context=CONTEXT)) == program.expected


def test_there_are_as_many_programs_as_promised():
    assert len(WRONG) >= 150
    assert len(RIGHT) >= 300
    assert len({one.text for one in WRONG}) == len(WRONG)
    assert len({one.text for one in RIGHT}) == len(RIGHT)
