"""The bundled capabilities do what their declarations say."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import rtfs


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime(
        allow=[f"fs:read:{tmp_path}", f"fs:write:{tmp_path}", "env:RTFS_*", "net:127.0.0.1"],
        context={"dir": str(tmp_path)},
    ) as runtime:
        yield runtime


def show(rt: rtfs.Runtime, text: str) -> str:
    return rtfs.to_text(rt.run(text))


def code_of(rt: rtfs.Runtime, text: str) -> str:
    try:
        rt.run(text)
    except rtfs.UserError as error:
        return error.code
    return "ok"


def test_console(rt: rtfs.Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    assert rt.run('(println "a" 1 [2 "x"] nil :k) (print "b" "c") (println) (log "to" "stderr") (tool/log 1)') is None
    assert rt.run('(call "ccos.io.println" "plain" [1])') is None
    found = capsys.readouterr()
    assert found.out == 'a 1 [2 "x"] nil :k\nb c\nplain [1]\n'
    assert found.err == "to stderr\n1\n"


def test_files(rt: rtfs.Runtime, tmp_path: Path) -> None:
    assert show(rt, '(def f (str @dir "/é.txt")) (file-exists? f)') == "false"
    assert show(rt, '(write-file f "häl\\nlo") [(file-exists? f) (read-file f)]') == '[true "häl\\nlo"]'
    assert show(rt, '(call "ccos.io.read-file" {:path f})') == '"häl\\nlo"'
    assert show(rt, "[(delete-file f) (delete-file f) (file-exists? f)]") == "[true false false]"
    (tmp_path / "bytes").write_bytes(b"a\xff")
    assert code_of(rt, '(read-file (str @dir "/bytes"))') == "argument/encoding"
    assert code_of(rt, '(read-file (str @dir "/none"))') == "capability/failed"
    assert code_of(rt, "(read-file @dir)") == "capability/failed"
    assert code_of(rt, '(read-file (str @dir "/a\\u0000b"))') in ("argument/path", "policy/denied")


def test_paths_do_not_escape_their_grant(rt: rtfs.Runtime, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    assert code_of(rt, '(read-file (str @dir "/out/hostname"))') == "policy/denied"
    assert code_of(rt, '(read-file (str @dir "/../../../../../../etc/hostname"))') == "policy/denied"
    assert code_of(rt, '(write-file (str @dir "/../x") "")') == "policy/denied"


def test_deleting_a_link_deletes_the_link(rt: rtfs.Runtime, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert rt.run('(delete-file (str @dir "/link"))') is True
    assert (tmp_path / "target").exists()
    assert not (tmp_path / "link").is_symlink()


def test_environment(rt: rtfs.Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTFS_X", "value")
    monkeypatch.delenv("RTFS_Y", raising=False)
    assert show(rt, '[(get-env "RTFS_X") (get-env "RTFS_Y") (get-env "RTFS_Y" 5) (tool/get-env "RTFS_X")]') == (
        '["value" nil 5 "value"]'
    )
    assert "PATH" in os.environ
    assert code_of(rt, '(get-env "PATH")') == "policy/denied"


def test_time(rt: rtfs.Runtime) -> None:
    before = time.time() * 1000
    assert before - 1 <= rt.run("(current-time-millis)") <= time.time() * 1000
    assert rt.run("(- (tool/time-ms) (tool/current-time-millis))") <= 0
    assert rt.run('(string-length (call "ccos.system.current-time"))') == 20
    started = time.monotonic()
    assert rt.run("(thread/sleep 30)") is None
    assert time.monotonic() - started >= 0.03
    assert code_of(rt, "(thread/sleep -1)") == "argument/range"
    assert code_of(rt, '(thread/sleep "x")') == "type/mismatch"


def test_data(rt: rtfs.Runtime) -> None:
    assert show(rt, '(call "ccos.data.parse-json" "{\\"a\\": [1]}")') == '{"a" [1]}'
    assert show(rt, '(call "ccos.data.serialize-json" {:a [1]})') == '"{\\"a\\":[1]}"'


def test_state(rt: rtfs.Runtime) -> None:
    assert show(rt, '[(kv/put "k" {:a 1}) (kv/get "k") (kv/get :k) (kv/get :k 7)]') == "[{:a 1} {:a 1} nil 7]"
    assert (
        show(rt, '[(kv/assoc! "k" :b 2 :c 3) (kv/dissoc! "k" :a :b) (kv/conj! "v" 1 2)]')
        == "[{:a 1 :b 2 :c 3} {:c 3} [1 2]]"
    )
    assert show(rt, '[(call "ccos.state.kv.put" :key "v") (call "ccos.state.kv.get" :key)]') == '["v" "v"]'
    assert show(rt, '(call "ccos.state.kv.put" {:key "q" :value 1}) (call "ccos.state.kv.get" {:key "q"})') == "1"
    assert show(rt, '[(call "ccos.state.kv.delete" "q") (kv/get "q")]') == "[1 nil]"
    assert show(rt, "(kv/put 1 :int) (kv/put 1.0 :float) [(kv/get 1) (kv/get 1.0)]") == "[:int :float]"
    assert code_of(rt, '(call "ccos.state.kv.get")') == "arity"
    with rtfs.Runtime() as other:
        assert other.run('(kv/get "k")') is None


def test_state_changes_of_branches_do_not_get_lost(rt: rtfs.Runtime) -> None:
    rt.run("(step-parallel " + '(dotimes [i 50] (kv/conj! "v" i)) ' * 4 + ")")
    assert rt.run('(count (kv/get "v"))') == 200


class Page(BaseHTTPRequestHandler):
    """Answers what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(200, f"{self.command} {self.path} {self.headers.get('X-A')} ".encode() + body)

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Set-Cookie", "a=b")
            self.end_headers()
        else:
            self._answer(200, f"hellö {self.headers.get('Cookie')}".encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_http(rt: rtfs.Runtime, url: str) -> None:
    assert show(rt, f'(select-keys (http-fetch "{url}") [:status :body])') == '{:status 200 :body "hellö None"}'
    posted = (
        f'(:body (call "ccos.network.http-fetch" :method "POST" :url "{url}/p" :headers {{"X-A" "h"}} :body "data"))'
    )
    assert rt.run(posted) == "POST /p h data"
    assert rt.run(f'(:body (http-fetch "{url}/p" {{:method "POST" :body "d"}}))') == "POST /p None d"


def test_http_follows_no_redirect_and_keeps_no_cookie(rt: rtfs.Runtime, url: str) -> None:
    assert rt.run(f'(:status (http-fetch "{url}/moved"))') == 302
    assert rt.run(f'(:body (http-fetch "{url}"))') == "hellö None"


def test_http_needs_its_host(rt: rtfs.Runtime) -> None:
    assert code_of(rt, '(http-fetch "http://localhost:1/")') == "policy/denied"
    assert code_of(rt, '(http-fetch "http://127.0.0.1:1/")') == "capability/failed"
    assert code_of(rt, '(http-fetch "file:///etc/passwd")') == "argument/url"
