"""What each piece of text reads as."""

from __future__ import annotations

import math
import sys
import threading

import pytest

from rtfs.source import Source
from rtfs.syntax.printer import to_text
from rtfs.syntax.reader import read_forms, read_value
from rtfs.values import Keyword, List, Map, ReaderError, Symbol, Vector
from tests.syntax.support import forms, one

UUID = "12345678-1234-5678-9abc-123456789def"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nil", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-0", 0),
        ("007", 7),
        ("+5", 5),
        ("-12", -12),
        ("0xFF", 255),
        ("-0x10", -16),
        ("0o17", 15),
        ("0b101", 5),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.5", 1.5),
        ("-0.5", -0.5),
        ("1e3", 1000.0),
        ("1E3", 1000.0),
        ("1.5e-3", 0.0015),
        ("1e-400", 0.0),
        ("##Inf", math.inf),
        ("##-Inf", -math.inf),
        ('""', ""),
        (r'"\n\t\r\\\""', '\n\t\r\\"'),
        (r'"\u0041\u00E9\u0000"', "Aé\0"),
        (r'"\ud83d\ude00"', "😀"),
        ('"a\nb"', "a\nb"),
        ('"; no #| comment"', "; no #| comment"),
        ("2023-12-25T10:30:45Z", "2023-12-25T10:30:45Z"),
        ("2023-12-25T10:30:45.250Z", "2023-12-25T10:30:45.250Z"),
        ("2023-12-25T10:30:45_250Z", "2023-12-25T10:30:45_250Z"),
        (UUID, UUID),
        ("abcdefab-1234-5678-9abc-123456789DEF", "abcdefab-1234-5678-9abc-123456789DEF"),
        ("resource://a/b?c=%20", "resource://a/b?c=%20"),
        (":a", Keyword("a")),
        (":com.acme:v1.0/x", Keyword("com.acme:v1.0/x")),
        (":+op+", Keyword("+op+")),
        (":1", Keyword("1")),
    ],
)
def test_a_literal_reads_as_its_value_and_kind(text, value):
    read = one(text)
    assert read.__class__ is value.__class__
    assert read == value


def test_nan_reads():
    assert math.isnan(one("##NaN"))


@pytest.mark.parametrize(
    "name",
    ["foo", "my-fn", "ns.x/name", "com.acme:v1.0/api", "+", "-", "<=", "even?", "a.b", "%", "%1", "&", "->", "->>", "/"]
    + ["truefoo", "nilly", "falsey", "defined?", "x'", "x#", "λ", "été", "日本", "_", "$a", "*x*", "...", ".m", "-a"]
    + ["+a", "x:int", "resource:ref", "Exception.", "!=", "=", "é", "😀", ":"],
)
def test_a_symbol_is_read_as_one_word(name):
    assert [form.name for form in forms(name)] == [name]
    assert one(name).__class__ is Symbol


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("(a [b {:c 1}] ())", "(a [b {:c 1}] ())"),
        ("[1,2,,3]", "[1 2 3]"),
        ('[a"b"c]', '[a "b" c]'),
        ("'x", "(quote x)"),
        ("''x", "(quote (quote x))"),
        ("`(a ~b ~@c)", "(quasiquote (a (unquote b) (unquote-splicing c)))"),
        ("~ @x", "(unquote (deref x))"),
        ("``(~~x)", "(quasiquote (quasiquote ((unquote (unquote x)))))"),
        ("@name", "(deref name)"),
        ("#(+ % %2)", "(fn [%1 %2] (+ %1 %2))"),
        ("#(f %3)", "(fn [%1 %2 %3] (f %3))"),
        ("#(f %& %)", "(fn [%1 & %&] (f %& %1))"),
        ("#(f {% [%2]})", "(fn [%1 %2] (f {%1 [%2]}))"),
        ("#()", "(fn [] ())"),
        ("[#(f %) #(g %2) %]", "[(fn [%1] (f %1)) (fn [%1 %2] (g %2)) %]"),
        ("(.m x a)", "(.m x a)"),
        ("x : Int", "x : Int"),
        ("[x: Int]", "[x : Int]"),
        ("[m :[:map]]", "[m : [:map]]"),
        ("[x:int]:int", "[x:int] :int"),
        ("^{:a 1} [1]", "[1]"),
        ("^:a ^:b x", "x"),
        ("^:a 5", "5"),
        ("^{:a 1} (f) x", "(f) x"),
        ("[^:a x y]", "[x y]"),
        ("'(f) x y", "(quote (f)) x y"),
        ("['x y z]", "[(quote x) y z]"),
        ("(f (g x) y z (h) w)", "(f (g x) y z (h) w)"),
        ("; c\n1 ; d", "1"),
        ("#| a #| b |# c |# 7", "7"),
        ("[1 #| in |# 2]", "[1 2]"),
        ("[1 #_2 3]", "[1 3]"),
        ("[1 #_ #_ 2 3 4]", "[1 4]"),
        ("[#_ #_ 1 2]", "[]"),
        ("{:a 1 #_:b #_2}", "{:a 1}"),
        ("'#_a b", "(quote b)"),
        ("#_'a b", "b"),
        ("^#_x :k #_y z", "z"),
        ("#_^:a b c", "c"),
        ("#!/usr/bin/env rtfs\n1", "1"),
        ("\ufeff1", "1"),
        ("\ufeff#!x\n1", "1"),
        ("#!only", ""),
        ("", ""),
        (" ,\t\r\n", ""),
        ("; only", ""),
        ("{nil 1 [1] 2 {} 3 (f) 4}", "{nil 1 [1] 2 {} 3 (f) 4}"),
        ("{1 :i 1.0 :f true :b}", "{1 :i 1.0 :f true :b}"),
        ("{:a 1 :b 2 :a 3}", "{:a 3 :b 2}"),
        ("{[1] 1 (1) 2}", "{[1] 2}"),
    ],
)
def test_text_reads_as_forms(text, printed):
    assert " ".join(to_text(form) for form in forms(text)) == printed


def test_the_kinds_of_collections():
    assert [type(form) for form in forms("() [] {} 'x #()")] == [List, Vector, Map, List, List]


def test_metadata_is_kept_with_the_form_the_outermost_first_of_equal_keys():
    assert to_text(one("^:a ^{:b 1 :a 2} x").info.meta) == "{:b 1 :a true}"
    assert to_text(one("^{:doc x} (f)").info.meta) == "{:doc x}"
    assert to_text(one("^:k [1]").info.meta) == "{:k true}"
    assert to_text(one("^:k {}").info.meta) == "{:k true}"
    assert one("x").info.meta is None


def test_an_overridden_map_key_is_reported_and_the_offsets_are_those_of_the_entries_that_survive():
    text = "{:a 1 :b 2 :a 3}"
    read = forms(text)
    kids = read[0].info.kids
    assert [text[kids[i] : kids[i + 1]] for i in range(0, len(kids), 2)] == [":a", "3", ":b", "2"]
    assert kids[0] == 11
    assert [(span.start, span.text) for span in read.duplicates] == [(1, ":a")]


def test_a_number_of_any_length_up_to_the_limit_reads_whatever_python_allows():
    old = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        number = one("7" * 100_000)
        negative = one("-" + "7" * 9_999)
        hexadecimal = one("0x" + "f" * 9_000)
        with pytest.raises(ReaderError) as caught:
            one("7" * 100_001)
    finally:
        sys.set_int_max_str_digits(old)
    assert number == 7 * (10**100_000 - 1) // 9
    assert negative == -7 * (10**9_999 - 1) // 9
    assert hexadecimal == 16**9_000 - 1
    assert caught.value.code == "reader/number"


@pytest.mark.parametrize(
    ("before", "middle", "after"),
    [("(", "", ")"), ("[", "1", "]"), ("{:a ", "1", "}"), ("'", "x", ""), ("#_", "", "1 ")],
)
def test_nesting_of_a_hundred_thousand_reads(before, middle, after):
    depth = 100_000
    assert len(forms(before * depth + middle + after * depth)) <= 1


def test_maps_nested_as_keys_of_maps_end_in_an_error_rather_than_never():
    depth = 20_000
    with pytest.raises(ReaderError) as caught:
        forms("{" * depth + ":a" + " 1}" * depth)
    assert caught.value.code == "reader/nesting"


def test_read_value_wants_exactly_one_form():
    assert read_value(Source(" 5 ; x")) == 5
    for text, code in (("", "reader/no-form"), ("1 2", "reader/extra-form"), ("(", "reader/unclosed")):
        with pytest.raises(ReaderError) as caught:
            read_value(Source(text))
        assert caught.value.code == code


def test_threads_read_at_once():
    texts = [f"(defn f{n} [x] {{:a {n} :b '(x {n})}})" * 50 for n in range(6)]
    results: dict[int, str] = {}

    def work(number: int) -> None:
        results[number] = " ".join(map(to_text, forms(texts[number])))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(6):
        assert results[number] == " ".join([f"(defn f{number} [x] {{:a {number} :b (quote (x {number}))}})"] * 50)


def test_reading_leaves_the_collector_as_it_was():
    import gc

    for was_on in (True, False):
        (gc.enable if was_on else gc.disable)()
        try:
            forms("(a b)")
            with pytest.raises(ReaderError):
                forms("(a b")
            assert gc.isenabled() is was_on
        finally:
            gc.enable()


def test_the_source_is_that_of_the_forms():
    source = Source("(a)", "x.rtfs")
    read = read_forms(source)
    assert read.source is source
    assert read[0].info.source is source
    assert [str(span) for span in read.spans] == ["x.rtfs:1:1"]
