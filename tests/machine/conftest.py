"""The tests of the machine share a unit cache of their own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="package")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RTFS_CACHE_DIR", str(tmp_path_factory.mktemp("units")))
        yield
