"""The terminal tests drive tmux; on a machine without it they are not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

import rtfs
from rtfs.repl.session import Session

collect_ignore = [] if shutil.which("tmux") else ["test_terminal.py", "test_terminal_servers.py"]

DECLARATIONS = """
(capability "issues.list" :description "List the issues"
  :input-schema {:owner :string :repo :string :state :string?
                 :labels [:vector {:name :string :color :string}] :page {:size :int :number :int?}}
  :implementation (fn [input] {:issues [{:number 1 :title "one"}]}))
(capability "issues.close" :input-schema {:number :int} :implementation (fn [input] nil))
"""


@pytest.fixture
def session() -> Iterator[Session]:
    """A session at whose prompt a person types, with two capabilities declared."""
    with rtfs.Runtime(context={"user": "ada", "team": "red"}, wording="shell") as runtime:
        runtime.load(DECLARATIONS, "issues.rtfs")
        yield Session(runtime, interactive=True)
