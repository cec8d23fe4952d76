"""The console as an ASGI application: its pages, what is live in them, and who may ask for what.

Must not know how runs work. Invariants: every answer forbids other sites' scripts, frames and caches; a request for
another host, or one that changes something and comes from another page, is refused; bodies are small; nothing is shown
to those who were not let in, not even whether a run exists.
"""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from rtfs.host.durable.answers import APPROVED_FOR_RUN
from rtfs.host.ledgers import RecordFilter, newest
from rtfs.serve.callers import Caller
from rtfs.serve.catalogue import Catalogue
from rtfs.serve.console.access import LIFE, Access, Session, Viewer, same
from rtfs.serve.console.pages import file_of, page
from rtfs.serve.console.runs import RunBrowser
from rtfs.serve.listening import LOOPBACK
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from rtfs.serve.console.answers import Answers

PATH = "/console"
BODY = 16_000
"""Bytes of a request's body."""
RECORDS = 100
"""Records of the ledger on a page."""
POLL, ALIVE = 0.5, 15.0
"""Seconds between two looks for something new, and between two signs of life."""
STREAMS = 64
"""Pages that are kept live at the same time."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers call the origin of our own forms null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STATUS = {"run/unknown": 404, "run/no-question": 409, "run/ended": 409, "run/active": 409, "serve/approval": 403}
LOCAL = ("127.0.0.1", "localhost", "[::1]")


class Console:
    """hosts: names, with or without a port, that requests may use. cookie: the name of the session's cookie, of its
    own for each port, for browsers keep the cookies of one host together."""

    def __init__(
        self, browser: RunBrowser, access: Access, answers: Answers, hosts: Iterable[str], cookie: str = "rtfs_console"
    ) -> None:
        self.browser = browser
        self.access = access
        self.answers = answers
        self.hosts = frozenset(hosts)
        self.cookie = cookie
        self.catalogue = Catalogue(browser.runtime)
        self._streams = 0
        self._look: asyncio.Task[Any] | None = None
        self._looked = 0.0

    def mount(self) -> Mount:
        """The console at `PATH`, for the routes of an ASGI application."""
        get = partial(Route, methods=["GET"])
        post = partial(Route, methods=["POST"])
        app = Starlette(
            routes=[
                get("/", self._guarded(self._runs)),
                get("/inbox", self._guarded(self._inbox)),
                get("/run/{id}", self._guarded(self._run)),
                post("/run/{id}/answer", self._guarded(self._answer)),
                get("/ledger", self._guarded(self._ledger)),
                get("/catalogue", self._guarded(self._catalogue)),
                get("/events", self._guarded(self._events)),
                post("/session", self._checked(self._enter)),
                post("/leave", self._guarded(self._leave)),
                get("/static/{name}", self._checked(_static)),
            ]
        )
        return Mount(PATH, app=app)

    # ------------------------------------------------------------------ who may ask
    def _checked(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """A handler behind the checks that need no session."""

        async def handle(request: Request) -> Response:
            response = self._misdirected(request) or await handler(request)
            response.headers.update(HEADERS)
            return response

        return handle

    def _misdirected(self, request: Request) -> Response | None:
        """The refusal of a request that no page of ours makes."""
        host = request.headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if host not in self.hosts and name not in self.hosts:
            return PlainTextResponse("this server has another name\n", status_code=421)
        origin = request.headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return PlainTextResponse("that page may not ask this\n", status_code=403)
        if request.method == "POST" and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("that page may not ask this\n", status_code=403)
        return None

    def _guarded(
        self, handler: Callable[[Request, Viewer, Session | None], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A handler for those who were let in."""

        async def handle(request: Request) -> Response:
            kind, _, bearer = request.headers.get("authorization", "").partition(" ")
            if kind.lower() == "bearer":
                viewer, session = await self.access.viewer_of_token(bearer.strip()), None
            else:
                session = self.access.session(request.cookies.get(self.cookie))
                viewer = None if session is None else session.viewer
            if viewer is None:
                return self._page(request, "enter.html", None, 401, tokens=self.access.verify is not None)
            try:
                return await handler(request, viewer, session)
            except HostError as error:
                return self._failure(request, viewer, session, error)

        return self._checked(handle)

    async def _form(self, request: Request, session: Session | None) -> dict[str, str]:
        """The fields of a request that changes something. Raises HostError `serve/approval` for one that does not come
        from a page of ours: a browser sends cookies along by itself, but not the form's mark."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY:
                raise HostError(f"a body has at most {BODY:,} bytes", code="serve/arguments")
        try:
            fields = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        except ValueError:
            raise HostError("the body is not a form", code="serve/arguments") from None
        if session is not None and not same(fields.get("mark", ""), session.csrf):
            raise HostError("that page is not one of this console's, or too old: load it again", code="serve/approval")
        return fields

    async def _enter(self, request: Request) -> Response:
        """Open a session, with a one-time token or an access token."""
        try:
            fields = await self._form(request, None)
        except HostError as error:
            return self._failure(request, None, None, error)
        cookie = self.access.enter_by_link(fields.get("link", ""))
        if cookie is None and fields.get("token"):
            cookie = await self.access.enter_by_token(fields["token"].strip())
        if cookie is None:
            trouble = "That does not count here, or was used already."
            return self._page(request, "enter.html", None, 403, tokens=self.access.verify is not None, trouble=trouble)
        response = RedirectResponse(f"{PATH}/", status_code=303)
        secure = request.url.hostname not in LOOPBACK
        response.set_cookie(
            self.cookie, cookie, httponly=True, samesite="strict", path=PATH, secure=secure, max_age=int(LIFE)
        )
        return response

    async def _leave(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        await self._form(request, session)
        self.access.leave(request.cookies.get(self.cookie))
        response = RedirectResponse(f"{PATH}/", status_code=303)
        response.delete_cookie(self.cookie, path=PATH)
        return response

    # ------------------------------------------------------------------ pages
    async def _runs(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        rows, troubles = await asyncio.to_thread(self.browser.rows, viewer.principal)
        state = request.query_params.get("state", "")
        states = sorted({row.state for row in rows} | ({state} if state else set()))
        chosen = [row for row in rows if not state or row.state == state]
        waiting = sum(bool(row.question) for row in rows)
        if session is None:
            return JSONResponse({"runs": [_row_data(row) for row in chosen]})
        return self._page(
            request, "runs.html", session, rows=chosen, troubles=troubles, state=state, states=states, waiting=waiting
        )

    async def _inbox(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        rows = await asyncio.to_thread(self.browser.waiting, viewer.principal)
        if session is None:
            return JSONResponse({"runs": [_row_data(row) for row in rows]})
        return self._page(request, "inbox.html", session, rows=rows, waiting=len(rows))

    async def _run(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        details = await asyncio.to_thread(self.browser.details, request.path_params["id"], viewer.principal)
        if session is None:
            return JSONResponse(_row_data(details.row))
        return self._page(
            request, "run.html", session, run=details, row=details.row, trouble=self.answers.trouble(details.row.id)
        )

    async def _answer(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        fields = await self._form(request, session)
        run_id, answer = request.path_params["id"], fields.get("answer")
        if answer not in ("approve", "approve-for-run", "refuse"):
            raise HostError("answer is approve, approve-for-run or refuse", code="serve/arguments")
        details = await asyncio.to_thread(self.browser.details, run_id, viewer.principal)
        verdict: Any = True if answer == "approve" else APPROVED_FOR_RUN
        if answer == "refuse":
            verdict = fields.get("reason", "").strip()
        store = self.browser.runtime._executor.store
        await self.answers.give(store, viewer, details.row, fields.get("question", ""), verdict)
        if session is None:
            return JSONResponse({"run": run_id, "answer": answer})
        return RedirectResponse(f"{PATH}/run/{run_id}", status_code=303)

    async def _ledger(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        asked = {name: request.query_params.get(name, "").strip() for name in ("run", "kind", "capability", "before")}
        before = int(asked["before"]) if asked["before"].isascii() and asked["before"].isdigit() else None
        kinds = (asked["kind"],) if asked["kind"] else ()
        wanted = RecordFilter(asked["run"] or None, kinds, asked["capability"] or None, viewer.principal)
        ledger = self.browser.runtime.ledger
        found = await asyncio.to_thread(newest, ledger, wanted, RECORDS + 1, before)
        records, more = found[:RECORDS], len(found) > RECORDS
        if session is None:
            return JSONResponse({"records": [_record_data(record) for record in records]})
        where = getattr(ledger, "path", None)
        return self._page(request, "ledger.html", session, records=records, more=more, asked=asked, where=where)

    async def _catalogue(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        query = request.query_params.get("query", "").strip()
        caller = Caller(viewer.principal or self.browser.runtime.options.principal)
        await self.catalogue.prepare()
        allowed = self.catalogue.allowed(caller)
        ids = await asyncio.to_thread(self.catalogue.find, allowed, query)
        entries = [(self.catalogue.described(id, allowed), allowed[id]) for id in ids[:RECORDS]]
        if session is None:
            return JSONResponse({"capabilities": ids})
        return self._page(
            request,
            "catalogue.html",
            session,
            entries=entries,
            query=query,
            count=len(ids),
            troubles=self.catalogue.troubles,
        )

    # ------------------------------------------------------------------ what is live
    async def _events(self, request: Request, viewer: Viewer, session: Session | None) -> Response:
        if self._streams >= STREAMS:
            return PlainTextResponse("too many pages are kept live\n", status_code=503)
        return StreamingResponse(self._changes(request), media_type="text/event-stream")

    async def _changes(self, request: Request) -> AsyncIterator[str]:
        """A line whenever there is something new, until the page or its session is gone."""
        self._streams += 1
        try:
            seen, quiet = await self._fingerprint(), 0.0
            yield "retry: 2000\ndata: hello\n\n"
            cookie = request.cookies.get(self.cookie)
            while self.access.session(cookie) is not None:
                await asyncio.sleep(POLL)
                now = await self._fingerprint()
                quiet += POLL
                if now != seen:
                    seen, quiet = now, 0.0
                    yield "data: changed\n\n"
                elif quiet >= ALIVE:
                    quiet = 0.0
                    yield ": alive\n\n"
        finally:
            self._streams -= 1

    async def _fingerprint(self) -> Any:
        """A value that changes when there is something new; computed once for all the pages that ask at the same
        time."""
        now = monotonic()
        if self._look is None or now - self._looked >= 0.9 * POLL:
            self._looked = now
            self._look = asyncio.create_task(asyncio.to_thread(self.browser.fingerprint))
        return await asyncio.shield(self._look)

    # ------------------------------------------------------------------ answers
    def _page(
        self, request: Request, template: str, session: Session | None, status: int = 200, **values: Any
    ) -> Response:
        text = page(template, session=session, root=PATH, path=request.url.path, **values)
        return Response(text, status, media_type="text/html")

    def _failure(self, request: Request, viewer: Viewer | None, session: Session | None, error: UserError) -> Response:
        status = _STATUS.get(error.code, 400)
        if viewer is not None and session is None:
            data = {"code": error.code, "message": error.message}
            return JSONResponse({"error": data | ({"hint": error.hint} if error.hint else {})}, status)
        return self._page(request, "trouble.html", session, status, error=error)


async def _static(request: Request) -> Response:
    found = file_of(request.path_params["name"])
    if found is None:
        return PlainTextResponse("there is no such file\n", status_code=404)
    content, media_type = found
    return Response(content, media_type=media_type)


def _row_data(row: Any) -> dict[str, Any]:
    names = ("id", "name", "principal", "state", "began", "ended", "calls", "note", "asked", "question")
    more = {"for_run": True} if row.for_run else {}
    return more | {name: value for name in names if (value := getattr(row, name)) not in (None, "")}


def _record_data(record: Any) -> dict[str, Any]:
    names = ("seq", "time", "kind", "run", "parent", "subject", "principal", "detail", "duration")
    return {name: getattr(record, name) for name in names}
