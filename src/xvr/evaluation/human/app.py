"""The addresses that the page asks: the state, a question, a picture, and where answers go.

Each annotator has a page, `/0/`, `/1/` and so on, with all addresses below it; `/` lists them.

Only this machine's own page is served: a request under a domain name that is not ours (DNS
rebinding, https://en.wikipedia.org/wiki/DNS_rebinding) or from another site's page is refused.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from xvr.errors import UserError
from xvr.evaluation.human.question import blocks_of, choices_of
from xvr.evaluation.human.session import Session
from xvr.sources.pixels import image_kind

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI

PAGE = Path(__file__).with_name("page.html")
_POLICY = (
    "default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_START = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font: 18px/1.6 system-ui, sans-serif; margin: 15vh auto; max-width: 30em">
<h1>{title}</h1><p>Who answers?</p><ul>{links}</ul></body></html>"""


class Given(BaseModel):
    """An answer as the page sends it."""

    model_config = ConfigDict(extra="forbid")

    session: str
    answer: str
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def make_app(
    sessions: Sequence[Session], title: str, hosts: frozenset[str] = frozenset()
) -> "FastAPI":
    """The application.

    Args:
        sessions: one of each annotator.
        title: what is being answered, such as the name of the benchmark.
        hosts: names of this machine under which it may be asked, besides localhost and numbers.
    """
    fastapi = _fastapi()
    app = fastapi.FastAPI(openapi_url=None)

    @app.middleware("http")
    async def only_from_our_page(request, forward):
        origin = request.headers.get("origin")
        host = request.headers.get("host", "")
        if not _is_ours(host, hosts) or (origin and urlsplit(origin).netloc != host):
            return fastapi.Response("this page is for its own machine only", status_code=403)
        response = await forward(request)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def start():
        if len(sessions) == 1:
            return fastapi.responses.RedirectResponse("0/")
        links = [
            f'<li><a href="{number}/">{escape(session.annotator)}</a></li>'
            for number, session in enumerate(sessions)
        ]
        text = _START.format(title=escape(title), links="".join(links))
        return fastapi.Response(text, media_type="text/html; charset=utf-8")

    for number, session in enumerate(sessions):
        app.include_router(_pages_of(session, title), prefix=f"/{number}")
    return app


def _pages_of(session: Session, title: str) -> "APIRouter":
    fastapi = _fastapi()
    router = fastapi.APIRouter()

    def position_of(number: int) -> int:
        if not 0 <= number < len(session.items):
            raise fastapi.HTTPException(404, f"there is no question {number + 1}")
        return number

    @router.get("/")
    def page():
        return fastapi.Response(PAGE.read_bytes(), media_type="text/html; charset=utf-8")

    @router.get("/state")
    def state() -> dict:
        return {
            "session": session.id,
            "title": title,
            "annotator": session.annotator,
            "answered": session.answered,
        }

    @router.get("/question/{number}")
    def question(number: int) -> dict:
        position = position_of(number)
        item = session.items[position]
        return {
            "blocks": blocks_of(item.prompt),
            "choices": choices_of(item),
            "point": item.target.kind == "point",
            "answer": session.answer_at(position),
        }

    @router.get("/picture/{number}/{place}")
    def picture(number: int, place: int):
        pictures = session.items[position_of(number)].prompt.pictures
        if not 0 <= place < len(pictures):
            raise fastapi.HTTPException(404, f"question {number + 1} has no picture {place + 1}")
        with _refusals():
            data = pictures[place].read()
        kind = image_kind(data)
        media_type = f"image/{kind}" if kind else "application/octet-stream"
        return fastapi.Response(data, media_type=media_type)

    @router.post("/answer/{number}")
    def answer(number: int, given: Given) -> dict:
        position = position_of(number)
        if given.session != session.id:
            raise fastapi.HTTPException(409, "this page belongs to another session: reload it")
        with _refusals():
            session.answer(position, given.answer, given.seconds)
        return {"answered": session.answered}

    return router


@contextmanager
def _refusals() -> Iterator[None]:
    fastapi = _fastapi()
    try:
        yield
    except ValueError as error:
        raise fastapi.HTTPException(422, str(error)) from error
    except (UserError, OSError) as error:
        raise fastapi.HTTPException(500, str(error)) from error


def _fastapi():
    """FastAPI, and the certainty that what serves it is there too."""
    try:
        import fastapi
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UserError('people answer on a web page: pip install "xvr[human]"') from error
    return fastapi


def _is_ours(host: str, names: frozenset[str]) -> bool:
    """An address in numbers cannot be made to point elsewhere; a name can, unless it is known."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
