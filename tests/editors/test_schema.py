"""editors/rtfs.schema.json and the other generated files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rtfs.host.config.config import Settings
from rtfs.testing.editor_files import FILES, SCHEMA

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATIONS = sorted((ROOT / "examples").rglob("rtfs.yaml"))
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SHOWN = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S), 1)
]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_file_is_what_the_models_and_declarations_say(path: Path):
    assert path.read_text(encoding="utf-8") == FILES[path](), "run python -m rtfs.testing.editor_files --write"


def test_there_are_example_configurations():
    assert len(CONFIGURATIONS) >= 4


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.parent.name)
def test_the_schema_accepts_an_example_configuration(path: Path, validator: Any):
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))] == []


def test_the_pages_show_configurations():
    assert len(SHOWN) >= 5


@pytest.mark.parametrize("text", SHOWN)
def test_the_schema_accepts_a_configuration_that_a_page_shows(text: str, validator: Any):
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


def test_the_schema_has_every_key_of_the_file(validator: Any):
    assert set(validator.schema["properties"]) == set(Settings.model_fields)


def test_the_defaults_written_out_are_accepted(validator: Any):
    assert list(validator.iter_errors(Settings().model_dump(mode="json"))) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("alow: [mcp.*]", "alow"),
        ("limits: {step: 3}", "step"),
        ("policy: {rules: [{match: a, decid: deny, decide: deny}]}", "decid"),
        ("policy: {level: strict}", "strict"),
        ("limits: {steps: 0}", "0"),
        ("allow: mcp.*", "mcp.*"),
        ("serve: {auth: {issuer: 'https://i', jwks: 'https://i/keys'}}", "audience"),
    ],
)
def test_the_schema_refuses_what_the_configuration_refuses(text: str, wrong: str, validator: Any):
    data = yaml.safe_load(text)
    with pytest.raises(ValueError):
        Settings.model_validate(data)
    assert any(wrong in error.message for error in _leaves(validator.iter_errors(data)))


def _leaves(errors: Any) -> Any:
    for error in errors:
        if error.context:
            yield from _leaves(error.context)
        else:
            yield error
