"""Records: a damaged ledger takes nothing more, and a signed head outside of it shows what was rewritten."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import rtfs
from rtfs.cli.main import main
from rtfs.host.audit.signing import check_head, sign_head


def ledger(tmp_path: Path, runs: int = 3) -> str:
    path = str(tmp_path / "ledger.db")
    with rtfs.Runtime(ledger=path) as rt:
        for _ in range(runs):
            rt.run("(current-time-millis)")
    return path


def key(tmp_path: Path, name: str = "key") -> str:
    private = Ed25519PrivateKey.generate()
    path = tmp_path / f"{name}.pem"
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / f"{name}.pub.pem").write_bytes(public)
    return str(path)


def change(path: str, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE records SET detail = 'allow: harmless' WHERE seq = 2",
        "DELETE FROM records WHERE seq = 3",
        "UPDATE records SET previous = hash WHERE seq = 4",
    ],
)
def test_nothing_is_added_to_a_ledger_with_a_damaged_record(tmp_path: Path, damage: str) -> None:
    path = ledger(tmp_path)
    change(path, damage)
    with pytest.raises(rtfs.HostError) as caught:
        rtfs.Runtime(ledger=path)
    assert caught.value.code == "ledger/damaged"


def test_a_signed_head_holds_while_the_ledger_grows(tmp_path: Path, capsys: Any) -> None:
    path, private = ledger(tmp_path), key(tmp_path)
    assert main(["audit", "sign", path, "--key", private]) == 0
    statement = capsys.readouterr().out
    (tmp_path / "head.json").write_text(statement)
    ledger(tmp_path)
    arguments = ["audit", "verify", path, "--head", str(tmp_path / "head.json"), "--key", str(tmp_path / "key.pub.pem")]
    assert main(arguments) == 0
    assert f"the first {json.loads(statement)['records']}" in capsys.readouterr().out


def test_a_ledger_that_was_rewritten_as_a_whole_is_found_out(tmp_path: Path) -> None:
    path, private = ledger(tmp_path), key(tmp_path)
    statement = sign_head(path, private)
    for file in tmp_path.glob("ledger.db*"):
        file.unlink()
    ledger(tmp_path, runs=5)
    with pytest.raises(rtfs.HostError) as caught:
        check_head(path, private, statement)
    assert caught.value.code == "ledger/damaged"


@pytest.mark.parametrize(
    "change", [{"records": 1}, {"time": "2020-01-01T00:00:00+00:00"}, {"signature": "AAAA"}, {"head": None}]
)
def test_a_statement_that_was_changed_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path, private = ledger(tmp_path), key(tmp_path)
    with pytest.raises(rtfs.HostError) as caught:
        check_head(path, private, {**sign_head(path, private), **change})
    assert caught.value.code == "ledger/damaged"


def test_another_key_and_no_key_are_refused(tmp_path: Path) -> None:
    path, private = ledger(tmp_path), key(tmp_path)
    statement = sign_head(path, private)
    with pytest.raises(rtfs.HostError) as caught:
        check_head(path, key(tmp_path, "other"), statement)
    assert caught.value.code == "ledger/damaged"
    (tmp_path / "no.pem").write_text("no key")
    with pytest.raises(rtfs.HostError) as caught:
        sign_head(path, str(tmp_path / "no.pem"))
    assert caught.value.code == "config/invalid"


def test_declarations_of_loaded_files_are_recorded_with_their_file_and_those_of_a_plan_each() -> None:
    declared = [f'(capability "tool.c{i}" :implementation (fn [x] x))' for i in range(30)]
    events: list[Any] = []
    with rtfs.Runtime() as rt:
        rt.events.subscribe(events.append)
        rt.load("\n".join(declared), name="tools.rtfs")
        rt.run('(capability "mine" :implementation (fn [x] x)) (call "mine" 1) (call "tool.c3" 2)')
        kinds = [(record.kind, record.subject) for record in rt.ledger]
    assert kinds == [
        ("run", "tools.rtfs"),
        ("end", ""),
        ("run", "<string>"),
        ("declare", "mine"),
        *[(kind, id) for id in ("mine", "tool.c3") for kind in ("decision", "outcome")],
        ("end", ""),
    ]
    assert sum(event.kind == "declare" for event in events) == 31
