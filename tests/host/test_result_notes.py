"""What a server answers besides the value: content, `_meta`; through the pipeline, the journal and into files."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.codec import decode, encode
from rtfs.values import Keyword, Map, Vector
from rtfs.values.info import ResultInfo
from tests.servers.running import ROOT, serve

SDK = ROOT / "tests" / "servers" / "sdk_server.py"
K = Keyword


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(SDK) as running:
        yield running.url


def declared(url: str, *tools: str, more: str = "", version: str = "2026-07-28") -> str:
    return "\n".join(
        f'(capability "t.{tool}" {more} :metadata {{:mcp {{:requires_session "auto" :server_url "{url}"'
        f' :tool_name "{tool}" :protocol_version "{version}"}}}})'
        for tool in tools
    )


@pytest.fixture
def runtime(url: str, tmp_path: Path) -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime(allow=["t.*", f"fs:write:{tmp_path}"], state=tmp_path / "state") as runtime:
        runtime.load(declared(url, "chart", "kinds", "text", "number"), "t.rtfs")
        yield runtime


def test_the_value_is_the_structured_one_and_all_the_rest_can_be_reached(runtime: rtfs.Runtime) -> None:
    found = runtime.run(
        """(let [r (call "t.chart" {})]
             {:value r :words (text r) :kinds (map :type (content r)) :meta (:meta (meta r))
              :png (:data (second (content r))) :link (:uri (nth (content r) 2)) :same (= r {:rows 3})})"""
    )
    assert rtfs.to_python(found) == {
        "value": {"rows": 3},
        "words": "three rows",
        "kinds": ["text", "image", "resource_link"],
        "meta": {"example.org/source": "cache"},
        "png": base64.b64encode(b"png").decode(),
        "link": "file:///a",
        "same": True,
    }


def test_words_and_blocks_of_answers_without_a_structured_value(runtime: rtfs.Runtime) -> None:
    found = runtime.run('[(text (call "t.text" {})) (text (call "t.kinds" {})) (count (content (call "t.kinds" {})))]')
    assert rtfs.to_python(found) == ["just words", "words\nb", 5]


def test_media_go_to_files(runtime: rtfs.Runtime, tmp_path: Path) -> None:
    runtime.run(f'(save "{tmp_path}/chart.png" (call "t.chart" {{}}))')
    assert (tmp_path / "chart.png").read_bytes() == b"png"
    runtime.run(f'(save "{tmp_path}/words.txt" (call "t.text" {{}}))')
    assert (tmp_path / "words.txt").read_text() == "just words"
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run(f'(save "{tmp_path}/two" (call "t.kinds" {{}}))')
    assert "2 files" in caught.value.message
    runtime.run(f'(save "{tmp_path}/a.wav" (nth (content (call "t.kinds" {{}})) 2))')
    assert (tmp_path / "a.wav").read_bytes() == b"wav"


def test_a_resumed_run_sees_the_same(url: str, tmp_path: Path) -> None:
    program = """(let [r (call "t.chart" {})] (call "stop") [(text r) (count (content r)) (some? (:meta (meta r)))])"""

    def runtime(stop: Any) -> rtfs.Runtime:
        made = rtfs.Runtime(allow=["t.*"], state=tmp_path / "state")
        made.load(declared(url, "chart"), "t.rtfs")
        made.register("stop", stop, idempotent=True)
        return made

    def interrupt() -> None:
        raise KeyboardInterrupt

    with runtime(interrupt) as one, pytest.raises(KeyboardInterrupt):
        one.run(program, durable=True, run_id="r")
    with runtime(lambda: None) as other:
        assert rtfs.to_python(other.resume("r")) == ["three rows", 3, True]


def test_what_came_along_is_written_down_only_where_it_counts() -> None:
    value = Map([(K("rows"), 3)]).with_info(ResultInfo({"content": [{"type": "text", "text": "x"}], "meta": {}}))
    whole = Vector([value, Vector([1]).with_info(ResultInfo({"meta": {"a": 1}}))])
    back = decode(encode(whole))
    assert back == whole
    assert back[0].info.meta == value.info.meta
    assert back[1].info.meta == Map([(K("meta"), Map([(K("a"), 1)]))])
    assert decode(encode(whole, results=False))[0].info is None
    assert encode(whole, results=False) == encode(Vector([Map([(K("rows"), 3)]), Vector([1])]))


def test_a_secret_that_comes_along_is_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Leaky:
        def credential_env(self, metadata: Any) -> tuple[str, ...]:
            return ("LEAKY_TOKEN",)

        def session_key(self, call: Any) -> Any:
            from rtfs.capabilities.sessions.handler import SessionKey

            return SessionKey("leaky")

        async def initialize_session(self, call: Any) -> Any:
            from rtfs.capabilities.sessions.handler import Session

            return Session()

        async def execute_with_session(self, session: Any, call: Any) -> Any:
            note = {"content": [{"type": "text", "text": f"it is {call.secret}"}]}
            return Map([(K("ok"), True)]).with_info(ResultInfo(note))

        async def terminate_session(self, session: Any) -> None:
            pass

    monkeypatch.setenv("LEAKY_TOKEN", "s3cr3t-value")
    with rtfs.Runtime(allow=["l.*"]) as runtime:
        runtime.register_session_handler("leaky", Leaky())
        runtime.load('(capability "l.a" :metadata {:leaky {:requires_session "auto"}})', "l.rtfs")
        assert runtime.run('(text (call "l.a" {}))') == "it is «redacted»"


# whose a session is


OLD = "2025-11-25"


def test_each_run_counts_for_itself_where_the_declaration_says_so(url: str) -> None:
    with rtfs.Runtime(allow=["t.*"]) as runtime:
        runtime.load(declared(url, "count", more=':session-scope "run"', version=OLD), "t.rtfs")
        twice = '[(:count (call "t.count" {})) (:count (call "t.count" {}))]'
        assert [rtfs.to_python(runtime.run(twice)) for _ in range(2)] == [[1, 2], [1, 2]]
    with rtfs.Runtime(allow=["t.*"]) as runtime:
        runtime.load(declared(url, "count", version=OLD), "t.rtfs")
        assert [rtfs.to_python(runtime.run(twice)) for _ in range(2)] == [[1, 2], [3, 4]]
    with rtfs.Runtime(allow=["t.*"]) as runtime:
        runtime.load(declared(url, "count", more=":session-scope :call", version=OLD), "t.rtfs")
        assert rtfs.to_python(runtime.run(twice)) == [1, 1]


@pytest.mark.parametrize("restorable", [False, True])
def test_a_resumed_run_is_told_that_its_session_is_gone_unless_a_new_one_will_do(
    url: str, tmp_path: Path, restorable: bool
) -> None:
    program = '(let [a (call "t.count" {})] (call "stop") [(:count a) (:count (call "t.count" {}))])'
    more = ":session-scope :run" + (" :session-restorable true" if restorable else "")

    def runtime(stop: Any) -> rtfs.Runtime:
        made = rtfs.Runtime(allow=["t.*"], state=tmp_path / "state")
        made.load(declared(url, "count", more=more, version=OLD), "t.rtfs")
        made.register("stop", stop, idempotent=True)
        return made

    def interrupt() -> None:
        raise KeyboardInterrupt

    with runtime(interrupt) as one, pytest.raises(KeyboardInterrupt):
        one.run(program, durable=True, run_id="r")
    with runtime(lambda: None) as other:
        if restorable:
            assert rtfs.to_python(other.resume("r")) == [1, 1]
            return
        with pytest.raises(rtfs.UserError) as caught:
            other.resume("r")
        assert caught.value.code == "session/state-lost"
        assert "session-restorable" in (caught.value.hint or "")


def test_a_scope_that_is_not_one_is_an_error_of_the_declaration() -> None:
    with rtfs.Runtime() as runtime, pytest.raises(rtfs.UserError) as caught:
        runtime.run('(capability "a.b" :session-scope "forever")')
    assert caught.value.code == "capability/invalid"
