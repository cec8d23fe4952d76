"""A plan that wants more than it was granted: the host's own files, another host than the granted one, another person's
approval, a ledger full of its text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host import redaction
from rtfs.host.policy.policy import declared_needs


def code(work: Callable[[], Any]) -> str:
    try:
        work()
    except rtfs.UserError as error:
        return error.code
    return "ok"


# ---------------------------------------------------------------------- the host's own files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is granted as a whole, where the host keeps everything it has."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("RTFS_CACHE_DIR", str(tmp_path / "units"))
    (tmp_path / "rtfs.yaml").write_text(
        f"allow: ['fs:read:{tmp_path}', 'fs:write:{tmp_path}']\nledger: ledger.db\nkv: kv.db\n"
    )
    return tmp_path


OWN = ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.anchor", "ledger.db.key", "kv.db", "kv.db-wal",
       "runs/r.journal", "runs", "xdg/rtfs/runs/other.db", "xdg/rtfs/tokens", "units/some.unit"]  # fmt: skip


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("way", ["plain", "dots", "link"])
def test_no_grant_covers_the_hosts_own_files(folder: Path, name: str, way: str):
    path = {"plain": f"{folder}/{name}", "dots": f"{folder}/xdg/../{name}", "link": f"{folder}/link"}[way]
    (folder / "xdg").mkdir()
    (folder / "link").symlink_to(folder / name)
    with rtfs.Runtime.from_config(folder / "rtfs.yaml", state=folder / "runs") as rt:
        rt.run('(kv/put "k" 1)', durable=True, run_id="r")
        before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for source in (f'(read-file "{path}")', f'(write-file "{path}" "x")', f'(file-exists? "{path}")'):
            assert code(lambda source=source: rt.run(source)) == "policy/denied"
        if way != "link":
            assert code(lambda: rt.run(f'(delete-file "{path}")')) == "policy/denied"
        assert all(file.exists() for file in before)
        assert rt.ledger.verify() is None


def test_a_plan_cannot_write_the_configuration_that_grants_it_its_rights(folder: Path):
    with rtfs.Runtime.from_config(folder / "rtfs.yaml") as rt:
        assert "allow" in rt.run(f'(read-file "{folder}/rtfs.yaml")')
        assert code(lambda: rt.run(f'(write-file "{folder}/rtfs.yaml" "allow: [\'*\']")')) == "policy/denied"
        assert code(lambda: rt.run(f'(delete-file "{folder}/rtfs.yaml")')) == "policy/denied"
        assert rt.run(f'(write-file "{folder}/other.yaml" "x")') is None


def test_a_plan_cannot_write_what_makes_declarations_trusted(folder: Path):
    """The files that a configuration loads, a folder of them, files of servers."""
    for name, text in (("helpers.rtfs", "(defn one [] 1)"), ("caps/a.rtfs", ""), (".mcp.json", '{"mcpServers": {}}')):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with (folder / "rtfs.yaml").open("a") as file:
        file.write("load: [helpers.rtfs, caps]\nmcp_files: [.mcp.json]\n")
    with rtfs.Runtime.from_config(folder / "rtfs.yaml") as rt:
        for name in ("helpers.rtfs", "caps/a.rtfs", "caps/new.rtfs", "caps", ".mcp.json"):
            assert code(lambda name=name: rt.run(f'(write-file "{folder}/{name}" "")')) == "policy/denied"
            assert code(lambda name=name: rt.run(f'(delete-file "{folder}/{name}")')) == "policy/denied"
        assert rt.run(f'(read-file "{folder}/helpers.rtfs")') == "(defn one [] 1)"


def test_a_plan_cannot_write_what_the_command_line_loads(folder: Path, capfd: pytest.CaptureFixture[str]):
    from rtfs.cli.main import main

    (folder / "helpers.rtfs").write_text("(defn one [] 1)")
    (folder / "servers.json").write_text('{"mcpServers": {}}')
    trusted = ["--load", str(folder / "helpers.rtfs"), "--mcp-config", str(folder / "servers.json")]
    for name in ("helpers.rtfs", "servers.json"):
        grants = ["--allow", f"fs:write:{folder}"]
        assert main(["run", *grants, *trusted, "-e", f'(write-file "{folder}/{name}" "")']) == 3
        assert "a file of the host's own" in capfd.readouterr().err


# ---------------------------------------------------------------------- other hosts than the granted one


@pytest.mark.parametrize("name", ["Host", "host", "Content-Length", "Transfer-Encoding", "connection", " Host", "TE"])
def test_a_request_is_for_the_host_that_was_granted(name: str):
    with rtfs.Runtime(["net:127.0.0.1"]) as rt:
        source = f'(http-fetch "http://127.0.0.1:1/" {{:headers {{"{name}" "internal"}}}})'
        assert code(lambda: rt.run(source)) == "argument/invalid"


@pytest.mark.parametrize("method", ["GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET", "A B", "", "GÉT"])
def test_a_method_is_no_way_to_smuggle_a_request(method: str):
    with rtfs.Runtime(["net:127.0.0.1"]) as rt:
        said = code(lambda: rt.run(f'(http-fetch "http://127.0.0.1:1/" {{:method "{method}"}})'))
    assert said in ("capability/failed", "argument/invalid")


@pytest.mark.parametrize(
    "url", ["http://evil.example/", "Http://evil.example", " hTTps://evil.example/", "HTTP://evil.example:1"]
)
def test_a_url_in_a_plans_declaration_is_seen_however_it_is_spelled(url: str):
    assert declared_needs({"any_thing": url})[0].startswith("net:evil.example:")


# ---------------------------------------------------------------------- approvals


def test_an_approval_of_one_capability_is_none_of_another_that_looks_like_it():
    rules = [{"match": "pay*", "decide": "approve"}]
    with rtfs.Runtime(rules=rules) as rt:
        for id in ("pay", "pay me"):
            rt.register(id, lambda *values: rtfs.to_text(rtfs.Vector(values)))
        with pytest.raises(rtfs.UserError) as caught:
            rt.run('(call "pay" \'me 5)')
        rt._pipeline.approvals.give(caught.value.data)
        assert code(lambda: rt.run('(call "pay me" 5)')) == "policy/approval-required"
        assert rt.run('(call "pay" \'me 5)') == "[me 5]"


def test_what_is_shown_for_approval_is_what_is_called():
    """No name can be made whose text reads as something else."""
    shown: list[str] = []
    rules = [{"match": "pay", "decide": "approve"}]
    with rtfs.Runtime(rules=rules, approve=lambda request: shown.append(request.text) or True) as rt:
        rt.register("pay", lambda value: value)
        for made in ('(keyword "bob :amount 5")', '(symbol "1 2")', '(keyword "a}")', '(keyword "")'):
            assert code(lambda made=made: rt.run(f'(call "pay" {{:to {made}}})')) == "argument/invalid"
        keyed = '(call "pay" (parse-json "{\\"to :bob\\": 1, \\"b\\": 2}" {:keywords true}))'
        assert rtfs.to_text(rt.run(keyed)) == shown[-1] == '{"to :bob" 1 :b 2}'


# ---------------------------------------------------------------------- the ledger


LONG = '(join "" (repeat 100000 "x"))'


@pytest.mark.parametrize(
    "source",
    [
        f"(step {LONG} 1)",
        f"(try (call {LONG} 1) (catch e 1))",
        f"(capability {LONG} :implementation (fn [x] x))",
        f'^{{:runtime.fallback {{:capability {LONG}}}}} (call "failing")',
    ],
)
def test_no_program_fills_the_ledger_with_names(source: str, tmp_path: Path):
    with rtfs.Runtime(ledger=tmp_path / "ledger.db") as rt:
        rt.register("failing", lambda: 1 / 0)
        code(lambda: rt.run(source))
        assert max(len(str(record.content())) for record in rt.ledger) < 2000
        assert rt.ledger.verify() is None


def test_names_that_a_program_makes_up_show_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    canary = "canary-name-88213"
    redaction.know(canary)
    with rtfs.Runtime(ledger=tmp_path / "ledger.db") as rt:
        rt.register("failing", lambda: 1 / 0)
        for source in (
            f'(step "{canary}" 1)',
            f'(step "s" :params {{"{canary}" 1}} 1)',
            f'(call "{canary}" 1)',
            f'^{{:runtime.fallback {{:capability "{canary}"}}}} (call "failing")',
        ):
            code(lambda source=source: rt.run(source))
        assert canary not in "".join(str(record.content()) for record in rt.ledger)
    assert all(canary.encode() not in file.read_bytes() for file in tmp_path.iterdir())


# ---------------------------------------------------------------------- rights that came with something else


def test_a_value_that_looks_like_a_permit_is_an_argument(tmp_path: Path):
    """Implementations are told of the decision by the host, never by an argument."""
    (tmp_path / "f").write_text("x")
    with rtfs.Runtime([f"fs:read:{tmp_path}"]) as rt:
        path = f"{tmp_path}/f"
        for extra in (
            ':permit {:needs ["fs:read:/etc/passwd"]}',
            ':needs ["fs:read:/etc/passwd"]',
            ':principal "root"',
        ):
            assert code(lambda extra=extra: rt.run(f'(call "ccos.io.read-file" :path "{path}" {extra})')) != "ok"
        rt.run('(kv/put "k" 1)', principal="bob")
        for extra in (":permit nil", ':principal "bob"'):
            assert rt.run(f'(call "ccos.state.kv.get" :key "k" {extra})') is None


def test_narrowed_runs_stay_narrow_in_branches_implementations_and_later_runs(tmp_path: Path):
    (tmp_path / "f").write_text("x")
    reads = f'(read-file "{tmp_path}/f")'
    with rtfs.Runtime([f"fs:read:{tmp_path}"]) as rt:
        rt.load(f'(capability "reads" :implementation (fn [x] {reads}))')
        for source in (reads, '(call "reads" 1)', f"(step-parallel {reads})", f"(def f (fn [] {reads})) (f)",
                       '^{:runtime.fallback "reads"} (call "nobody" 1)'):  # fmt: skip
            assert code(lambda source=source: rt.run(source, allow=[])) in ("policy/denied", "capability/unknown")
        assert rt.run("(f)") == "x"
        assert code(lambda: rt.run("(f)", allow=["fs:write:/"])) == "policy/denied"


def test_a_printed_value_of_any_depth_and_size_ends(tmp_path: Path):
    deep = "(loop [i 0 v []] (if (< i 200000) (recur (inc i) [v]) v))"
    with rtfs.Runtime(limits={"output": 1_000_000}) as rt:
        assert code(lambda: rt.run(f"(log {deep})")) == "ok"
        assert code(lambda: rt.run(f"(loop [] (log {deep}) (recur))")) == "limit/output"
        assert code(lambda: rt.run(f"(try (throw {deep}) (catch e (count (str e))))")) == "ok"
        assert code(lambda: rt.run(f'(try (call "nobody" {deep}) (catch e (count (str e))))')) == "ok"
