"""The reference page and the examples of every declaration."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.testing.language_declarations import Declaration, all_declarations
from rtfs.testing.reference import PAGE, render

DECLARATIONS = all_declarations()
EXAMPLES = [
    pytest.param(expression, printed, id=f"{declared.kind}-{declared.name}-{number}")
    for declared in DECLARATIONS
    for number, (expression, printed) in enumerate(declared.examples, 1)
]


def test_the_reference_page_is_what_the_declarations_say():
    assert PAGE.read_text(encoding="utf-8") == render(DECLARATIONS), "run python -m rtfs.testing.reference --write"


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda d: f"{d.kind}-{d.name}")
def test_every_declaration_has_a_signature_one_line_of_doc_and_an_example(declared: Declaration):
    assert declared.signature.startswith(f"({declared.name}") or declared.name in declared.signature
    assert declared.doc.strip()
    assert "\n" not in declared.doc
    assert declared.examples


def outcome(expression: str) -> str:
    with rtfs.Runtime() as runtime:
        try:
            return rtfs.to_text(runtime.run(expression))
        except rtfs.UserError as error:
            return f";! {error.code}"


@pytest.mark.parametrize(("expression", "printed"), EXAMPLES)
def test_the_example_gives_what_it_says(expression: str, printed: str):
    assert outcome(expression) == printed
