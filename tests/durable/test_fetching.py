"""A process that dies while a request is under way: one that only asks is made again, any other is in doubt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import rtfs
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.host.durable.runs import RunState

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """
import sys, rtfs
state, url, method = sys.argv[1:]
with rtfs.Runtime(["net:127.0.0.1"], state=state) as rt:
    rt.run(f'(:body (http-fetch "{url}" {{:method "{method}"}}))', durable=True, run_id="r")
"""


class Killing(ThreadingHTTPServer):
    """Kills the process that asks first, before it gets an answer."""

    asked: list[str]
    client: subprocess.Popen[bytes] | None = None


class Handler(BaseHTTPRequestHandler):
    server: Killing

    def _answer(self) -> None:
        self.server.asked.append(self.command)
        if len(self.server.asked) == 1:
            assert self.server.client is not None
            os.kill(self.server.client.pid, signal.SIGKILL)
            return
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else b"done")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Killing]:
    made = Killing(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def killed(server: Killing, state: Path, method: str) -> None:
    url = f"http://127.0.0.1:{server.server_port}/"
    command = [sys.executable, "-c", PROGRAM, str(state), url, method]
    server.client = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert server.client.wait() == -signal.SIGKILL


@pytest.mark.parametrize(("method", "body"), [("GET", "done"), ("get", "done"), ("HEAD", "")])
def test_a_request_that_only_asks_is_made_again(server: Killing, state: Path, method: str, body: str) -> None:
    killed(server, state, method)
    assert RunState(FolderRunStore(str(state)).look("r")).state == "interrupted"
    with rtfs.Runtime(["net:127.0.0.1"], state=state) as rt:
        assert rt.resume("r") == body
    assert server.asked == [method.upper()] * 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_any_other_request_is_in_doubt(server: Killing, state: Path, method: str) -> None:
    killed(server, state, method)
    assert RunState(FolderRunStore(str(state)).look("r")).state == "in doubt"
    with rtfs.Runtime(["net:127.0.0.1"], state=state) as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.resume("r")
        assert caught.value.code == "run/in-doubt"
        assert server.asked == [method]
        assert rt.resume("r", retry=True) == "done"
    assert server.asked == [method, method]


def test_a_request_that_is_made_again_is_decided_about_again(server: Killing, state: Path) -> None:
    killed(server, state, "GET")
    with rtfs.Runtime(["net:example.com"], state=state) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.resume("r")
    assert caught.value.code == "policy/denied"
    assert server.asked == ["GET"]
