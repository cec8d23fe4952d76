"""Many callers of `rtfs mcp serve --http` at once, some of them hostile: `python -m tests_full.serve_soak`.

200 clients of 20 principals run small plans, each with one call whose effect is in the ledger, for some minutes. Now
and then one goes away in mid-call, runs a plan that never ends, sends rubbish, a token that does not count or a body
that is too large, or asks for another principal's run. At the end: every answer was the asker's own; the ledger has
each call that was answered once, and no other but those whose callers went away; memory has not grown; the server still
answers, and ends without a traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.serve.clients import told
from tests.serve.test_http import AUDIENCE, HEADERS, HELLO, ISSUER, OTHER, issuer, started, token

CONFIG = """allow: ["shop.*"]
load: [caps.rtfs]
ledger: ledger.db
limits: {{seconds: 30}}
serve:
  auth: {{issuer: "{issuer}", audience: "{audience}", jwks: "{keys}"}}
  scopes:
    plans:read: {{allow: ["shop.*"]}}
"""
CAPS = (
    """(capability "shop.add" :description "Note a number" :input-schema {:n :int} :implementation (fn [i] (:n i)))"""
)
SMALL = '{:me @me :sum (+ (call "shop.add" {:n @n}) (reduce + (range 50)))}'
ENDLESS = "(loop [] (recur))"
FAULTS = ("gone", "endless", "rubbish", "token", "body", "other")
SHARE = 0.05
"""How often a caller does something else than a small plan."""


class Seen:
    """What the callers have seen. answered, unknown: small plans by principal."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.wrong: list[str] = []
        self.runs: dict[str, str] = {}

    def expect(self, fits: bool, what: str) -> None:
        if not fits:
            self.wrong.append(what)


class Caller:
    """One client of a principal."""

    def __init__(self, number: int, principal: str, url: str, seen: Seen) -> None:
        self.principal = principal
        self.url = url
        self.seen = seen
        self._random = random.Random(number)
        self._next = number * 1_000_000
        self._bearer = token(principal, exp=int(time.time()) + 7_200)

    async def work(self, until: float) -> None:
        while time.monotonic() < until:
            headers = {"Authorization": f"Bearer {self._bearer}"}
            era = self._random.choice(("legacy", "2026-07-28"))
            async with (
                httpx2.AsyncClient(headers=headers, timeout=300) as http,
                Client(streamable_http_client(self.url, http_client=http), mode=era) as client,
            ):
                for _ in range(self._random.randint(5, 40)):
                    if time.monotonic() >= until:
                        return
                    if self._random.random() < SHARE:
                        await self._fault(client, self._random.choice(FAULTS))
                    else:
                        await self._small(client)

    async def _small(self, client: Client) -> None:
        self._next += 1
        n, begun = self._next, time.monotonic()
        data = await told(client, "run_plan", plan=SMALL, args={"me": self.principal, "n": n})
        self.seen.seconds.append(time.monotonic() - begun)
        wanted = {"me": self.principal, "sum": n + 1225}
        self.seen.expect(data.get("value") == wanted, f"{self.principal} got {str(data)[:300]}, not {wanted}")
        self.seen.answered[self.principal] += 1
        self.seen.runs[self.principal] = data.get("run", "")

    async def _fault(self, client: Client, kind: str) -> None:
        self.seen.faults[kind] += 1
        if kind == "gone":
            self._next += 1
            args = {"me": self.principal, "n": self._next}
            call = asyncio.create_task(told(client, "run_plan", plan=SMALL, args=args))
            await asyncio.sleep(self._random.random() * 0.3)
            if call.cancel():
                self.seen.unknown[self.principal] += 1
            else:
                self.seen.answered[self.principal] += 1
            await asyncio.wait([call])
        elif kind == "endless":
            data = await told(client, "run_plan", plan=ENDLESS)
            self.seen.expect(data["error"]["code"] == "limit/time", f"an endless plan: {str(data)[:300]}")
        elif kind == "other":
            owner = self._random.choice(list(self.seen.runs) or [self.principal])
            data = await told(client, "status", run=self.seen.runs.get(owner, "nothing"))
            self.seen.expect("error" in data, f"the run of {owner} was shown to {self.principal}: {str(data)[:300]}")
        else:
            await self._raw(kind)

    async def _raw(self, kind: str) -> None:
        good = {"Authorization": f"Bearer {self._bearer}"}
        async with httpx.AsyncClient(headers=HEADERS, timeout=120) as raw:
            if kind == "rubbish":
                answer = await raw.post(self.url, content=b'{"jsonrpc": ', headers=good)
                self.seen.expect(answer.status_code == 400, f"rubbish: {answer.status_code}")
            elif kind == "token":
                bad = {"Authorization": f"Bearer {token(self.principal, key=OTHER)}"}
                answer = await raw.post(self.url, json=HELLO, headers=bad)
                self.seen.expect(answer.status_code == 401, f"a wrong token: {answer.status_code}")
            else:
                answer = await raw.post(self.url, content=b" " * 1_100_000, headers=good)
                self.seen.expect(answer.status_code == 413, f"a large body: {answer.status_code}")


def memory(pid: int) -> float:
    """Megabytes of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


async def soak(url: str, pid: int, seconds: float, callers: int, principals: int) -> tuple[Seen, list[float]]:
    seen, sizes = Seen(), []
    until = time.monotonic() + seconds
    work = [Caller(n, f"p{n % principals}", url, seen).work(until) for n in range(callers)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(5)
            sizes.append(memory(pid))
            if len(sizes) % 6 == 0:
                total = sum(seen.answered.values())
                print(f"{len(sizes) * 5:4} s  {total:6} answered  {sizes[-1]:6.0f} MB", flush=True)

    watching = asyncio.create_task(watch())
    try:
        await asyncio.gather(*work)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    async with httpx.AsyncClient(timeout=60) as client:
        seen.expect((await client.get(url.replace("/mcp", "/healthz"))).text == "ok\n", "the server does not answer")
    return seen, sizes


def recorded(ledger: Path) -> Counter[str]:
    """Calls that were made, by principal."""
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute(
            "SELECT principal, COUNT(*) FROM records WHERE kind = 'outcome' AND subject = 'shop.add' AND detail = 'ok'"
            " GROUP BY principal"
        )
        return Counter(dict(rows.fetchall()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--principals", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, issuer() as keys:
        folder = Path(made)
        (folder / "rtfs.yaml").write_text(CONFIG.format(issuer=ISSUER, audience=AUDIENCE, keys=keys))
        (folder / "caps.rtfs").write_text(CAPS)
        with started(folder, "--config", "rtfs.yaml") as (url, pid):
            seen, sizes = asyncio.run(soak(url, pid, options.minutes * 60, options.callers, options.principals))
        made_calls = recorded(folder / "ledger.db")
        from rtfs.host.audit.sqlite_ledger import inspect

        seen.expect(inspect(str(folder / "ledger.db")) is None, "the ledger is not whole")
    for principal, answered in seen.answered.items():
        calls = made_calls[f"oauth:{principal}"]
        fits = answered <= calls <= answered + seen.unknown[principal]
        seen.expect(fits, f"{principal}: {answered} answered, {seen.unknown[principal]} unknown, {calls} in the ledger")
    seconds = sorted(seen.seconds)
    median, p99 = statistics.median(seconds), seconds[int(len(seconds) * 0.99)]
    third = len(sizes) // 3
    before, after = statistics.median(sizes[third : 2 * third]), statistics.median(sizes[2 * third :])
    seen.expect(p99 <= 5 * median, f"p99 {p99:.2f} s is more than 5 times the median {median:.2f} s")
    seen.expect(after <= before * 1.1 + 10, f"memory grew from {before:.0f} to {after:.0f} MB")
    print(f"{sum(seen.answered.values())} plans answered, {sum(seen.unknown.values())} callers gone, faults: "
          f"{dict(seen.faults)}")  # fmt: skip
    print(f"median {median:.2f} s, p99 {p99:.2f} s ({p99 / median:.1f}x); memory {before:.0f} → {after:.0f} MB")
    print(f"{len(seen.wrong)} wrong")
    for one in seen.wrong[:50]:
        print(f"WRONG {one}")
    return bool(seen.wrong)


if __name__ == "__main__":
    sys.exit(main())
