"""An MCP server over stdin and stdout that misbehaves as its arguments say. No dependencies.

Modes: `plain`; `noise` (writes rubbish around each answer); `endless` (a 3 MB line without sense before each answer);
`stubborn` (ignores the end of input and SIGTERM); `deaf` (ignores what it does not know); `fragile` (dies of it);
`modern` (the sessionless era); `asks` (asks the person behind a call, answers what they said); `child` (starts a
child that outlives it); `mute` (answers no call); `flood` (pings); `silent` (answers nothing); `eager` (says that its
tools have changed as soon as it is greeted, and logs). A second argument: seconds before it reads anything.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

MODE = sys.argv[1] if len(sys.argv) > 1 else "plain"
SLOW = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def tool(request: dict[str, Any]) -> dict[str, Any]:
    arguments = request["params"].get("arguments", {})
    name = request["params"]["name"]
    if name == "env":
        return {"structuredContent": dict(os.environ), "content": []}
    if name == "die":
        os._exit(3)
    if name == "pid":
        return {"structuredContent": {"pid": os.getpid(), "child": CHILD}, "content": []}
    if name == "sleep":
        time.sleep(arguments["seconds"])
    return {"structuredContent": arguments, "content": []}


CHILD = 0


def main() -> None:
    global CHILD
    print("starting", MODE, os.environ.get("SECRET", ""), file=sys.stderr, flush=True)
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if MODE == "child":
        CHILD = subprocess.Popen(["sleep", "600"]).pid
    time.sleep(SLOW)
    seen: set[Any] = set()
    for line in sys.stdin:
        request = json.loads(line)
        method, number = request.get("method"), request.get("id")
        if number is None:
            if method == "notifications/cancelled":
                print("cancelled", request["params"]["requestId"], file=sys.stderr, flush=True)
            continue
        if method is None:
            print("reply", json.dumps(request), file=sys.stderr, flush=True)
            continue
        assert number not in seen, "an id was used twice"
        seen.add(number)
        if MODE == "silent":
            continue
        if MODE == "noise":
            sys.stdout.write("Hello from a careless library\n\n{not json}\n[1, 2]\n\x00\xff\n")
            send({"jsonrpc": "2.0", "id": 99_999, "result": {}})
        if MODE == "endless":
            sys.stdout.write("x" * 3_000_000 + "\n")
        if MODE == "flood":
            send({"jsonrpc": "2.0", "id": "p", "method": "ping"})
            send({"jsonrpc": "2.0", "id": 5, "method": "roots/list"})
        if method == "server/discover" and MODE == "modern":
            send({"jsonrpc": "2.0", "id": number, "result": {"supportedVersions": ["2026-07-28"], "capabilities": {}}})
        elif method == "initialize" and MODE == "modern":
            refusal = {"code": -32022, "message": "2026-07-28 only", "data": {"supported": ["2026-07-28"]}}
            send({"jsonrpc": "2.0", "id": number, "error": refusal})
        elif method == "initialize":
            features = {"logging": {}, "tools": {"listChanged": True}} if MODE == "eager" else {}
            about = {"name": "s", "version": "1"}
            answer = {"protocolVersion": "2025-06-18", "capabilities": features, "serverInfo": about}
            send({"jsonrpc": "2.0", "id": number, "result": answer})
        elif method == "tools/call":
            if MODE == "mute":
                continue
            token = request["params"].get("_meta", {}).get("progressToken")
            if token is not None:
                params = {"progressToken": token, "progress": 1}
                send({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
            if MODE == "asks":
                schema = {"type": "object", "properties": {"name": {"type": "string", "default": "Ada"}}}
                params = {"message": "Who are you?", "requestedSchema": schema}
                send({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": params})
                said = json.loads(sys.stdin.readline())["result"]
                send({"jsonrpc": "2.0", "id": number, "result": {"structuredContent": said, "content": []}})
                continue
            send({"jsonrpc": "2.0", "id": number, "result": tool(request)})
        elif method == "logging/setLevel" and MODE == "eager":
            send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            send({"jsonrpc": "2.0", "id": number, "result": {}})
        elif MODE == "deaf":
            pass
        elif MODE == "fragile":
            print("fatal: what is that", file=sys.stderr, flush=True)
            os._exit(1)
        else:
            send({"jsonrpc": "2.0", "id": number, "error": {"code": -32601, "message": "Method not found"}})
    while MODE == "stubborn":
        time.sleep(60)


main()
