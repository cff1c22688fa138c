"""The routes of a human test: who takes it, what comes next, the pictures, the answers."""

import asyncio
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, Field

from jaxdistort.human import AnsweredAlready, Given, HumanTest, Store, Unknown
from jaxdistort.human.questionnaire import CHOICE, LEVELS

_NAME = 64  # letters of a person's or a kind's name, at most
_LONGEST = 7 * 24 * 3600  # seconds
_KEPT = {"Cache-Control": "private, max-age=3600"}  # a picture may be asked for ahead
_Name = Annotated[str, Field(max_length=_NAME)]


class Person(BaseModel):
  """Somebody, by a random name."""

  person: str


class Turn(BaseModel):
  """What a person is asked next; `question` is null at the end, and all behind `of` then is not there.

  `ahead` is the picture after this one, to be fetched early. Kinds are those of `groups` in the mode naming, and those
  of `choices` in the mode choice.
  """

  question: int | None
  done: int
  of: int
  picture: str | None = None
  ahead: str | None = None
  mode: str | None = None
  groups: dict[str, list[str]] | None = None
  choices: list[str] | None = None
  levels: int | None = None


class HumanAnswer(BaseModel):
  """What a person says of a question: a kind, or clean and no level."""

  person: _Name
  question: int
  kind: _Name
  level: Annotated[int, Field(ge=1, le=LEVELS)] | None
  seconds: Annotated[float, Field(ge=0, le=_LONGEST)]


def human_router(test: HumanTest, store: Store) -> APIRouter:
  """The routes below /v1/human.

  Args:
    test: whose pictures are shown.
    store: of its answers; open as long as the routes are in use.
  """
  router = APIRouter(prefix="/v1/human", tags=["human test"])
  asked = test.questionnaire
  drawing = ThreadPoolExecutor(1, "drawing")  # one at a time, and none of the threads of other routes
  identity = hashlib.blake2b(json.dumps(asked.to_dict()).encode(), digest_size=6).hexdigest()

  def address(number: int | None) -> str | None:
    # The test is part of it, so that no browser shows a picture that it kept of another test.
    return None if number is None else f"/v1/human/pictures/{number}.png?test={identity}"

  @router.post("/people", summary="Somebody new takes the test")
  def add_person() -> Person:
    return Person(person=store.add_person())

  @router.get("/next", summary="What a person is asked next", response_model_exclude_unset=True)
  def following(person: Annotated[str, Query(max_length=_NAME)]) -> Turn:
    try:
      turn = store.turn(person)
    except Unknown as error:
      raise HTTPException(404, str(error)) from error
    count = len(asked.questions)
    if turn.question is None:
      return Turn(question=None, done=turn.done, of=count)
    kinds = (
      {"choices": list(asked.questions[turn.question].choices)} if asked.mode == CHOICE else {"groups": asked.groups}
    )
    pictures = {"picture": address(turn.question), "ahead": address(turn.ahead)}
    own = {"question": turn.question, "done": turn.done, "of": count, "mode": asked.mode, "levels": LEVELS}
    return Turn.model_validate(own | pictures | kinds)

  @router.get(
    "/pictures/{question}.png",
    summary="The picture of a question",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The picture"}},
  )
  async def picture(question: int) -> Response:
    if not 0 <= question < len(asked.questions):
      raise HTTPException(404, "no such question")
    content = await asyncio.get_running_loop().run_in_executor(drawing, test.png, question)
    return Response(content, media_type="image/png", headers=_KEPT)

  @router.post("/answers", status_code=204, summary="A person's answer")
  def answer(given: HumanAnswer) -> None:
    try:
      store.add(Given(given.person, given.question, given.kind, given.level, given.seconds))
    except Unknown as error:
      raise HTTPException(404, str(error)) from error
    except AnsweredAlready as error:
      raise HTTPException(409, str(error)) from error
    except ValueError as error:
      raise HTTPException(422, str(error)) from error

  return router
