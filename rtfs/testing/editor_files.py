"""Makes the parts of editors/ that follow from the language: the schema of `rtfs.yaml`, and the words of the grammars.

`python -m rtfs.testing.editor_files` says whether they are up to date, with `--write` it makes them. Must not know how
words are declared. Invariant: the same declarations and models give the same files, byte for byte.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rtfs.syntax.formatter import BODY_FORMS
from rtfs.testing.generated import write_or_compare
from rtfs.testing.language_declarations import special_forms, standard_library

EDITORS = Path(__file__).resolve().parent.parent.parent / "editors"
SCHEMA = EDITORS / "rtfs.schema.json"
TEXTMATE = EDITORS / "vscode" / "syntaxes" / "rtfs.tmLanguage.json"
VIM = EDITORS / "nvim" / "syntax" / "rtfs.vim"
EMACS = EDITORS / "emacs" / "rtfs-mode.el"


def form_words() -> list[str]:
    """The names of all special forms."""
    return sorted({name for form in special_forms() for name in (form.name, *form.aliases)})


def macro_words() -> list[str]:
    """The names of the macros of the standard library."""
    return sorted(declared.name for declared in standard_library() if declared.kind == "macro")


def schema_text() -> str:
    """editors/rtfs.schema.json."""
    from rtfs.host.config.schema import settings_schema

    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"


def textmate_text() -> str:
    """The TextMate grammar with the words in the rules `form` and `macro`; the rest as it is in the file."""
    grammar = json.loads(TEXTMATE.read_text(encoding="utf-8"))
    for rule, words in (("form", form_words()), ("macro", macro_words())):
        found = "|".join(re.escape(word).replace(r"\-", "-").replace(r"\>", ">") for word in _longest_first(words))
        grammar["repository"][rule]["match"] = rf"(?<=\()(?:{found})(?=$|[\s\"(),:;@\[\\\]^`{{|}}~])"
    return json.dumps(grammar, indent=2, ensure_ascii=False) + "\n"


def vim_text() -> str:
    """The syntax file of Vim and Neovim with the words in its two generated lines."""
    text = VIM.read_text(encoding="utf-8")
    for group, words in (("rtfsForm", form_words()), ("rtfsMacro", macro_words())):
        text = re.sub(rf"(?m)^syntax keyword {group} .*$", lambda _: f"syntax keyword {group} {' '.join(words)}", text)  # noqa: B023
    return text


def emacs_text() -> str:
    """The Emacs mode with the words in its three constants."""
    text = EMACS.read_text(encoding="utf-8")
    for constant, words in (
        ("rtfs-mode-forms", form_words()),
        ("rtfs-mode-macros", macro_words()),
        ("rtfs-mode-body-forms", sorted(BODY_FORMS)),
    ):
        quoted = textwrap.fill(
            " ".join(f'"{word}"' for word in words), 78, initial_indent="    ", subsequent_indent="    ",
            break_long_words=False, break_on_hyphens=False,
        ).strip()  # fmt: skip
        text = re.sub(rf"(\(defconst {constant}\n  '\()[^)]*(\))", lambda m: m[1] + quoted + m[2], text)  # noqa: B023
    return text


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


FILES: dict[Path, Callable[[], str]] = {
    SCHEMA: schema_text,
    TEXTMATE: textmate_text,
    VIM: vim_text,
    EMACS: emacs_text,
}


def main(argv: Sequence[str]) -> int:
    """Write the files (`--write`), or say which is not what it should be (exit status 1)."""
    return write_or_compare(((path, make()) for path, make in FILES.items()), "rtfs.testing.editor_files", argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
