"""`rtfs test`: which chunks run, what is written, and how results are told."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rtfs.cli.main import main

SHOP = '(capability "shop.find" :input-schema [:map [:query :string]] :output-schema [:vector :string] :provider "x")'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def golden(folder: Path, text: str) -> Path:
    path = folder / "page.test.rtfs"
    path.write_text(text, "utf-8")
    return path


def test_a_matcher_takes_every_value_of_its_type(folder: Path, capsys: pytest.CaptureFixture[str]):
    golden(folder, '{:id 7 :name "x"} ;~ [:map [:id :int] [:name :string]]\n')
    assert main(["test"]) == 0
    golden(folder, '{:id "7"} ;~ [:map [:id :int]]\n---\n(nth [] 5) ;~ :int\n---\n1 ;~ :nonsense\n')
    capsys.readouterr()
    assert main(["test"]) == 1
    said = capsys.readouterr().out
    assert "expected an integer at [:id]" in said
    assert "got an error" in said
    assert ":nonsense is not a type" in said


def test_update_leaves_a_matcher_alone(folder: Path):
    text = '{:id "7"} ;~ [:map [:id :int]]\n'
    path = golden(folder, text)
    assert main(["test", "--update"]) == 1
    assert path.read_text("utf-8") == text


def test_update_turns_no_value_into_an_error_unless_told_to(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = "(nth [1] 5) ;=> 1\n"
    path = golden(folder, text)
    assert main(["test", "--update"]) == 1
    assert path.read_text("utf-8") == text
    assert "--accept-errors" in capsys.readouterr().out
    assert main(["test", "--update", "--accept-errors"]) == 0
    assert path.read_text("utf-8").startswith("(nth [1] 5) ;! index/out-of-bounds")


def test_update_writes_no_path_of_the_machine(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = f'(str "{folder}" "/x") ;=> ?\n'
    path = golden(folder, text)
    assert main(["test", "--update"]) == 1
    assert path.read_text("utf-8") == text
    assert "names a folder of this machine" in capsys.readouterr().out


def test_stubs_have_to_fit_the_loaded_declaration(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "shop.rtfs").write_text(SHOP, "utf-8")
    golden(folder, ';stub "shop.find" {:query "x"} => ["a"]\n(count (call "shop.find" {:query "x"})) ;=> 1\n')
    assert main(["test", "--load", "shop.rtfs"]) == 0
    golden(folder, ';stub "shop.find" {:qurey "x"} => ["a"]\n(count (call "shop.find" {:qurey "x"})) ;=> 1\n')
    assert main(["test"]) == 0
    assert main(["test", "--load", "shop.rtfs"]) == 1
    assert "the declaration refuses this stub" in capsys.readouterr().out
    golden(folder, ';stub "shop.find" {:query "x"} => 5\n(call "shop.find" {:query "x"}) ;=> 5\n')
    assert main(["test", "--load", "shop.rtfs"]) == 1


def test_k_picks_chunks_and_v_names_them(folder: Path, capsys: pytest.CaptureFixture[str]):
    golden(folder, "; adding\n(+ 1 2) ;=> 3\n---\n; taking\n(- 1 2) ;=> 5\n")
    assert main(["test", "-k", "adding", "-v"]) == 0
    assert capsys.readouterr().out == "passed  page.test.rtfs:2: adding\n1 passed, 0 failed\n"


def test_json_and_junit_say_the_same_of_each_chunk(folder: Path, capsys: pytest.CaptureFixture[str]):
    golden(folder, "; adding\n(+ 1 2) ;=> 3\n---\n; taking\n(- 1 2) ;=> 5\n")
    assert main(["test", "--json", "--junit", "out.xml"]) == 1
    results = json.loads(capsys.readouterr().out)["results"]
    assert [(one["chunk"], one["passed"]) for one in results] == [("adding", True), ("taking", False)]
    suite = ElementTree.parse(folder / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.find("failure") is None for case in suite] == [True, False]
