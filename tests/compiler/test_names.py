"""No name of a program means anything to Python: what looks special is an ordinary name, nothing else is reached."""

from __future__ import annotations

import ast
import builtins
import keyword

import pytest

from rtfs.builtins import CORE
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS
from rtfs.compiler.codegen import generator
from rtfs.values.short_vector import SHORT, element_slot
from tests.compiler.support import failure, printed
from tests.fuzz.programs import any_program, corpus

STRANGE = [
    *("None", "True", "False", "__builtins__", "__class__", "__import__", "__name__", "__dict__", "__build_class__"),
    *(
        "__debug__",
        "__doc__",
        "__file__",
        "_",
        "__",
        "self",
        "print",
        "eval",
        "exec",
        "open",
        "object",
        "type",
        "super",
    ),
    *keyword.kwlist,
    *("a.b", "a/b", "x'", "a->b", "*", "é", "名", "ﬁ", "𝐱", "a\u0301"),
]
STRANGE = [name for name in dict.fromkeys(STRANGE) if name not in ("if", "try", "finally", "_", "import")]


@pytest.mark.parametrize("name", STRANGE)
def test_any_name_can_be_a_local(name: str):
    assert printed(f"(let [{name} 5] {name})") == "5"
    assert printed(f"((fn [{name}] ((fn [] {name}))) 5)") == "5"
    assert printed(f"(loop [{name} 0] (if (< {name} 3) (recur (inc {name})) {name}))") == "3"


@pytest.mark.parametrize("name", [name for name in STRANGE if "/" not in name and name not in SPECIAL_FORMS])
def test_any_name_can_be_a_definition(name: str):
    assert printed(f"(def {name} 5) {name}") == "5"
    assert printed(f"(defn {name} [n] (if (= n 0) :end ({name} (dec n)))) ({name} 3)") == ":end"
    assert printed(f"(module m (def {name} 5)) (import m) m/{name}") == "5"
    assert printed(f"(defmacro {name} [x] `[~x]) ({name} 5)") == "[5]"


@pytest.mark.parametrize(
    "name", [*sorted(set(dir(builtins)) - set(CORE)), "__builtins__", "__loader__", "__spec__", "__path__"]
)
def test_nothing_of_python_is_defined(name: str):
    assert failure(f"(do {name})").code in ("undefined", "form/shape")
    assert failure(f"(module m (def x 1)) (import m) m/{name}").code == "undefined"
    assert failure(f"(module m (def x 1)) (import m) (defmacro q [] m/{name}) (q)").code == "macro/expansion"


@pytest.mark.parametrize(
    "text",
    [
        "(def None 5) (if (= nil None) 1 (nil? nil))",
        "(def True false) true",
        "(def __builtins__ {}) (+ 1 2)",
        "(def __import__ 1) (def __build_class__ 2) (map inc [1])",
        "(let [True false None 1] (if true 3 4))",
        "(def __class__ 5) (type-name __class__)",
    ],
)
def test_definitions_of_special_names_are_harmless(text: str):
    assert printed(text) in ("true", "3", "[2]", '"integer"')


def test_names_that_differ_only_in_unicode_form_are_different():
    # Python itself holds these two for one name
    assert printed("(let [ﬁ 1 fi 2] [ﬁ fi])") == "[1 2]"
    assert printed("(def ﬁ 1) (def fi 2) [ﬁ fi]") == "[1 2]"


def test_redefining_a_standard_function_changes_it_only_there():
    assert (
        printed("(module m (defn inc [x] :mine) (defn f [] (inc 1))) (import m) [(m/f) (inc 1) (map inc [1])]")
        == "[:mine 2 [2]]"
    )


ALLOWED = {"__class__", "_d", "_items", "_map", "_more", "_start", "_stop", "append", "get", "value"} | {
    *map(element_slot, range(SHORT))
}


def test_generated_code_reads_no_attribute_that_a_program_names(monkeypatch: pytest.MonkeyPatch):
    """Attributes and imports in the Python code of many programs: only those that the compiler itself writes."""
    found: set[str] = set()
    real = compile

    def looking(tree, *rest, **named):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            assert not isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Await, ast.Yield, ast.Lambda))
        return real(tree, *rest, **named)

    monkeypatch.setattr(generator, "compile", looking, raising=False)
    monkeypatch.setenv("RTFS_CACHE_DIR", "")
    programs = ["".join(words) for words in corpus()] + [any_program(seed) for seed in range(150)]
    for text in [
        *programs,
        "(.append [1] 2)",
        "(.__class__ 5)",
        "(let [x.__class__ 1] x.__class__)",
        "a.b.c",
        "(.x {:x 1})",
    ]:
        try:
            printed(text)
        except (Exception, AssertionError):
            continue
    assert found <= ALLOWED, found - ALLOWED
    assert "__class__" in found
