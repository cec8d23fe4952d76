"""JSON both ways."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtfs.builtins import CORE, json_parser
from rtfs.builtins.json_parser import LONG, MAX_DEPTH
from rtfs.syntax.printer import to_text
from rtfs.values import (
    EvalError,
    Keyword,
    LimitError,
    List,
    Map,
    Set,
    Symbol,
    TypeMismatch,
    Vector,
    equal,
    from_python,
    to_python,
)
from rtfs.values.keyword import is_keyword_name
from rtfs.values.step_account import account

K = Keyword
parse, serialize, pretty = CORE["parse-json"], CORE["serialize-json"], CORE["serialize-json-pretty"]
KEYWORDS = Map({K("keywords"): True})

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
PLAIN = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Map([(K("name"), "Alice"), (K("age"), 25)]), '{"name":"Alice","age":25}'),
        (Vector([1, "a", None, True, False, 1.5]), '[1,"a",null,true,false,1.5]'),
        (List([1, List()]), "[1,[]]"),
        (Map([("z", Map()), (1, Vector([Vector([2])]))]), '{"z":{},"1":[[2]]}'),
        (K("ns/a"), '"ns/a"'),
        (Symbol("s"), '"s"'),
        ('é\n"\\\x01😀', '"é\\n\\"\\\\\\u0001😀"'),
        (10**4000, "1" + "0" * 4000),
        (1e100, "1e+100"),
    ],
)
def test_serialize(value: Any, text: str) -> None:
    assert serialize(value) == text


@given(PLAIN)
def test_serialize_agrees_with_python(value: Any) -> None:
    guest = from_python(value)
    assert serialize(guest) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert pretty(guest) == json.dumps(value, ensure_ascii=False, indent=2)
    assert equal(parse(serialize(guest)), guest)
    assert equal(parse(pretty(guest)), guest)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        CORE["inc"],
        EvalError("user/error", "x"),
        Vector([Map({1.5: 1})]),
        Map({True: 1}),
        Map({None: 1}),
        Map({Vector(): 1}),
        Map([("a", 1), (K("a"), 2)]),
    ],
)
def test_what_has_no_json_is_an_error(value: Any) -> None:
    with pytest.raises(EvalError) as caught:
        serialize(value)
    assert caught.value.code == "json/unserializable"


def test_depth_is_no_matter_for_serializing() -> None:
    value: Any = Vector()
    for _ in range(100_000):
        value = Vector([value])
    assert serialize(value) == "[" * 100_001 + "]" * 100_001


def test_shared_parts_do_not_blow_up_the_text() -> None:
    value: Any = Vector(["x" * 1000])
    for _ in range(60):
        value = Vector([value, value])
    with pytest.raises(LimitError):
        serialize(value)


@pytest.mark.parametrize(
    "odd", [10**4000, "long " * 2000, [[[]]] * 2000, {"deep": [{"a": {"b": [1]}}]}, '\x00"\\\u2028']
)
def test_rows_written_together_are_written_as_one_by_one(odd: Any) -> None:
    rows = [{"id": n, "name": f"n{n}", "tags": ["a", ["b"]], "sub": {"x": None, "y": [True]}} for n in range(300)]
    rows.insert(150, {"odd": odd})
    written = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    assert serialize(from_python(rows)) == written
    assert serialize(from_python(rows, keywords=True)) == written
    assert serialize(from_python({"rows": rows, "more": [rows]})) == f'{{"rows":{written},"more":[{written}]}}'


@pytest.mark.parametrize("odd", [math.nan, CORE["inc"], Map({1.5: 1}), Map([("a", 1), (K("a"), 2)])])
def test_one_row_among_many_that_has_no_json_is_an_error(odd: Any) -> None:
    rows = [Map({"id": n, K("tags"): Vector(["a"])}) for n in range(300)]
    with pytest.raises(EvalError) as caught:
        serialize(Vector([*rows, Map({"odd": odd}), *rows]))
    assert caught.value.code == "json/unserializable"


CELLS = [
    st.integers(),
    st.sampled_from([10**520, -(10**600), 7]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text('ab"\\ \n\u200b\x01😀', max_size=3),
    st.booleans(),
    st.none(),
    st.sampled_from([K("a"), K("n/b"), Symbol("s")]),
    st.one_of(st.integers(), st.text("%a", max_size=2), st.none(), st.just(List([1])), st.just(Set([2]))),
    st.lists(st.text("a", max_size=2), max_size=3).map(Vector),
    st.lists(st.integers(), min_size=2, max_size=2).map(lambda pair: Map(zip("ab", pair, strict=True))),
]


@settings(max_examples=40, deadline=None)
@given(st.data(), st.lists(st.sampled_from(range(len(CELLS))), min_size=1, max_size=4), st.booleans())
def test_rows_written_by_columns_are_written_as_python_writes_them(
    data: st.DataObject, kinds: list[int], keywords: bool
) -> None:
    names: list[Any] = [K(f"k{n}") if keywords else f'k"%{9 - n}' for n in range(len(kinds))]
    rows = data.draw(st.lists(st.tuples(*[CELLS[kind] for kind in kinds]), min_size=1, max_size=5))
    maps = [Map(zip(names, row, strict=True)) for row in rows] * (1200 // len(rows))
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        whole = json.dumps(
            [to_python(one) for one in maps], separators=(",", ":"), ensure_ascii=False, default=lambda part: [*part]
        )
    finally:
        sys.set_int_max_str_digits(digits)
    assert serialize(Vector(maps)) == whole


@pytest.mark.parametrize(
    "rows",
    [
        [Map([("a", n)] if n % 2 else [("b", n)]) for n in range(1200)],
        [Map([("a", n), ("b", n)] if n % 2 else [("b", n), ("a", n)]) for n in range(1200)],
        [Map([(n, 1), ("b", n)]) for n in range(1200)],
        [Map([("a", "x" * 10_000)])] * 1200,
        [Map([("a", Vector(range(300)))])] * 1200,
        [Map()] * 1200,
        [Vector()] * 1200,
    ],
    ids=["other keys", "other order", "integers as keys", "long strings", "many parts", "no keys", "no elements"],
)
def test_rows_without_common_columns_are_written_as_python_writes_them(rows: list[Any]) -> None:
    assert serialize(Vector(rows)) == json.dumps([to_python(one) for one in rows], separators=(",", ":"))


@pytest.mark.parametrize(
    "odd", [Map([("a", math.inf)]), Map([("a", math.nan)]), Map([("a", len)]), Map([("a", 1), (K("a"), 2)])]
)
def test_rows_that_have_no_json_are_an_error(odd: Any) -> None:
    with pytest.raises(EvalError) as caught:
        serialize(Vector([odd] * 1200))
    assert caught.value.code == "json/unserializable"


@pytest.fixture(params=["pydantic", "json"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are read by pydantic's parser, or by Python's."""
    import pydantic_core

    assert sys.modules["pydantic_core"] is pydantic_core
    monkeypatch.setattr(json_parser._quick, "missing", request.param == "json")


def outcome(text: str, *options: Any) -> Any:
    """The value as text, or the error; and the steps that it takes."""
    paid: list[int] = []
    account.spent, account.pay, before = 0, paid.append, account.pay
    try:
        value = parse(text, *options)
        steps = sum(paid) + account.spent
        return to_text(value), steps
    except (EvalError, LimitError) as error:
        return error.code, error.message
    finally:
        account.pay = before


def python_outcome(text: str, *options: Any) -> Any:
    """As `outcome`, read by Python's parser."""
    json_parser._quick.missing = True
    try:
        return outcome(text, *options)
    finally:
        json_parser._quick.missing = False


def as_values(data: Any, keywords: bool) -> Any:
    """The value of JSON data, made the simple way."""
    if isinstance(data, dict):
        pairs = data.items()
        return Map(
            (K(key) if keywords and is_keyword_name(key) else key, as_values(item, keywords)) for key, item in pairs
        )
    return Vector([as_values(item, keywords) for item in data]) if isinstance(data, list) else data


ROWS = st.builds(
    lambda keys, rows: [dict(zip(keys, row, strict=False)) for row in rows],
    st.lists(st.sampled_from(["a", "b", "a b", "x/y", "", "1", "é"]), unique=True, max_size=4),
    st.lists(st.lists(ATOMS | st.lists(ATOMS | st.lists(ATOMS)), min_size=4, max_size=4), min_size=7, max_size=20),
)


@given(PLAIN | ROWS | st.lists(ROWS, max_size=3), st.booleans(), st.booleans())
@example({"\U00010000": None}, True, True)
@settings(max_examples=100)
def test_both_parsers_make_the_value_that_is_made_the_simple_way(value: Any, keywords: bool, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    options = (KEYWORDS,) if keywords else ()
    expected = as_values(value, keywords)
    assert equal(parse(text, *options), expected)
    assert outcome(text, *options)[0] == to_text(expected)
    assert outcome(text, *options) == python_outcome(text, *options)


NASTY = [
    *("-0", "-0.0", "1e400", "1e5", "18446744073709551616", "4.9e-324", "9" * 4301, "NaN", "-Infinity", "01", "1."),
    *("+1", ".5", "1 2", "[1,]", "[,1]", "tru", '"\\ud800"', '"\ud800"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"'),
    *('"a\x01"', '"a\nb"', '"\\u0000"', '"\\x"', '"', "\ufeff1", "\x0b1", "\u00a01", "", " ", '{"a":1,"b":2,"a":3}'),
    *('{"\\u0061":1,"a":2}', "{'a':1}", '{"a" 1}', '{"a":1,}', "{1:2}", "\x00", "[]]", "/* */ 1", '"\x7f\u2028"'),
]
DEPTHS = [99, 100, 101, 199, 200, 201, MAX_DEPTH, MAX_DEPTH + 1]


@pytest.mark.parametrize(
    "text",
    [
        *NASTY,
        *(f'[{{"a": [{text}]}}]' for text in NASTY),
        *("[" * depth + "]" * depth for depth in DEPTHS),
        *('{"a":' * depth + "1" + "}" * depth for depth in DEPTHS),
        *('[{"a":' * (depth // 2) + "1e0" + "}]" * (depth // 2) for depth in DEPTHS),
    ],
)
def test_both_parsers_agree_about_texts_at_the_limits_and_errors_and_steps(text: str) -> None:
    assert outcome(text) == python_outcome(text)
    assert outcome(text, KEYWORDS) == python_outcome(text, KEYWORDS)


@given(PLAIN, st.integers(0, 10_000), st.sampled_from([*',:"[]{}\\\0 1e-.u', "", "\ud800"]), st.integers(0, 2))
def test_both_parsers_agree_about_broken_texts(value: Any, place: int, put: str, cut: int) -> None:
    text = json.dumps(value)
    place %= len(text)
    broken = text[:place] + put + text[place + cut :]
    assert outcome(broken) == python_outcome(broken)


def test_the_faster_parser_is_imported_once_much_was_read() -> None:
    code = (
        "import sys; from rtfs.builtins.json_parser import MUCH, parse\n"
        "text = '[1,' + '2,' * (MUCH // 5) + '3]'\n"
        "for _ in range(4): parse(text); print('pydantic_core' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False", "True", "True"]


def test_where_the_faster_parser_cannot_be_imported_texts_are_read_without_it() -> None:
    code = (
        "import sys; from rtfs.builtins.json_parser import MUCH, _quick, parse\n"
        "sys.modules['pydantic_core'] = None\n"
        "text = '[1,' + '2,' * (MUCH // 5) + '3]'\n"
        "print({len(parse(text)) - MUCH // 5 for _ in range(4)}, _quick.missing)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "{2} True\n"


@pytest.mark.usefixtures("reading")
def test_a_long_text_is_read_as_a_short_one_is() -> None:
    rows = [{"id": n, "a b": [], "tags": ["a", ["b", {"c": n}], *range(20)], "sub": {"y": None}} for n in range(12000)]
    text = json.dumps(rows)
    assert len(text) > LONG
    assert equal(parse(text), from_python(rows))
    ids = parse(text, KEYWORDS)
    assert [to_text(ids[0]), to_text(ids[3999])] == [to_text(parse(json.dumps(rows[n]), KEYWORDS)) for n in (0, 3999)]


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("part", ['["]",', '["]"," ",', '["\\"]",', '[{"}":1},"}]",', '{"]": "}", "a": '])
def test_brackets_in_strings_do_not_hide_the_nesting(part: str) -> None:
    with pytest.raises(EvalError) as caught:
        parse(part * (MAX_DEPTH + 1))
    assert caught.value.code == "json/depth"


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "x"]}', Map({"a": Vector([1, 2.5, None, True, "x"])})),
        ("12345678901234567890123", 12345678901234567890123),
        ("-" + "7" * 5000, None),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\\\ud800"', "\\ud800"),
        ('{"a": 1, "b": 2, "a": 3}', Map([("a", 3), ("b", 2)])),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
        ('"' + "[" * 10_000 + '\\""', "[" * 10_000 + '"'),
        ("[" + "[]," * 10_000 + "[]]", Vector([Vector()] * 10_001)),
    ],
)
def test_parse(text: str, value: Any) -> None:
    parsed = parse(text)
    if value is not None:
        assert equal(parsed, value)
    assert parse(serialize(parsed)) == parsed


@pytest.mark.usefixtures("reading")
def test_keys_become_keywords_where_they_read_back() -> None:
    parsed = parse('{"a": {"b c": 1}, "x/y": [{"k": 2}], "": 3}', KEYWORDS)
    inner = Vector([Map({K("k"): 2})])
    assert equal(parsed, Map([(K("a"), Map({"b c": 1})), (K("x/y"), inner), ("", 3)]))
    assert equal(parse('{"a": 1}', Map({K("keywords"): False})), Map({"a": 1}))


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "line 1, column 1"),
        ("[1,", "line 1, column 4"),
        ("{\n 'a': 1}", "line 2, column 2"),
        ("1 2", "extra data"),
        ("nul", "a value is expected"),
        ("NaN", "NaN"),
        ("[-Infinity]", "-Infinity"),
        ('"\\ud800"', "surrogate"),
        ('"a\nb"', "control character"),
        ('{"a" 1}', "':'"),
    ],
)
def test_bad_json_says_what_and_where(text: str, part: str) -> None:
    with pytest.raises(EvalError) as caught:
        parse(text)
    assert caught.value.code == "json/parse"
    assert part in caught.value.message


@pytest.mark.usefixtures("reading")
def test_nesting_beyond_the_limit_is_an_error_however_deep_the_stack_may_be() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        for text in ("[" * 1_000_000, '{"a":' * 1_000_000, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)):
            with pytest.raises(EvalError) as caught:
                parse(text)
            assert caught.value.code == "json/depth"
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("limit", [0, 4300])
def test_huge_integers_are_refused_whatever_the_digit_limit_of_python(limit: int) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        with pytest.raises(LimitError):
            parse("[" + "9" * 1_000_000 + "]")
        assert parse("1" + "0" * 5000) == 10**5000
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("args", [(None,), (1,), ("1", 1), ("1", "keywords")])
def test_wrong_kinds(args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeMismatch):
        parse(*args)
