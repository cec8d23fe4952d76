"""Hints in the words of a shell, a Python program, or a model: every hint that names a command or an option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtfs
from rtfs.host.hint_wording import MODEL, PYTHON, SHELL, worded

ROOT = Path(rtfs.__file__).parent
WORDS = {
    "allow it with --allow fs:read:my notes.txt": (
        'allow it with Runtime(allow=["fs:read:my notes.txt"])',
        "the grant fs:read:my notes.txt is not given here: do without this call, or tell the person that it is needed",
    ),
    "if that is meant, allow it with --allow net:10.0.0.1": (
        'allow it with Runtime(allow=["net:10.0.0.1"])',
        "the grant net:10.0.0.1 is not given here: do without this call, or tell the person that it is needed",
    ),
    "to continue it: rtfs resume r-1": (
        'to continue it: Runtime.resume("r-1")',
        "for the person who runs this server: to continue it: rtfs resume r-1",
    ),
    "rtfs resume r1 --call 2.1 --retry makes it again, --assume-failed gives the program an error, --result JSON gives"
    " it this value": (
        'Runtime.resume("r1", call="2.1", retry=True) makes it again, assume_failed=True gives the program an error, '
        "result=… gives it this value",
        None,
    ),
    "rtfs signal r1 paid JSON sends it; then rtfs resume r1 continues": (
        'Runtime.signal("r1", "paid", value) sends it; then Runtime.resume("r1") continues',
        None,
    ),
    "the limit is that of --timeout, or of `limits:` in the configuration": (
        "the limit is that of timeout=, or of limits=",
        None,
    ),
    "did you mean `reduce`?": ("did you mean `reduce`?", "did you mean `reduce`?"),
}


@pytest.mark.parametrize("hint", WORDS)
def test_a_hint_is_worded_for_its_reader(hint: str) -> None:
    python, model = WORDS[hint]
    assert worded(hint, SHELL) == hint
    assert worded(hint, PYTHON) == python
    for_model = worded(hint, MODEL)
    assert model is None or for_model == model
    assert worded(for_model, MODEL) == for_model
    if model is None:
        assert for_model.startswith("for the person who runs this server: ")


def test_errors_advise_in_the_words_of_their_reader(tmp_path: Path) -> None:
    call = '(read-file "secret.txt")'
    said = {}
    for wording in (None, "shell", "model"):
        options = {} if wording is None else {"wording": wording}
        with rtfs.Runtime(**options) as rt:
            with pytest.raises(rtfs.UserError) as caught:
                rt.run(call)
            handle = rt.start_run(call)
            with pytest.raises(rtfs.UserError) as later:
                handle.result()
            assert caught.value.hint == later.value.hint
            said[wording] = caught.value.hint
    assert said[None] == 'allow it with Runtime(allow=["fs:read:secret.txt"])'
    assert said["shell"] == "allow it with --allow fs:read:secret.txt"
    assert said["model"] is not None
    assert "--" not in said["model"]
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(wording="poem")
    assert caught.value.code == "argument/invalid"


def test_a_run_that_exists_is_resumed_in_python_words(tmp_path: Path) -> None:
    with rtfs.Runtime(state=tmp_path) as rt:
        rt.run("1", durable=True, run_id="r")
        with pytest.raises(rtfs.UserError) as caught:
            rt.run("1", durable=True, run_id="r")
        assert caught.value.hint == 'to continue it: Runtime.resume("r")'


def test_no_option_that_has_a_python_name_is_left() -> None:
    """Hints of the host, the machine and the capabilities, as they are written in the source."""
    left = re.compile(
        r"--(?:allow|retry|assume-failed|approve|timeout|accept-changes|load|mcp-config)\\b|rtfs (?:resume|signal)"
    )
    hints = 0
    for part in ("host", "machine", "capabilities"):
        for path in (ROOT / part).rglob("*.py"):
            if path.name in ("hint_wording.py", "discovery.py", "certificates.py"):
                continue
            text = re.sub(r'"\n\s+f?"', "", path.read_text(encoding="utf-8"))
            for hint in re.findall(r'(?:hint\s*=\s*|return )f?"([^"\n]*)"', text):
                filled = re.sub(r"\{[^}]*\}", "x", hint.replace("{which}", ""))
                hints += 1
                assert not left.search(worded(filled, PYTHON)), (path, hint)
    assert hints > 100
