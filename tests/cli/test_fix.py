"""`rtfs fix` and `rtfs describe`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtfs.cli.main import main

TEXT = '(prinln (+ 1 2))\n(len "abc")\n'
FIXED = '(println (+ 1 2))\n(count "abc")\n'
DECLARED = """(capability "shop.find" :description "Find items" :effects [:network]
  :input-schema [:map [:query {:description "words to look for"} :string] [:limit {:optional true :default 10} :int]]
  :output-schema [:vector :string] :implementation (fn [m] []))"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "plan.rtfs"
    path.write_text(TEXT, "utf-8")
    return path


def test_fix_replaces_the_file_and_keeps_its_permissions(plan: Path):
    plan.chmod(0o750)
    assert main(["fix", str(plan)]) == 0
    assert plan.read_text("utf-8") == FIXED
    assert plan.stat().st_mode & 0o777 == 0o750


def test_fix_diff_and_check_change_nothing(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["fix", "--diff", str(plan)]) == 0
    assert "-(prinln (+ 1 2))\n+(println (+ 1 2))" in "".join(
        line for line in capsys.readouterr().out.splitlines(keepends=True) if "len" not in line and "count" not in line
    )
    assert main(["fix", "--check", str(plan)]) == 1
    assert "would be println" in capsys.readouterr().err
    assert plan.read_text("utf-8") == TEXT


def test_fix_reports_what_is_left(plan: Path, capsys: pytest.CaptureFixture[str]):
    plan.write_text('(prinln (+ 1 "a"))', "utf-8")
    assert main(["fix", "--json", str(plan)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in found["fixed"]] == ["undefined"]
    assert [one["code"] for one in found["diagnostics"]] == ["type/mismatch"]
    assert plan.read_text("utf-8") == '(println (+ 1 "a"))'


def test_describe_writes_a_call_with_types_effects_and_descriptions(plan: Path, capsys: pytest.CaptureFixture[str]):
    plan.with_name("shop.rtfs").write_text(DECLARED, "utf-8")
    assert main(["describe", "--load", "shop.rtfs", "shop.*"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        '(call "shop.find" {:query :string :limit? :int}) → [:vector :string]',
        "  Find items",
        "  :query  words to look for",
        "  effects: network",
    ]
    assert main(["describe", "--load", "shop.rtfs", "--json-schema", "shop.find"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["input_schema"]["properties"]["query"]["type"] == "string"
    assert found["parameters"][1] == {"name": "limit", "type": ":int", "optional": True, "default": 10}


def test_describe_of_a_program_has_functions_calls_and_bounds(plan: Path, capsys: pytest.CaptureFixture[str]):
    plan.with_name("shop.rtfs").write_text(DECLARED, "utf-8")
    plan.write_text('(defn ask [q & more] (call "shop.find" {:query q}))\n(call "shop.find" {:query "x"})\n', "utf-8")
    assert main(["describe", "--load", "shop.rtfs", "--json", "plan.rtfs"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["functions"] == ["(ask q & more)"]
    assert found["effects"] == [{"id": "shop.find", "at_most": None}]


def test_describe_of_an_unknown_id_says_what_was_meant(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["describe", "ccos.data.parse-jsn"]) == 1
    assert "ccos.data.parse-json" in capsys.readouterr().err


def test_describe_shows_the_parameters_and_the_result_of_a_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sum.rtfs"
    file.write_text(
        '(plan "sum" "Adds" {:params {:ns [[:vector :int] :doc "which"] :how [:keyword :default :all]} :result :int}\n'
        "  (reduce + ns))"
    )
    assert main(["describe", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  plan sum: Adds",
        "    ns [:vector :int]  which",
        "    how :keyword = :all",
        "    gives :int",
        "  calls no capability",
    ]
    assert main(["describe", "--json", str(file)]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["plan"]["parameters"]] == ["ns", "how"]
    assert found["plan"]["parameters"][1]["default"] == ":all"
