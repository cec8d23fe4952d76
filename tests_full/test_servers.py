"""Every server and SDK of the table in docs/servers.md: what it offers works."""

from __future__ import annotations

import pytest

from tests_full.servers import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_what_a_server_offers_works(case: Case) -> None:
    _, found = case.tried()
    assert [check for check, works in found.items() if works is False] == []
    assert found["call"]
