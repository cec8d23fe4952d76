"""HTTP/1.1 as the sessions speak it, against servers that answer with given bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError
from rtfs.capabilities.sessions.wire import http
from rtfs.capabilities.sessions.wire.http import WebClient, body_of, head_of

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


class Server:
    """Answers each request with `answers`, one after the other; None closes the connection without one. Several parts
    of an answer are sent apart."""

    def __init__(self, *answers: Any, context: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self._context = context
        self._scheme = "http" if context is None else "https"

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        port = self._server.sockets[0].getsockname()[1]
        self.url = httpx.URL(f"{self._scheme}://localhost:{port}/mcp?x=1")
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                for line in request.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        request += await reader.readexactly(int(line[15:]))
                self.requests.append(request)
                answer = self.answers.pop(0)
                if answer is None:
                    return
                for part in answer if isinstance(answer, list) else [answer]:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if b"onnection: close" in b"".join(answer if isinstance(answer, list) else [answer]):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def run(body: Callable[[WebClient], Any]) -> Any:
    async def main() -> Any:
        client = WebClient()
        try:
            return await asyncio.wait_for(body(client), 30)
        finally:
            await client.aclose()

    return asyncio.run(main())


async def exchange(client: WebClient, url: httpx.URL, body: bytes = b"{}", method: str = "POST") -> tuple[int, bytes]:
    response = await client.send(method, url, [(b"Accept", b"text/plain")], body)
    try:
        return response.status_code, await body_of(response, 1_000_000)
    finally:
        response.close()


BODIES = {
    "a declared length": (FINE, b"fine"),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n", b"fi\r\n2\r\nn", b"e\r\n0\r\nX-Sum: 1\r\n\r\n"],
        b"fine",
    ),
    "byte by byte": ([FINE[at : at + 1] for at in range(len(FINE))], b"fine"),
    "interim answers first": (
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + FINE],
        b"fine",
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_response_is_read_and_its_connection_used_again(name: str) -> None:
    answer, body = BODIES[name]

    async def twice(client: WebClient) -> None:
        async with Server(answer, answer) as server:
            for _ in range(2):
                assert (await exchange(client, server.url))[1] == body
            assert server.connections == 1
            assert server.requests[0].startswith(b"POST /mcp?x=1 HTTP/1.1\r\nHost: localhost:")
            assert b"\r\nAccept: text/plain\r\n" in server.requests[0]
            assert server.requests[0].endswith(b"\r\nContent-Length: 2\r\n\r\n{}")

    run(twice)


NOT_AGAIN = {
    "it says so": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine",
    "its end is the end of the body": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine",
    "more than one response": FINE + FINE,
    "the beginning of another": FINE + b"HTTP/1.1 2",
    "something else behind": FINE + b"\x00\x01",
}


@pytest.mark.parametrize("name", NOT_AGAIN)
def test_a_connection_that_is_not_clean_is_not_used_again(name: str) -> None:
    async def twice(client: WebClient) -> None:
        async with Server(NOT_AGAIN[name], FINE) as server:
            assert (await exchange(client, server.url)) == (200, b"fine")
            assert (await exchange(client, server.url)) == (200, b"fine")
            assert server.connections == 2

    run(twice)


BROKEN = {
    "nothing": None,
    "no HTTP": b"SSH-2.0-x\r\n",
    "half a head": [b"HTTP/1.1 200 OK\r\nConnection: close\r\nX: "],
    "a head without end": [b"HTTP/1.1 200 OK\r\nX: "] + [b"y" * 100_000] * 20,
    "headers without end": [b"HTTP/1.1 200 OK\r\n"] + [b"X: y\r\n" * 20_000] * 20,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nxx",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfine",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_before_a_response_may_have_been_performed(name: str) -> None:
    async def once(client: WebClient) -> None:
        async with Server(BROKEN[name]) as server:
            with pytest.raises(MaybeSent, match="broke before the answer"):
                await exchange(client, server.url)

    run(once)


CUT = {
    "a declared length": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nfine",
    "chunks": b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n",
    "chunks of no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nzz\r\n",
    "a trailer without end": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nX: "]
    + [b"y" * 100_000] * 20,
}


@pytest.mark.parametrize("name", CUT)
def test_a_body_that_is_cut_off_is_an_error(name: str) -> None:
    async def once(client: WebClient) -> None:
        async with Server(CUT[name]) as server:
            response = await client.send("POST", server.url, [], b"{}")
            with pytest.raises(Exception, match=r".") as caught:
                await body_of(response, 1_000_000)
            assert type(caught.value).__name__ == "Broken"
            response.close()

    run(once)


def test_a_body_that_nobody_reads_waits_at_the_server() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def body(client: WebClient) -> None:
        server = await asyncio.start_server(endless, "127.0.0.1", 0)
        url = httpx.URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        response = await client.send("GET", url, [])
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.1)
        held = sum(map(len, response._pieces))
        assert 0 < held < 1_000_000
        assert len(await response.next()) == held
        await asyncio.sleep(0.1)
        assert sent > before, "reading goes on where something was taken"
        with pytest.raises(SessionError, match="larger than 1000000 bytes"):
            await body_of(response, 1_000_000)
        response.close()
        server.close()

    run(body)


def test_a_request_that_can_be_repeated_is_sent_again_where_its_connection_was_closed() -> None:
    async def body(client: WebClient) -> None:
        async with Server(FINE, None, FINE, None) as server:
            await exchange(client, server.url)
            assert await exchange(client, server.url, b"", "DELETE") == (200, b"fine")
            with pytest.raises(MaybeSent):
                await exchange(client, server.url)
            assert [request[:4] for request in server.requests] == [b"POST", b"DELE", b"DELE", b"POST"]

    run(body)


def test_concurrent_requests_have_connections_of_their_own_and_idle_ones_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "KEEPALIVE_SECONDS", 0.2)

    async def body(client: WebClient) -> None:
        async with Server(*[FINE] * 5) as server:
            await asyncio.gather(*(exchange(client, server.url) for _ in range(4)))
            assert server.connections == 4
            assert len(client._open) == 4
            while client._open:
                await asyncio.sleep(0.05)
            assert not client._idle
            await exchange(client, server.url)
            assert server.connections == 5

    run(body)


def test_a_request_that_is_given_up_takes_its_connection_with_it() -> None:
    async def body(client: WebClient) -> None:
        async with Server([b"HTTP/1.1 200 OK\r\n"] + [b""] * 1000, FINE) as server:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await exchange(client, server.url)
            await asyncio.sleep(0)
            assert not client._open
            assert await exchange(client, server.url) == (200, b"fine")

    run(body)


def test_a_header_field_that_comes_twice_has_both_values() -> None:
    twice = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Bearer x=1\r\nContent-Length: 0\r\n\r\n"

    async def body(client: WebClient) -> None:
        async with Server(twice) as server:
            response = await client.send("POST", server.url, [], b"{}")
            assert response.fields["www-authenticate"] == "Basic, Bearer x=1"
            response.close()

    run(body)


def test_no_connection_means_not_sent() -> None:
    async def body(client: WebClient) -> None:
        async with Server() as server:
            url = server.url
        with pytest.raises(NotSent, match=r"cannot connect to http://localhost:\d+: connection refused"):
            await exchange(client, url)
        with pytest.raises(NotSent, match="there is no such host"):
            await exchange(client, httpx.URL("http://no-such-host.invalid/"))

    run(body)


def test_a_header_cannot_smuggle_in_another() -> None:
    url = httpx.URL("http://h/x")
    for field in ((b"X", b"a\r\nY: b"), (b"X\nY", b"a"), (b"X", b"\0")):
        with pytest.raises(ValueError, match="line break"):
            head_of("GET", url, [field])


def test_a_user_and_password_in_the_address_are_sent_as_such_and_not_shown() -> None:
    url = httpx.URL("http://me:p%40ss@h:81/x")
    head = head_of("GET", url, [(b"user-agent", b"mine")])
    assert head == (
        b"GET /x HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nAuthorization: Basic bWU6cEBzcw==\r\nuser-agent: mine\r\n"
    )
    assert b"Basic" not in head_of("GET", url, [(b"authorization", b"Bearer x")])


def _certificate(folder: Path, name: str) -> Path:
    """A file with a certificate of its own for a host, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_tls_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = _certificate(tmp_path, "localhost"), _certificate(tmp_path, "elsewhere")

    async def body(certificate: Path, trusted: Path) -> Any:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        client = WebClient()
        try:
            async with Server(FINE, FINE, context=context) as server:
                first = await exchange(client, server.url)
                assert first == await exchange(client, server.url)
                assert server.connections == 1
                return first
        finally:
            await client.aclose()

    assert asyncio.run(body(mine, mine)) == (200, b"fine")
    for certificate, trusted in ((mine, other), (other, other)):
        with pytest.raises(NotSent, match=r"cannot connect to https://localhost:\d+: .*certificate"):
            asyncio.run(body(certificate, trusted))
