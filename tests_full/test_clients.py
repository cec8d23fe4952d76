"""Every real client gets tools, a value, an error and, where it shows forms, an approval."""

from __future__ import annotations

import pytest

from tests_full.client_cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_client_works(case: Case) -> None:
    _, found = case.tried()
    assert not [check for check, works in found.items() if works is False]
