"""The template process: the language, loaded once, in a process with an empty environment that forks workers.

Must not know runs; it never runs a program but its own warm-up. Invariants: it has one thread, so that forking it is
safe; a worker is sandboxed before it reads a byte of its host; a process is killed only while it is an unreaped child
of this one; when its host ends, all of it ends.
"""

from __future__ import annotations

import array
import gc
import os
import pkgutil
import signal
import socket
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler import Environment

SOCKET, STATM = 3, 4
"""The files that a worker has, beside three that lead nowhere."""
FORK, KILL = b"F", b"K"
_PACKAGES = ("values", "syntax", "types", "builtins", "compiler", "flow", "machine", "checker")
_STDLIB = (
    "bisect", "calendar", "contextvars", "copy", "datetime", "decimal", "difflib", "fractions", "heapq", "json",
    "locale", "math", "numbers", "queue", "random", "re", "resource", "string", "traceback", "unicodedata", "zlib",
)  # fmt: skip
_WARM_UP = r"""
(defmacro warm [x] `(let [y# ~x] (inc y#)))
(defn go [n] (loop [i 0 acc []] (if (< i n) (recur (inc i) (conj acc (warm i))) acc)))
(let [{:keys [a] :or {a 1}} {:b 2} text (str "x" 1.5 :k [1 #{2}] {:a 1})]
  (when-let [found (re-find #"[a-z]+" text)] [found (str/upper-case found)])
  (try (get-in (parse-json (serialize-json {"a" [1 2.5 nil]})) ["a" 0]) (catch e (:message e)))
  (->> (range 20) (filter even?) (map inc) (reduce +) (format "%d"))
  (match 3 1 :one _ (sort-by :a [{:a 2} {:a a}])))
(go 200)
"""
_WRONG = ('(defn f [x] (+ x "a")) (f 1)', "(undefined-name 1)", "(let [x", "((fn [a] a))", "(match 1 2 3)", "(1 2)")


def main(control: int, cache: str) -> None:
    """Be the template. control: the socket over which the host asks for workers. cache: the host's folder of compiled
    files, or "" if it has none; only the template uses it, workers compile in memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["RTFS_CACHE_DIR"] = cache
    environment = prepared()
    os.environ["RTFS_CACHE_DIR"] = ""
    host = socket.socket(fileno=control)
    host.send(b"R")
    children: set[int] = set()
    while True:
        data, ancillary, _, _ = host.recvmsg(5, socket.CMSG_SPACE(array.array("i").itemsize))
        _reap(children)
        if not data:
            break
        if data[:1] == FORK:
            descriptor = _descriptor(ancillary)
            pid = os.fork()
            if pid == 0:
                host.detach()
                os.close(control)
                be_worker(descriptor, environment)
            os.close(descriptor)
            children.add(pid)
        elif int.from_bytes(data[1:], "big") in children:
            os.kill(int.from_bytes(data[1:], "big"), signal.SIGKILL)
    for child in children:
        os.kill(child, signal.SIGKILL)
    os._exit(0)


def _reap(children: set[int]) -> None:
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)


def _descriptor(ancillary: list[tuple[int, int, bytes]]) -> int:
    given = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            given.frombytes(data[: given.itemsize])
    return given[0]


def prepared() -> Environment:
    """An environment with everything in it that a program may need, and every module of Python that it may lead to."""
    import rtfs
    from rtfs.builtins import clojure as namespaces
    from rtfs.compiler import compile_source
    from rtfs.host import isolation
    from rtfs.host.bundled.prelude import new_environment
    from rtfs.machine import start
    from rtfs.source import Source
    from rtfs.syntax import diagnostics
    from rtfs.syntax.resources import keep_texts
    from rtfs.values import UserError

    keep_texts()
    for name in _STDLIB:
        import_module(name)
    for package in _PACKAGES:
        for module in pkgutil.walk_packages(import_module(f"rtfs.{package}").__path__, f"rtfs.{package}."):
            import_module(module.name)
    for name in (f"{isolation.__name__}.worker", "rtfs.capabilities.flow_declaration"):
        import_module(name)
    environment = new_environment(())
    environment.core_macros()
    for text in (_WARM_UP, *_WRONG):
        for name in ("<warm-up>", "warm-up"):
            scratch = environment.snapshot()
            try:
                outcome = start(compile_source(Source(text, name), scratch))
                rtfs.to_text(getattr(outcome, "value", None))
            except UserError as error:
                diagnostics.render(error)
    for name in namespaces.NAMESPACES:
        namespaces.load(name)
    gc.collect()
    gc.freeze()
    return environment


def be_worker(descriptor: int, environment: Environment) -> None:
    """Become a worker: give up everything but the pipe, and serve it. Never returns."""
    from rtfs.host.isolation import sandbox, worker
    from rtfs.host.isolation.wire import READY, Channel
    from rtfs.machine import memory

    status = 1
    try:
        sandbox.die_with_parent()
        if descriptor != SOCKET:
            os.dup2(descriptor, SOCKET)
        held = SOCKET + 1
        if os.path.exists("/proc/self/statm"):
            statm = os.open("/proc/self/statm", os.O_RDONLY)
            if statm != STATM:
                os.dup2(statm, STATM)
            memory.keep_open(STATM)
            held = STATM + 1
        os.closerange(held, 1 << 16)
        channel = Channel(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, SOCKET))
        kept = sandbox.enter(held, None)
        channel.put(READY, [0, os.getpid(), kept])
        channel.flush(True)
        worker.run(channel, environment)
        status = 0
    finally:
        os._exit(status)
