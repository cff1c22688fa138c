"""The application: routes, and what is made of errors."""

import asyncio
import contextlib
import hashlib
import logging
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, File, Form, HTTPException, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.formparsers import MultiPartParser

from jaxdistort import __version__
from jaxdistort.errors import BrokenPicture, InputError, what_failed
from jaxdistort.files import write_whole
from jaxdistort.human import HumanTest, Store, make_test
from jaxdistort.inference import Recogniser, load
from jaxdistort.serving.catalogue import kinds_of
from jaxdistort.serving.counted import Counted
from jaxdistort.serving.guard import Guard
from jaxdistort.serving.human import human_router
from jaxdistort.serving.metrics import Metrics
from jaxdistort.serving.schemas import Kind, Problem, Sweep, Verdict, first_fault, parse_steps
from jaxdistort.serving.service import Service, TooLarge, together
from jaxdistort.serving.settings import Settings

SETTINGS = "JAXDISTORT_SERVE"
"""The variable of the environment by which processes of one server know their settings."""
_PAGES = Path(__file__).parent / "pages"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
  status: {"model": Problem, "description": what}
  for status, what in {
    400: "The request is malformed",
    401: "No token, or a wrong one",
    403: "Sent by another site's page",
    408: "The request did not arrive in time",
    413: "Too many bytes, pictures or pixels",
    422: "A value that cannot be used, or no picture that can be read",
    503: "Too much is waiting; try again",
  }.items()
}
_Files = Annotated[list[UploadFile], File(description="Pictures")]
_OneFile = Annotated[UploadFile, File(description="A picture")]
_Seed = Annotated[int, Form(ge=0, lt=2**32, description="Of what is random")]
_Size = Annotated[
  int | None, Form(ge=32, le=2048, description="Of the central square, shrunk to at most this many pixels a side")
]


def create_from_environment() -> Guard:
  """The application of one of several processes, which find their settings in the environment."""
  return create_app(None, Settings.from_json(os.environ[SETTINGS]))


def create_app(recogniser: Recogniser | None, settings: Settings) -> Guard:
  """The ASGI application.

  Pictures are held in memory alone, unless the settings name a folder to keep them in. What Starlette holds in memory
  of a request is the process's, and set here.

  Args:
    recogniser: the network, on one device; None: as the settings say.
    settings: see there.

  Raises:
    InputError: the settings name something that cannot be used.
  """
  limits = settings.limits
  MultiPartParser.spool_max_size = limits.request_bytes + 1  # beyond, it would write to the disk
  metrics = Metrics()
  service = Service(recogniser or load(settings.checkpoint), limits, metrics)
  people = _open_test(settings) if settings.human_data else None

  @contextlib.asynccontextmanager
  async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    await asyncio.to_thread(service.warm_up)
    yield
    await asyncio.to_thread(service.close)
    if people:
      people[1].close()

  app = FastAPI(
    title="jaxdistort",
    version=__version__,
    description="Names the distortions that spoil a picture: which kinds, and how strong.",
    lifespan=lifespan,
    docs_url=None,  # its page is fetched from elsewhere
    redoc_url=None,
  )
  app.state.service, app.state.settings, app.state.metrics = service, settings, metrics
  _explain_errors(app)
  app.include_router(_ROUTES)
  if people:
    app.include_router(human_router(*people))
    app.add_api_route("/human", _human_page, include_in_schema=False)
  app.mount("/pages", StaticFiles(directory=_PAGES), name="pages")
  return Guard(Counted(app, metrics, limits.answering), settings, metrics)


def _open_test(settings: Settings) -> tuple[HumanTest, Store]:
  test = make_test(Path(settings.human_data), count=settings.human_count, mode=settings.human_mode)
  return test, Store(Path(settings.human_answers), test.questionnaire)


async def _human_page() -> FileResponse:
  return FileResponse(_PAGES / "human.html", headers={"Cache-Control": "no-cache"})


def _explain_errors(app: FastAPI) -> None:
  def answer_with(status: int) -> Callable[[Request, Exception], Response]:
    return lambda request, error: JSONResponse({"detail": str(error)}, status)

  app.add_exception_handler(TooLarge, answer_with(413))
  app.add_exception_handler(InputError, answer_with(422))
  app.add_exception_handler(BrokenPicture, answer_with(422))

  @app.exception_handler(RequestValidationError)
  def invalid(request: Request, error: RequestValidationError) -> Response:
    return JSONResponse({"detail": first_fault(error.errors())}, 422)


_ROUTES = APIRouter()


@_ROUTES.get("/health", summary="Whether the server answers")
async def health() -> dict[str, str]:
  return {"status": "ok", "version": __version__}


@_ROUTES.get("/metrics", summary="Counters, for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
  return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")


@_ROUTES.get("/", include_in_schema=False)
async def index() -> FileResponse:
  return FileResponse(_PAGES / "index.html", headers={"Cache-Control": "no-cache"})


@_ROUTES.get("/v1/kinds", summary="The kinds of distortion, from the lens to the file")
async def kinds(request: Request) -> list[Kind]:
  return kinds_of(request.app.state.service.recogniser)


@_ROUTES.post("/v1/predict", summary="What is wrong with pictures", responses=_PROBLEMS)
async def predict(
  request: Request, file: _Files, maps: Annotated[bool, Query(description="Say where, too")] = False
) -> list[Verdict]:
  settings: Settings = request.app.state.settings
  if len(file) > settings.limits.pictures:
    raise HTTPException(413, f"a request may have {settings.limits.pictures} pictures")
  service: Service = request.app.state.service
  contents = [await own.read() for own in file]
  async with together() as group:
    judged = [
      group.create_task(service.verdict(own.filename or "", content, maps=maps))
      for own, content in zip(file, contents, strict=True)
    ]
  verdicts = [own.result() for own in judged]
  if all(own.error for own in verdicts):
    raise HTTPException(422, "; ".join(dict.fromkeys(f"{own.path}: {own.error}" for own in verdicts)))
  if settings.keep:
    read = [content for content, own in zip(contents, verdicts, strict=True) if not own.error]
    await asyncio.to_thread(_keep, Path(settings.keep), read)
  return verdicts


@_ROUTES.post(
  "/v1/distort",
  summary="A distorted picture",
  response_class=Response,
  responses={**_PROBLEMS, 200: {"content": {"image/png": {}}, "description": "The picture"}},
)
async def distort(
  request: Request,
  file: _OneFile,
  steps: Annotated[str, Form(description='[{"kind": "jpeg", "severity": 0.4}, ...], or "parameters" by name')] = "[]",
  seed: _Seed = 0,
  size: _Size = None,
) -> Response:
  parsed = parse_steps(steps)
  made = await request.app.state.service.distorted(await file.read(), parsed, seed=seed, size=size)
  return Response(made, media_type="image/png")


@_ROUTES.post("/v1/sweep", summary="What is said of a picture as a distortion grows", responses=_PROBLEMS)
async def sweep(
  request: Request, file: _OneFile, kind: Annotated[str, Form()], seed: _Seed = 0, size: _Size = None
) -> Sweep:
  return await request.app.state.service.sweep(await file.read(), kind, seed=seed, size=size)


def _keep(folder: Path, contents: list[bytes]) -> None:
  """By names that their content gives, so that nothing a sender says is part of a path."""
  try:
    folder.mkdir(parents=True, exist_ok=True)
    for content in contents:
      write_whole(folder / hashlib.blake2b(content, digest_size=16).hexdigest(), content)
  except OSError as error:  # the answer is there, and is worth more
    logging.getLogger(__name__).error("a picture is not kept: %s", what_failed(error))
