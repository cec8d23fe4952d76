"""Secrets in no spelling show in errors, events, diagnostics; a server that echoes its token gains nothing."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import Any

import pytest

import rtfs
from rtfs.host import redaction
from rtfs.syntax.diagnostics import render

CANARY = 'canary/Tök+en=9f&3"q'
SPELLINGS = {
    "raw": CANARY,
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 of a header": base64.b64encode(f"Bearer {CANARY}".encode()).decode(),
    "base64 in the middle": base64.b64encode(f"xx{CANARY}yyy".encode()).decode(),
    "urlsafe base64": base64.urlsafe_b64encode(CANARY.encode()).decode(),
    "URL": urllib.parse.quote(CANARY, safe=""),
    "URL path": urllib.parse.quote(CANARY),
    "form": urllib.parse.quote_plus(CANARY),
    "URL in lower case": urllib.parse.quote(CANARY, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "every byte escaped": "".join(f"%{byte:02x}" for byte in CANARY.encode()),
    "hexadecimal": CANARY.encode().hex(),
    "hexadecimal in upper case": CANARY.encode().hex().upper(),
    "JSON": json.dumps(CANARY)[1:-1],
}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_pattern", None)
    monkeypatch.setattr(redaction, "_quick", None)


def shows(text: str, spelling: str) -> bool:
    """Whether enough of a spelling is in a text to be of use."""
    part = len(spelling) * 2 // 3
    return any(spelling[i : i + part] in text for i in range(len(spelling) - part + 1))


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_known_secret_is_taken_out_in_every_spelling(name: str):
    redaction.know(f"Bearer {CANARY}")
    text = redaction.redact(f"before {SPELLINGS[name]} after")
    assert not shows(text, SPELLINGS[name])
    assert text.startswith("before ")
    assert text.endswith(" after")


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("around", ["x", "é", "\ud800", "\0"])
def test_a_secret_in_a_long_text_is_taken_out_as_well(name: str, around: str):
    redaction.know(CANARY)
    long = around * (redaction.LONG + 1)
    text = redaction.redact(long + " " + SPELLINGS[name] + " " + long)
    assert not shows(text, SPELLINGS[name])
    assert text.startswith(long)
    assert text.endswith(long)
    assert redaction.redact(long) is long


class Echo:
    """A session handler whose server says the token back in its error."""

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def credential_env(self, metadata: Any) -> list[str]:
        return ["ECHO_TOKEN"]

    def session_key(self, call: Any) -> Any:
        from rtfs.capabilities.sessions.handler import SessionKey

        return SessionKey("echo")

    async def initialize_session(self, call: Any) -> Any:
        from rtfs.capabilities.sessions.handler import Session

        return Session()

    async def execute_with_session(self, session: Any, call: Any) -> Any:
        raise rtfs.HostError(f"bad token: {self.spelling}", hint=self.spelling, data=self.spelling) from ValueError(
            self.spelling
        )

    async def terminate_session(self, session: Any) -> None:
        return None


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_echoing_server_gets_its_token_into_no_error_event_or_output(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    import traceback

    from rtfs.cli.report import report, show_all

    spelling = SPELLINGS[name]
    monkeypatch.setenv("ECHO_TOKEN", CANARY)
    with rtfs.Runtime(["echo.call"], on_event=show_all) as rt:
        rt.register_session_handler("echo", Echo(spelling))
        rt.load('(capability "echo.call" :metadata {:echo {:requires_session "auto"}})')
        seen = rt.run('(try (call "echo.call" {}) (catch e (str e (:message e) (:data e))))')
        with pytest.raises(rtfs.UserError) as caught:
            rt.run('^{:runtime.retry {:max-retries 1 :initial-delay-ms 0}} (call "echo.call" {})')
        report(caught.value, None)
        said = capsys.readouterr()
        everything = [
            seen,
            render(caught.value),
            "".join(traceback.format_exception(caught.value)),
            said.out + said.err,
            *(repr(record.content()) for record in rt.ledger),
        ]
    for text in everything:
        assert not shows(text, spelling)
