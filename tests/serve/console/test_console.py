"""The console without a browser: who is let in, what each may see, answers that reach their question and no other."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from rtfs import Runtime
from rtfs.host.audit.ledger import Record
from rtfs.serve.console.access import Access
from rtfs.serve.console.answers import Answers
from rtfs.serve.console.app import BODY, LOCAL, PATH, Console
from rtfs.serve.console.runs import HeardCalls, RunBrowser, RunRow, _take_in
from rtfs.serve.console.shown import shown
from tests.cli.test_command import rtfs as command
from tests.cli.typing_at import ROOT, Typist
from tests.serve.conftest import CAPS, CONFIG

PLAN = """(kv/put "login" {:user "ann" :password "hunter2hunter2"})
(kv/put "html" "<script>alert(1)</script>")
(try (call "shop.cancel" {:id 7}) (catch :policy e (str "refused: " (:reason (:data e)))))"""
BASE = "http://127.0.0.1:8800"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rtfs.yaml").write_text(CONFIG)
    (tmp_path / "caps.rtfs").write_text(CAPS)
    (tmp_path / "plan.rtfs").write_text(PLAN)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paused(folder: Path, *options: str) -> str:
    code, _, err = command("run", "--durable", "--config", "rtfs.yaml", *options, "plan.rtfs", cwd=folder)
    assert code == 4
    return err.split()[1]


class Page:
    """A browser without JavaScript."""

    def __init__(self, client: httpx.AsyncClient, links: list[str]) -> None:
        self.client = client
        self.links = links

    async def enter(self, link: str | None = None) -> httpx.Response:
        return await self.client.post(f"{PATH}/session", data={"link": link or self.links[-1]})

    async def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return await self.client.get(PATH + path, headers=headers)

    async def answer(self, run: str, answer: str, reason: str = "", **changed: Any) -> httpx.Response:
        text = (await self.get(f"/run/{run}")).text
        fields = dict(re.findall(r'name="(mark|question)" value="([^"]*)"', text))
        headers = changed.pop("headers", {})
        data = {**fields, "answer": answer, "reason": reason, **changed}
        return await self.client.post(f"{PATH}/run/{run}/answer", data=data, headers=headers)


@asynccontextmanager
async def opened(*, answers: bool = True, verify: Any = None, **options: Any) -> AsyncIterator[Page]:
    """A page of a console over the configuration of the working folder."""
    links: list[str] = []
    async with Runtime.from_config("rtfs.yaml") as runtime:
        access = Access(answers, verify, links.append)
        console = Console(RunBrowser(runtime, options.get("heard")), access, options.get("giver", Answers()), LOCAL)
        access.offer_link()
        app = Starlette(routes=[console.mount()])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            yield Page(client, links)


async def until(page: Page, run: str, state: str) -> str:
    for _ in range(600):
        text = (await page.get(f"/run/{run}")).text
        if f">{state}</span></h1>" in text:
            return text
        await asyncio.sleep(0.1)
    raise AssertionError(text)


def test_a_link_lets_in_once_and_nothing_is_shown_before(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            for path in ("/", "/inbox", "/ledger", "/catalogue", "/events", f"/run/{run}", "/run/nothing"):
                found = await page.get(path)
                assert (found.status_code, run in found.text, "shop" in found.text) == (401, False, False)
            link = page.links[-1]
            assert (await page.enter("made-up")).status_code == 403
            entered = await page.enter(link)
            assert entered.status_code == 303
            assert {"HttpOnly", "SameSite=strict"} <= set(entered.headers["set-cookie"].split("; "))
            assert run in (await page.get()).text
            assert (await page.enter(link)).status_code == 403
            assert (await page.enter(page.links[-1])).status_code == 303

    asyncio.run(main())


def test_every_answer_forbids_foreign_scripts_frames_and_caches(folder: Path) -> None:
    async def main() -> None:
        async with opened() as page:
            for path in ("/", "/static/console.js", "/static/nothing", "/nothing"):
                headers = (await page.get(path)).headers
                if path != "/nothing":
                    assert "default-src 'none'" in headers["content-security-policy"]
                    assert headers["x-content-type-options"] == "nosniff"
                    assert headers["cache-control"] == "no-store"

    asyncio.run(main())


def test_requests_of_other_pages_and_for_other_hosts_are_refused(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            await page.enter()
            assert (await page.get("/", Host="evil.example")).status_code == 421
            assert (await page.get("/", Origin="https://evil.example")).status_code == 403
            assert (await page.answer(run, "approve", headers={"Origin": "null"})).status_code == 403
            assert (await page.answer(run, "approve", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
            assert (await page.answer(run, "approve", mark="")).status_code == 403
            assert (await page.answer(run, "approve", mark="x" * 43)).status_code == 403
            assert (await page.answer(run, "maybe")).status_code == 400
            assert (await page.answer(run, "refuse", reason="x" * BODY)).status_code == 400
            broken = await page.client.post(f"{PATH}/run/{run}/answer", content=b"\xff\xfe{")
            assert broken.status_code == 400
            assert ">waiting</span></h1>" in (await page.get(f"/run/{run}")).text

    asyncio.run(main())


def test_an_approval_lets_the_run_go_on_and_a_second_answer_comes_too_late(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            await page.enter()
            inbox = (await page.get("/inbox")).text
            assert "&#34;shop.cancel&#34; {:id 7}" in inbox
            assert "it cannot be undone" in inbox
            both = await asyncio.gather(page.answer(run, "approve"), page.answer(run, "refuse"))
            assert sorted(one.status_code for one in both) == [303, 409]
            text = await until(page, run, "done")
            approved = both[0].status_code == 303
            assert ("cancelled 7" in text) is approved
            assert (await page.answer(run, "approve", question="0" * 16)).status_code == 409

    asyncio.run(main())


def test_a_terminal_and_a_page_do_not_both_answer(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            await page.enter()
            text = (await page.get(f"/run/{run}")).text
            question = re.search(r'name="question" value="([^"]*)"', text)[1]
            assert (await asyncio.to_thread(command, "resume", run, "--approve", cwd=folder))[0] == 0
            assert (await page.answer(run, "refuse", question=question)).status_code == 409
            code, _, err = await asyncio.to_thread(
                command, "resume", run, "--question", question, "--refuse", "no", cwd=folder
            )
            assert (code, "run/no-question" in err) == (1, True)

    asyncio.run(main())


def test_a_refusal_reaches_the_plan_with_its_reason(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            await page.enter()
            assert (await page.answer(run, "refuse", "-- too <late>")).status_code == 303
            assert "refused: -- too &lt;late&gt;" in await until(page, run, "done")

    asyncio.run(main())


def test_values_are_shown_escaped_and_without_what_is_named_like_a_secret(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            await page.enter()
            text = (await page.get(f"/run/{run}")).text
            assert ("&lt;script&gt;alert" in text, "<script>alert" in text) == (True, False)
            assert ("hunter2" in text, "«redacted»" in text) == (False, True)

    asyncio.run(main())
    assert shown('{:api-key "a\\"b" "X-Auth-Token" "c" :name "d"}') == (
        '{:api-key "«redacted»" "X-Auth-Token" "«redacted»" :name "d"}'
    )


def test_a_console_that_takes_no_answers_changes_nothing(folder: Path) -> None:
    async def main() -> None:
        run = paused(folder)
        async with opened(answers=False) as page:
            await page.enter()
            assert 'name="question"' not in (await page.get(f"/run/{run}")).text
            mark = re.search(r'name="mark" value="([^"]*)"', (await page.get()).text)[1]
            assert (await page.answer(run, "approve", mark=mark, question="x")).status_code == 403
            assert run in (await page.get()).text

    asyncio.run(main())


class Verified:
    """An access token, as far as the console looks at one."""

    def __init__(self, subject: str, *scopes: str, issued: float | None = None) -> None:
        self.subject = subject
        self.scopes = list(scopes)
        self.claims = {} if issued is None else {"iat": issued}
        self.expires_at = None


def test_tokens_see_their_own_runs_and_only_another_one_with_the_scope_answers(folder: Path) -> None:
    tokens = {
        "look": Verified("ann", "rtfs:console"), "start": Verified("ann", "rtfs:approve", "plans:write"),
        "old": Verified("ann", "rtfs:approve", issued=1.0), "other": Verified("bob", "rtfs:approve"),
        "nothing": Verified("ann", "plans:write"),
    }  # fmt: skip

    async def verify(token: str) -> Any:
        return tokens.get(token)

    async def main() -> None:
        from rtfs.serve.callers import token_digest

        anns, bobs = paused(folder, "--principal", "oauth:ann"), paused(folder, "--principal", "oauth:bob")
        started = {anns: token_digest("start")}
        async with opened(verify=verify, giver=Answers(started.get)) as page:

            def bearer(token: str) -> dict[str, str]:
                return {"Authorization": f"Bearer {token}"}

            async def answer(token: str, run: str) -> tuple[int, str]:
                listed = (await page.get("/inbox", **bearer(token))).json()
                asked = {one["id"]: one["question"] for one in listed.get("runs", [])}
                fields = {"answer": "approve", "question": asked.get(run, "")}
                found = await page.client.post(f"{PATH}/run/{run}/answer", data=fields, headers=bearer(token))
                return found.status_code, found.json().get("error", {}).get("code", "")

            assert (await page.get("/", **bearer("nothing"))).status_code == 401
            assert (await page.get("/", **bearer("made-up"))).status_code == 401
            seen = {one["id"] for one in (await page.get("/", **bearer("look"))).json()["runs"]}
            assert (anns in seen, bobs in seen) == (True, False)
            assert (await page.get(f"/run/{bobs}", **bearer("look"))).status_code == 404
            assert not [
                one for one in (await page.get("/ledger", **bearer("look"))).json()["records"] if one["run"] == bobs
            ]
            assert await answer("look", anns) == (403, "serve/approval")
            assert await answer("start", anns) == (403, "serve/approval")
            started.clear()  # as after a restart: what is not known to be another token does not count
            assert await answer("old", anns) == (403, "serve/approval")
            assert await answer("other", anns) == (200, "")
            entered = await page.client.post(f"{PATH}/session", data={"token": "look"})
            assert entered.status_code == 303
            assert "see the runs of oauth:ann" in (await page.get()).text

    asyncio.run(main())


def test_what_a_run_that_is_not_durable_did_is_shown_by_the_process_that_ran_it(folder: Path) -> None:
    async def main() -> None:
        async with Runtime.from_config("rtfs.yaml") as runtime:
            heard = HeardCalls()
            runtime.events.subscribe(heard.hear)
            await runtime.arun('(kv/put "a" [1 2]) (kv/get "a")', run_id="r1")
            found = RunBrowser(runtime, heard).details("r1")
            assert [(call.capability, call.outcome, call.result) for call in found.calls] == [
                ("ccos.state.kv.put", "ok", "[1 2]"),
                ("ccos.state.kv.get", "ok", "[1 2]"),
            ]
            assert (found.row.state, found.row.durable) == ("done", False)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("detail", "state", "note"),
    [
        ("ok", "done", ""),
        ("error: policy/denied", "failed", "policy/denied"),
        ("stopped: policy/approval-required", "stopped", "it needed an approval, and was not durable"),
        ("stopped: run/waiting", "stopped", "it waited for a signal or a moment"),
    ],
)
def test_how_a_run_ended_is_read_from_the_ledger(detail: str, state: str, note: str) -> None:
    rows: dict[str, RunRow] = {}
    _take_in(rows, Record((1, 0, "end", "r", 0, "", "local", detail, "", "", 0), "", ""))
    assert (rows["r"].state, rows["r"].note) == (state, note)


def test_the_page_is_told_when_there_is_something_new(folder: Path) -> None:
    async def main() -> None:
        async with Runtime.from_config("rtfs.yaml") as runtime:
            browser = RunBrowser(runtime)
            before = browser.fingerprint()
            assert browser.fingerprint() == before
            await asyncio.to_thread(paused, folder)
            assert browser.fingerprint() != before

    asyncio.run(main())


def test_the_command_shows_its_link_at_a_terminal_only(folder: Path) -> None:
    code, out, err = command("console", "--config", "rtfs.yaml", cwd=folder)
    assert (code, "#" in out + err) == (2, False)
    code, _, err = command("console", "--http", "0.0.0.0:0", cwd=folder)
    assert (code, "for this one" in err) == (2, True)
    run = paused(folder)
    config = str(folder / "rtfs.yaml")
    with Typist("console", "--answer", "--config", config, XDG_STATE_HOME=str(folder / "state")) as terminal:
        link = re.search(r"(http://\S+)#(\S+)", terminal.wait("Ctrl-C ends"))
        assert link
        with httpx.Client(timeout=30) as client:
            assert client.post(f"{link[1]}session", data={"link": link[2]}).status_code == 303
            terminal.wait("works once")
            with client.stream("GET", f"{link[1]}events") as live:
                lines = live.iter_lines()
                assert next(line for line in lines if line.startswith("data")) == "data: hello"
                assert command("resume", run, "--approve", cwd=folder)[0] == 0
                assert next(line for line in lines if line.startswith("data")) == "data: changed"
            assert "cancelled 7" in client.get(f"{link[1]}run/{run}").text
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() in (0, 130)
        assert "Traceback" not in terminal.shown


def test_without_its_extra_the_command_says_what_to_install(folder: Path) -> None:
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "jinja2.py").write_text("raise ImportError")
    code, _, err = command("console", cwd=folder, PYTHONPATH=f"{hidden}:{ROOT}")
    assert (code, "rtfs-host[serve]" in err) == (2, True)


def test_an_approval_for_the_rest_of_the_run_is_kept_by_later_processes_of_the_run(folder: Path) -> None:
    rules = "    - {match: shop.cancel, decide: approve, reason: it cannot be undone, for_run: true}\n"
    rules += "    - {match: kv/put, decide: approve, reason: it is written down}\n"
    (folder / "rtfs.yaml").write_text(CONFIG.partition("    - ")[0] + rules.replace("kv/put", "ccos.state.kv.put"))
    (folder / "plan.rtfs").write_text(
        '(let [cancel (fn [id] (call "shop.cancel" {:id id}))] [(cancel 7) (cancel 8) (kv/put "a" 1) (cancel 9)])'
    )

    async def main() -> None:
        run = paused(folder)
        async with opened() as page:
            await page.enter()
            assert 'value="approve-for-run"' in (await page.get("/inbox")).text
            assert (await page.answer(run, "approve-for-run")).status_code == 303
            for _ in range(600):
                text = (await page.get(f"/run/{run}")).text
                if "it is written down" in text and ">waiting</span></h1>" in text:
                    break
                await asyncio.sleep(0.1)
            assert 'value="approve-for-run"' not in text
            assert (await page.answer(run, "approve-for-run")).status_code == 400
            assert (await page.answer(run, "approve")).status_code == 303
            assert "cancelled 9" in await until(page, run, "done")
        ledger = command("audit", "show", "ledger.db", "--capability", "shop.cancel", cwd=folder)[1]
        given = re.findall(r"(?<=allow: )?approved[^\n]*", ledger)
        assert [one.partition(" by ")[0].strip() for one in given] == [
            "approved", "approved before, for this run", "approved",
        ], ledger  # fmt: skip

    asyncio.run(main())
