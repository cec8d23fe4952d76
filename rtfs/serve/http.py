"""Serving over Streamable HTTP: addresses, who may connect, tokens; a sign of life, and numbers for operators.

Must not know tools. Invariants: it listens on the loopback unless the configuration says who may come from elsewhere;
a request with another Host or Origin than the configured ones is refused, but for the sign of life, which says nothing
and which probes ask for by the machine's address; a caller's token is looked at and never passed on; bodies are
bounded.

Source: MCP specification, basic/transports and basic/authorization; RFC 9728, RFC 9068.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from anyio import ClosedResourceError
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rtfs.host.inspection import session_statistics
from rtfs.serve.callers import Caller, token_digest
from rtfs.serve.metrics import CONTENT_TYPE, Metrics
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.auth.provider import TokenVerifier
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rtfs.host.config.config import ServeSettings
    from rtfs.serve.console.app import Console
    from rtfs.serve.listening import Address, Listening
    from rtfs.serve.runs import PlanRuns
    from rtfs.serve.server import Context, PlanServer

PATH = "/mcp"
BODY = 1_000_000
"""Bytes of a request's body."""


def callers(settings: ServeSettings, principal: str) -> Callable[[Context], Caller]:
    """The function that returns the caller of a request. Without tokens: `principal`. With tokens: the token's subject
    (`oauth:SUBJECT`), with the grants that the configuration lists for its scopes; a scope that is not listed has no
    grants."""
    if settings.auth is None:
        alone = Caller(principal)
        return lambda context: alone

    def caller_of(context: Context) -> Caller:
        token: AccessToken = context.request.user.access_token  # type: ignore[union-attr]
        known = [settings.scopes[scope] for scope in token.scopes if scope in settings.scopes]
        allow = [grant for scope in known for grant in scope.allow]
        limits = [scope.runs_per_minute for scope in known]
        most = None if not limits or None in limits else max(limit for limit in limits if limit is not None)
        digest = token_digest(token.token)
        return Caller(f"oauth:{token.subject}", allow, frozenset(token.scopes), most, digest)

    return caller_of


def application(
    server: PlanServer,
    settings: ServeSettings,
    address: Address,
    tokens: TokenVerifier | None = None,
    console: Console | None = None,
) -> Starlette:
    """The ASGI application. tokens: verifies those of callers, if there are any. Raises HostError `config/invalid` for
    a server that is reachable by everybody and has no authorization."""
    if not address.local and (settings.auth is None or not settings.hosts):
        raise HostError(
            f"{address.host} is reachable from other machines: set `hosts` and `auth` under `serve`",
            code="config/invalid",
            hint="--http 127.0.0.1:8800 listens on this machine only",
        )
    hosts = [*settings.hosts, *(f"{host}:*" for host in settings.hosts)]
    origins = list(settings.origins)
    if address.local:
        hosts += ["127.0.0.1:*", "localhost:*", "[::1]:*"]
        origins += ["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"]
    auth = None
    if settings.auth is not None:
        auth = AuthSettings.model_validate(  # texts: an address without a path stays without one
            {
                "issuer_url": settings.auth.issuer,
                "resource_server_url": settings.auth.audience,
                "required_scopes": settings.auth.required_scopes,
                "validate_token_resource": False,  # that is checked with the token
            }
        )
    security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)
    routes: list[Any] = [
        Route("/healthz", _healthy),
        Route("/metrics", _metrics_of(server.tools.runs, TransportSecurityMiddleware(security))),
    ]
    if console is not None:
        routes.append(console.mount())
    app = server.server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=BODY,
        transport_security=security,
        host=address.host,
        auth=auth,
        token_verifier=tokens,
        custom_starlette_routes=routes,
    )
    app.add_middleware(_Gone)
    app.add_middleware(_FieldValues)
    return app


class _FieldValues:
    """Takes the white space from around the values of header fields, as RFC 9110, section 5.5, has it before they are
    looked at; httptools, with which uvicorn parses requests, leaves what stands behind a value."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        await self._app(scope, receive, send)


class _Gone:
    """Ends requests whose client is gone; there is no one left to answer.

    A client that is gone before its body was read has changed nothing. A client that ends its session while another
    request is in flight (a cancellation, say, which has been acknowledged) makes the SDK answer that request twice:
    messages after the first answer are dropped.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        logging.getLogger("mcp.server.streamable_http").addFilter(_not_about_closed_sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def send_once(message: Message) -> None:
            nonlocal answered
            if answered:
                return
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, send_once)
        except ClientDisconnect:
            pass
        except ClosedResourceError:
            if not answered:
                raise


def _not_about_closed_sessions(record: logging.LogRecord) -> bool:
    """Whether a record is about something else than a message for a session that has just been ended."""
    return record.exc_info is None or record.exc_info[0] is not ClosedResourceError


async def _healthy(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


def _metrics_of(runs: PlanRuns, security: TransportSecurityMiddleware) -> Callable[[Request], Awaitable[Response]]:
    """Start counting metrics, and return the application that serves them."""
    metrics = Metrics()
    runs.runtime.events.subscribe(metrics.hear)

    async def answer(request: Request) -> Response:
        refusal = await security.validate_request(request)
        if refusal is not None:
            return refusal
        try:
            pool = await asyncio.to_thread(session_statistics, runs.runtime)
        except TimeoutError:  # a number that is missing is better than one that is wrong
            return PlainTextResponse("the session pool does not answer\n", status_code=503)
        text = metrics.text(runs.at_work, runs.in_line_now, pool)
        return PlainTextResponse(text, media_type=CONTENT_TYPE)

    return answer


async def serve_http(
    server: PlanServer,
    settings: ServeSettings,
    listening: Listening,
    address: Address,
    tell: Callable[[str], None] | None = None,
    tokens: TokenVerifier | None = None,
    console: Console | None = None,
) -> None:
    """Serve until the process is told to end. tell: is told the address; None: standard error is. tokens, console: as
    of `application`. Raises HostError `config/invalid`."""
    app = application(server, settings, address, tokens, console)
    watching = asyncio.create_task(server.watch())
    try:
        await listening.serve(app, tell, f"listening on {listening.url}{PATH}")
    finally:
        watching.cancel()
        await server.tasks.close()
