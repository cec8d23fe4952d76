"""A shop in which a person has to allow that an order is cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFIG = """load: [caps.rtfs]
ledger: ledger.db
policy:
  rules:
    - {match: shop.cancel, decide: approve, reason: it cannot be undone}
"""
CAPS = """(capability "shop.cancel" :description "Cancel an order" :input-schema {:id :int}
  :implementation (fn [i] (str "cancelled " (:id i))))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rtfs.yaml").write_text(CONFIG)
    (tmp_path / "caps.rtfs").write_text(CAPS)
    return tmp_path
