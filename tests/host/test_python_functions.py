"""`Runtime.register`: what a Python function says of itself, and what it is called with."""

from __future__ import annotations

import datetime
import functools
import pickle
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from typing import TypedDict as OldTypedDict

import pydantic
import pytest
from typing_extensions import TypedDict

import rtfs


class Issue(pydantic.BaseModel):
    id: int
    title: str = pydantic.Field(description="one line")
    labels: list[str] = []


@dataclass
class Point:
    x: int
    y: int = 0


class Options(TypedDict):
    deep: bool


class OldOptions(OldTypedDict):
    deep: bool


def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    More than one paragraph.

    Args:
        a: the first
        b (int): the second,
            on two lines
    """
    return a + b


def greet(name: str) -> str:
    """Greet somebody.

    :param name: whom
    """
    return f"hello {name}"


def later(when: datetime.date, *, days: int = 1) -> datetime.date:
    return when + datetime.timedelta(days=days)


class Shop:
    def order(self, item: str, count: int = 1) -> dict[str, Any]:
        return {"item": item, "count": count}

    async def __call__(self, sku: str) -> str:
        return sku.upper()


def value(function: Any, text: str, **manifest: Any) -> Any:
    with rtfs.Runtime() as rt:
        rt.register("f", function, **manifest)
        return rt.run(text)


def told(function: Any, text: str, **manifest: Any) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        value(function, text, **manifest)
    return caught.value


@pytest.mark.parametrize(
    ("function", "text", "expected"),
    [
        (add, '(call "f" {:a 1})', "3"),
        (add, '(call "f" {:a 1 :b 5})', "6"),
        (add, '(call "f" {"a" 1 "b" 5})', "6"),
        (add, '(call "f" 1 5)', "6"),
        (add, '(call "f" :b 5 :a 1)', "6"),
        (greet, '(call "f" {:name "Ada"})', '"hello Ada"'),
        (greet, '(call "f" "Ada")', '"hello Ada"'),
        (later, '(call "f" {:when "2026-11-29" :days 2})', '"2026-12-01"'),
        (Shop().order, '(call "f" {:item "tea"})', '{:item "tea" :count 1}'),
        (Shop(), '(call "f" {:sku "tea"})', '"TEA"'),
        (functools.partial(add, b=10), '(call "f" {:a 1})', "11"),
        (lambda a, b: a - b, '(call "f" {:b 1 :a 3})', "2"),
        (lambda a, b: a - b, '(call "f" 3 1)', "2"),
        (lambda: 7, '(call "f")', "7"),
        (lambda: 7, '(call "f" {})', "7"),
        (lambda request: request, '(call "f" {:a 1})', "{:a 1}"),
        (lambda *all: len(all), '(call "f" 1 2 3)', "3"),
        (lambda **all: sorted(all), '(call "f" {:b 1 :a 2})', '["a" "b"]'),
        (lambda first, *rest: [first, *rest], '(call "f" 1 2 3)', "[1 2 3]"),
        (lambda *_, v=1: v, '(call "f" {})', "1"),
        (lambda *_, v=1: v, '(call "f" {:v 2})', "2"),
        (lambda *_, v=1: v, '(call "f" {:x 3})', "1"),
        (lambda x, *rest, v=1: [x, len(rest), v], '(call "f" {:x 4})', "[4 0 1]"),
        (lambda x=0, y=0, *rest: [x, y, len(rest)], '(call "f" {:y 4})', "[0 4 0]"),
        (lambda a, b=1, *, c: [a, b, c], '(call "f" {:a 0 :c 2})', "[0 1 2]"),
        (lambda a, /, b=1: [a, b], '(call "f" {:b 2 :a 0})', "[0 2]"),
    ],
)
def test_a_function_is_called_with_keyword_arguments_by_name_or_by_position(function, text, expected):
    assert rtfs.to_text(value(function, text)) == expected


def test_a_whole_map_is_given_to_an_only_parameter_that_takes_one():
    def whole(request: dict) -> Any:
        return request

    def typed(request: rtfs.Map) -> Any:
        return request.get(rtfs.Keyword("a"))

    assert value(whole, '(call "f" {:a 1})') == rtfs.read_value("{:a 1}")
    assert value(typed, '(call "f" {:a 1})') == 1


def test_an_only_parameter_that_is_a_model_gets_the_arguments_as_its_fields():
    def title(issue: Issue) -> str:
        return issue.title

    def far(point: Point) -> int:
        return point.x + point.y

    def deep(options: Options) -> bool:
        return options["deep"]

    assert value(title, '(call "f" {:id 1 :title "t"})') == "t"
    assert value(far, '(call "f" {:x 1 :y 2})') == 3

    def old(options: OldOptions) -> bool:
        return options["deep"]

    assert value(deep, '(call "f" {:deep true})') is True
    assert value(old, '(call "f" {:deep true})') is True


def test_python_values_are_given_where_annotations_ask_for_them():
    def kinds(names: list[str], counts: dict[str, int], issue: Issue, mode: Literal["a", "b"] = "a") -> list[str]:
        return [type(one).__name__ for one in (names, counts, issue, mode)]

    text = '(call "f" {:names ["x"] :counts {:a 1} :issue {:id 1 :title "t"}})'
    assert value(kinds, text) == rtfs.read_value('["list" "dict" "Issue" "str"]')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('(call "f" {:a "x"})', "expected an integer at [:a]"),
        ('(call "f" {})', "the key is missing"),
        ('(call "f" {:a 1 :bb 2})', "there is no key :bb"),
        ('(call "f" 1 2 3)', "at most 2 arguments"),
    ],
)
def test_arguments_that_do_not_fit_the_signature_are_refused_before_the_function_is_called(text, words):
    calls = []

    @functools.wraps(add)
    def counted(*args: Any, **kwargs: Any) -> int:
        calls.append(args)
        return add(*args, **kwargs)

    assert words in told(counted, text).message
    assert calls == []


def test_a_parameter_that_python_takes_by_name_only_is_given_by_name():
    def named(*, v=1):
        return v

    assert value(named, '(call "f" {:v 2})') == 2
    assert "no key :x" in told(named, '(call "f" {:x 2})').message
    assert "named arguments only" in told(named, '(call "f" 2)').message


def test_what_only_pydantic_can_tell_is_a_type_mismatch():
    def late(when: datetime.date) -> str:
        return str(when)

    error = told(late, '(call "f" {:when "yesterday"})')
    assert error.code == "type/mismatch"
    assert "date" in error.message


def test_the_signature_and_the_docstring_become_the_declaration():
    rt = rtfs.Runtime()
    rt.register("math.add", add)
    manifest = rt.capabilities["math.add"]
    assert manifest.description == "Add two numbers."
    (described,) = rtfs.describe("math.add", runtime=rt)
    fields = {field.name: field for field in rt.environment and _fields(rt, "math.add")}
    assert fields["a"].about == {"description": "the first"}
    assert fields["b"].about == {"description": "the second, on two lines", "default": 2}
    assert not fields["a"].optional
    assert fields["b"].optional
    assert described.id == "math.add"


def _fields(rt: rtfs.Runtime, id: str) -> Any:
    return rt._registry.find(id).fields.input_type.fields


def test_the_checker_knows_the_signature():
    rt = rtfs.Runtime()
    rt.register("math.add", add)
    codes = [found.code for found in rtfs.analyse('(call "math.add" {:a "x"})', runtime=rt).diagnostics]
    assert codes == ["type/mismatch"]


@pytest.mark.parametrize(
    "schema",
    [
        "[:map [:q :string]]",
        {"q": ":string"},
        {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
        pydantic.create_model("Query", q=(str, ...)),
        TypedDict("Query", {"q": str}),
    ],
    ids=["text", "data", "json-schema", "model", "typed-dict"],
)
def test_an_input_schema_is_text_data_json_schema_or_a_python_type(schema: Any):
    def search(request):
        return request.get(rtfs.Keyword("q"))

    assert value(search, '(call "f" {:q "x"})', input_schema=schema) == "x"
    assert told(search, '(call "f" {:q 1})', input_schema=schema).code == "type/mismatch"


def test_a_schema_that_is_not_a_map_keeps_the_argument_whole():
    def count(sku: str) -> int:
        return len(sku)

    assert value(count, '(call "f" "abc")', input_schema=":string") == 3


def test_a_type_without_a_schema_is_refused_where_it_is_given_as_one():
    with pytest.raises(rtfs.HostError) as caught:
        rtfs.Runtime().register("f", lambda request: request, input_schema=type("Odd", (), {}))
    assert caught.value.code == "capability/invalid"


def test_models_dataclasses_and_dates_are_answered_as_json_has_them():
    assert rtfs.to_text(value(lambda _: Issue(id=1, title="t"), '(call "f" {})')) == '{:id 1 :title "t" :labels []}'
    assert rtfs.to_text(value(lambda _: [Point(1)], '(call "f" {})')) == "[{:x 1 :y 0}]"
    assert value(lambda _: datetime.date(2026, 11, 29), '(call "f" {})') == "2026-11-29"
    assert told(lambda _: object(), '(call "f" {})').code == "capability/result"


def test_keys_of_an_answer_become_keywords_all_or_none():
    assert rtfs.to_text(value(lambda _: {"a": {"b": 1}}, '(call "f" {})')) == "{:a {:b 1}}"
    assert rtfs.to_text(value(lambda _: {"a b": 1, "c": {"d": 2}}, '(call "f" {})')) == '{"a b" 1 "c" {:d 2}}'


def test_keys_that_the_output_schema_names_are_keywords_and_those_of_a_dictionary_are_texts():
    def counts() -> dict[str, int]:
        return {"tea": 1}

    def answered(answer: Any, schema: str) -> str:
        return rtfs.to_text(value(lambda _: answer, '(call "f" {})', output_schema=schema))

    record = "[:map [:id :int] [:rows [:vector [:map [:n :int]]]]]"
    rows = [{"n": 1, "more": 2}]
    assert answered({"id": 1, "rows": rows, "note": 4}, record) == "{:id 1 :rows [{:n 1 :more 2}] :note 4}"
    assert answered({"id": 1, "rows": rows, "a b": 3, "c": 4}, record) == (
        '{:id 1 :rows [{:n 1 :more 2}] "a b" 3 "c" 4}'
    )
    assert answered({"id": 1, "tea": 2}, "[:map [:id :int] [:* :int]]") == '{:id 1 "tea" 2}'
    # a field that the type names by a text is a text
    assert (
        answered({"id": 1, "tea": {"b": 2}}, '[:map ["id" :int] [:tea [:map ["b" :int ?]]]]') == '{"id" 1 :tea {"b" 2}}'
    )
    assert rtfs.to_text(value(counts, '(call "f" {})')) == '{"tea" 1}'


def test_a_name_that_exists_only_for_type_checkers_is_anything():
    def odd(a: Missing, b: int = 1) -> Missing:  # noqa: F821
        return b

    assert value(odd, '(call "f" {:a [1] :b 3})') == 3


def test_a_constraint_of_an_annotation_is_checked():
    def some(count: Annotated[int, pydantic.Field(ge=1, le=3)]) -> int:
        return count

    assert value(some, '(call "f" {:count 3})') == 3
    assert told(some, '(call "f" {:count 4})').code == "type/mismatch"


def test_an_error_can_be_pickled_and_says_the_same_then():
    error = told(add, '(let [x "y"]\n  (call "f" {:a x}))')
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert rtfs.format_error(again) == rtfs.format_error(error)
    assert rtfs.error_data(again) == rtfs.error_data(error)


def test_an_error_whose_data_cannot_be_pickled_loses_only_that():
    error = rtfs.EvalError("user/odd", "odd", data=rtfs.Map({rtfs.Keyword("f"): lambda: 1}))
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.message, again.data) == ("user/odd", "odd", None)


def test_error_data_has_what_a_report_shows():
    data = rtfs.error_data(told(add, '(call "f" {:a "x"})'))
    assert data["code"] == "type/mismatch"
    assert (data["line"], data["column"], data["capability"]) == (1, 15, "f")
    assert "data" not in data
