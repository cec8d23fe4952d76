"""A certificate vouches for one program under one set of declarations and one policy, and for nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import rtfs
from rtfs.cli.main import main

PLAN = '(def found (call "shop.find" {:query "x"}))\n(count found)\n'
SHOP = '(capability "shop.find" :input-schema [:map [:query :string]] :implementation (fn [m] [1 2]))'


def write_keys(folder: Path, name: str) -> tuple[str, str]:
    """Files of a private key and its public key."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return str(private), str(public)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.rtfs").write_text(PLAN, "utf-8")
    (tmp_path / "shop.rtfs").write_text(SHOP, "utf-8")
    write_keys(tmp_path, "ours")
    write_keys(tmp_path, "theirs")
    assert main(["check", "--load", "shop.rtfs", "plan.rtfs", "--certify", "plan.json", "--key", "ours.pem"]) == 0
    return tmp_path


def run(*options: str) -> int:
    return main(
        ["run", "--certified", "plan.json", "--key", "ours.pub.pem", "--load", "shop.rtfs", *options, "plan.rtfs"]
    )


def test_what_was_certified_runs(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run() == 0
    assert capsys.readouterr().out == "2\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "plan.rtfs").write_text(PLAN + "1\n"), "the text of the program changed"),
        (lambda folder: (folder / "shop.rtfs").write_text(SHOP + "\n;"), "the loaded file shop.rtfs changed"),
        (
            lambda folder: (folder / "shop.rtfs").write_text(SHOP.replace(":string", ":any")),
            "the declaration of shop.find changed",
        ),
    ],
)
def test_a_changed_text_is_refused_with_what_changed(
    folder: Path, change: Any, said: str, capsys: pytest.CaptureFixture[str]
):
    change(folder)
    assert run() == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "certificate/changed" in shown.err
    assert said in shown.err


def test_another_policy_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run("--allow", "fs:read:notes") == 1
    assert "the policy changed" in capsys.readouterr().err
    assert run("--principal", "ann") == 1


def test_another_version_or_another_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (folder / "more.rtfs").write_text("(def more 1)", "utf-8")
    assert run("--load", "more.rtfs") == 1
    assert "the loaded file more.rtfs is new" in capsys.readouterr().err
    monkeypatch.setattr(rtfs, "__version__", "9.9")
    assert run() == 1
    assert "the version of rtfs changed" in capsys.readouterr().err


def test_a_foreign_an_altered_and_an_unsigned_certificate_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["run", "--certified", "plan.json", "--key", "theirs.pub.pem", "--load", "shop.rtfs", "plan.rtfs"]) == 1
    assert main(["run", "--certified", "plan.json", "--load", "shop.rtfs", "plan.rtfs"]) == 1
    certificate = json.loads((folder / "plan.json").read_text("utf-8"))
    for altered in (
        {**certificate, "policy": "0" * 64},
        {name: value for name, value in certificate.items() if name != "signature"},
        [certificate],
        "x",
    ):
        (folder / "plan.json").write_text(json.dumps(altered), "utf-8")
        assert run() == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("certificate/untrusted") == 6


def test_the_keys_of_the_configuration_count(folder: Path):
    (folder / "conf.yaml").write_text("load: [shop.rtfs]\ncertificates: {keys: [ours.pub.pem]}\n", "utf-8")
    arguments = ["--config", "conf.yaml", "plan.rtfs"]
    assert main(["check", "--certify", "plan.json", "--key", "ours.pem", *arguments]) == 0
    assert main(["run", "--certified", "plan.json", *arguments]) == 0
    assert main(["check", "--certify", "plan.json", "--key", "theirs.pem", *arguments]) == 0
    assert main(["run", "--certified", "plan.json", *arguments]) == 1


def test_a_program_with_errors_gets_no_certificate(folder: Path):
    (folder / "plan.rtfs").write_text('(+ 1 "a")', "utf-8")
    assert main(["check", "plan.rtfs", "--certify", "new.json", "--key", "ours.pem"]) == 1
    assert not (folder / "new.json").exists()


def test_a_python_capability_is_vouched_for_by_its_declaration(folder: Path):
    def made(schema: str) -> rtfs.Runtime:
        runtime = rtfs.Runtime()
        runtime.register("shop.find", lambda request: [], input_schema=schema)
        return runtime

    with made("[:map [:query :string]]") as runtime:
        certificate = rtfs.certify(PLAN, "ours.pem", runtime=runtime)
        rtfs.verify_certificate(certificate, PLAN, ["ours.pub.pem"], runtime=runtime)
        assert certificate["calls"] == {"shop.find": {"at_most": 1, "decisions": ["allow"]}}
    with made("[:map [:query :any]]") as runtime, pytest.raises(rtfs.HostError) as caught:
        rtfs.verify_certificate(certificate, PLAN, ["ours.pub.pem"], runtime=runtime)
    assert "shop.find" in caught.value.message
