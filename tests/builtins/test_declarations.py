"""Every standard function is declared with what `doc` and completion need, and the declaration is true."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest

import rtfs
from rtfs.builtins import CORE, REGISTRY
from rtfs.builtins.clojure import load_all
from rtfs.builtins.declare import CONSTANTS, builtin
from rtfs.source import Source
from rtfs.syntax.reader import read_forms
from rtfs.values import List, Symbol

load_all()

LANGUAGE = """
+ - * / mod rem quot inc dec max min abs sqrt pow factorial floor ceil round even? odd? zero? pos? neg? int float
parse-int parse-float number? = != not= < > <= >= not
str count string-length length substring string-contains string-contains? starts-with? ends-with? split re-split join
string-join string-upper upper string-lower lower string-trim trim replace string-replace re-matches re-find re-seq
re-groups format pr-str
vector list hash-map vec into map map-indexed mapcat filter remove keep reduce reduce-kv apply sort sort-by distinct
frequencies group-by partition partition-by interleave zip zipmap interpose flatten get get-in assoc assoc-in update
update-in dissoc select-keys rename-keys merge merge-with keys vals key val find contains? conj cons concat first second
last rest next nth empty? not-empty range numbers take drop take-while drop-while subvec split-at reverse every? some?
some any? not-any? max-by min-by sum index-of repeat
identity constantly comp partial complement juxt memoize
nil? bool? boolean? int? integer? float? string? keyword? symbol? vector? list? map? fn? coll? type-name keyword symbol
name namespace parse-json serialize-json serialize-json-pretty error Exception. getMessage
"""


def test_the_functions_of_the_language_page_are_all_there() -> None:
    assert set(LANGUAGE.split()) <= CORE.keys()


@pytest.mark.parametrize("name", REGISTRY)
def test_the_signature_agrees_with_the_python_function(name: str) -> None:
    entry = REGISTRY[name]
    (form,) = read_forms(Source(entry.signature))
    assert type(form) is List
    words = [word.name for word in form if type(word) is Symbol]
    assert len(words) == len(form), "a signature is made of symbols"
    assert words[0] == name
    required = optional = 0
    rest = False
    for word in words[1:]:
        if word == "&":
            rest = True
        elif not rest and word.endswith("?"):
            optional += 1
        elif not rest:
            required += 1
    if rest:
        assert words[-2] == "&"
    kinds = list(inspect.signature(entry.function).parameters.values())
    positional = [p for p in kinds if p.kind is p.POSITIONAL_ONLY]
    assert sum(p.default is p.empty for p in positional) == required
    assert sum(p.default is not p.empty for p in positional) == optional
    assert any(p.kind is p.VAR_POSITIONAL for p in kinds) is rest
    assert all(p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) for p in kinds)


@pytest.mark.parametrize("name", REGISTRY)
def test_there_is_a_doc_and_an_example_that_reads(name: str) -> None:
    entry = REGISTRY[name]
    assert entry.doc.endswith((".", "?"))
    assert "\n" not in entry.doc
    assert entry.examples
    for expression, printed in entry.examples:
        assert len(read_forms(Source(expression))) == 1
        assert len(read_forms(Source(printed))) == 1
        assert any(known.partition("/")[2] or known in expression for known in (name, *entry.aliases))


@pytest.mark.parametrize("name", [name for name in CORE if name not in CONSTANTS])
def test_a_function_is_plain_and_bears_its_name(name: str) -> None:
    function = CORE[name]
    assert type(function) is FunctionType
    assert REGISTRY[function.__name__].function is function
    assert name in (function.__name__, *REGISTRY[function.__name__].aliases)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(AssertionError):
        builtin("inc", "(inc a)", "Again.", "(inc 1)", "2")(lambda a, /: a)


def test_importing_the_functions_imports_nothing_heavy() -> None:
    heavy = "re json re2 decimal dataclasses typing enum inspect functools logging lark asyncio pydantic httpx"
    root = str(Path(rtfs.__path__[0]).parent)
    load = f"import sys; sys.path.insert(0, {root!r}); import rtfs.builtins"
    program = f"{load}; print(set({heavy!r}.split()) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
