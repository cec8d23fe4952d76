"""One mistake is told once: what a form or a module that is not there would have defined is not told again."""

from __future__ import annotations

import pytest

import rtfs


def told(source: str) -> list[str]:
    """The messages of the errors of a program."""
    return [one.message for one in rtfs.analyse(source).diagnostics if one.severity == "error"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("(defmulti area :shape) (defmethod area :circle [c] 1) (area {:shape :circle})", ["defmulti", "defmethod"]),
        ("(defrecord Point [x y]) (:x (->Point 1 2)) (map->Point {:x 1})", ["defrecord"]),
        ("(defprotocol Shape (area [this]) (sides [this])) (area 1) (sides 2)", ["defprotocol"]),
        ("(define (square x) (* x x)) (square 2)", ["define"]),
        ("(defmulti area :shape) (volume 1)", ["defmulti", "volume"]),
    ],
)
def test_a_form_that_is_not_there_is_told_and_not_what_it_would_define(source, names):
    assert told(source) == [f"`{name}` is not defined" for name in names]


def test_a_module_that_is_not_there_is_told_and_neither_its_alias_nor_its_names():
    head = "(ns a (:require [clj-time.core :as t :refer [today]] [clojure.string :as text]))"
    assert told(f'{head} (t/now) (today) (text/upper-case "a")') == ["there is no module `clj-time.core`"]
    assert told(f"{head} (tomorrow)")[1:] == ["`tomorrow` is not defined"]


def test_a_form_that_the_program_defines_itself_is_ordinary():
    assert told("(defn twice [x] (define x)) (defn define [x] x) (twice 1)") == []
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime().run("(defn define [x] x) (define gone)")
    assert caught.value.message == "`gone` is not defined"


@pytest.mark.parametrize(
    "source",
    [
        "(loop [acc [] n 3] (if (zero? n) acc (recur (conj acc n) (dec n))))",
        "(loop [acc () n 3] (if (zero? n) (count acc) (recur (cons n acc) (dec n))))",
        "(loop [x 1 y (inc x)] [x y])",
    ],
)
def test_a_variable_of_a_loop_is_not_called_unused(source):
    assert rtfs.analyse(source).diagnostics == []
