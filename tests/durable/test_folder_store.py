"""`FolderRunStore` beside what every store promises: the files that others change."""

from __future__ import annotations

import pytest

from rtfs.host.durable.bundle import Bundle
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.values import HostError
from tests.durable.test_store import PROGRAM, facts


def test_a_program_that_was_changed_is_said(tmp_path):
    store = FolderRunStore(str(tmp_path))
    digest = store.keep(Bundle(PROGRAM))
    path = tmp_path / "programs" / digest
    path.write_text(path.read_text().replace("1", "2"))
    with pytest.raises(HostError, match="it was changed") as caught:
        store.program(digest)
    assert caught.value.code == "run/damaged"


def test_an_answer_that_was_cut_off_is_not_there_and_the_next_one_is(tmp_path):
    store = FolderRunStore(str(tmp_path))
    store.create("r", facts()).close()
    (tmp_path / "r.answers").write_text('["x", "[1]"')
    store.answer("r", "x", "[2]", "ann")
    assert [one.answer for one in store.answers("r")] == ["[2]"]
