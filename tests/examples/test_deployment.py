"""The container file and the systemd unit name files, commands and options that there are."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs.cli.main import main
from tests.serve.test_http import listening

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "examples" / "deployment"
CONTAINER = (FOLDER / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
UNIT = (FOLDER / "rtfs.service").read_text(encoding="utf-8")


def instructions(name: str) -> list[str]:
    return [line.split(None, 1)[1] for line in CONTAINER.splitlines() if line.startswith(name + " ")]


def commands() -> list[list[str]]:
    """The commands that start the server."""
    (entry,), (given,) = instructions("ENTRYPOINT"), instructions("CMD")
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    return [json.loads(entry) + json.loads(given), shlex.split(line)]


def test_everything_that_a_wheel_needs_is_copied_into_the_image() -> None:
    copied = {word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert [name for name in sorted(copied) if not (ROOT / name).exists()] == []
    assert copied >= {"pyproject.toml", "README.md", "LICENSE", "rtfs", "grammar", "stdlib"}


def test_the_container_does_not_run_as_root() -> None:
    assert instructions("USER")[-1] not in ("0", "root")


@pytest.mark.parametrize("command", commands(), ids=["container", "unit"])
def test_the_server_is_started_with_options_that_it_has(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Path(command[0]).name == "rtfs"
    command[command.index("--config") + 1] = str(tmp_path / "missing.yaml")
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(command[1:]))
    assert ended.value.code == 2
    assert "missing.yaml" in capsys.readouterr().err


def test_the_health_check_asks_a_server_and_fails_where_there_is_none(tmp_path: Path) -> None:
    (words,) = re.findall(r"^HEALTHCHECK .*? CMD (\[.*\])$", CONTAINER, re.MULTILINE)
    check = json.loads(words)[2]
    with listening(tmp_path) as url:
        here = check.replace("http://127.0.0.1:8800", url.removesuffix("/mcp"))
        assert here != check
        assert subprocess.run([sys.executable, "-c", here], timeout=60).returncode == 0
    assert subprocess.run([sys.executable, "-c", here], timeout=60, stderr=subprocess.DEVNULL).returncode != 0
