"""What the server does with pictures, without HTTP."""

import asyncio
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from jaxdistort.errors import InputError
from jaxdistort.serving.metrics import Metrics
from jaxdistort.serving.service import Service, together
from jaxdistort.serving.settings import Limits
from jaxdistort.tasks import Classification
from tests.inference.recognisers import small_recogniser


def test_an_error_among_many_comes_out_as_it_is():
  async def fail():
    raise InputError("this one")

  async def all_of_them():
    async with together() as group:
      group.create_task(fail())
      group.create_task(asyncio.Event().wait())  # which nobody sets: it is ended

  with pytest.raises(InputError, match="this one"):
    asyncio.run(all_of_them())


def test_of_a_classification_there_is_no_map(tmp_path, photographs):
  recogniser = small_recogniser(tmp_path)
  labels = recogniser.task.labels
  recogniser = dataclasses.replace(
    recogniser, description=dataclasses.replace(recogniser.description, task=Classification(labels))
  )
  service, content = Service(recogniser, Limits(), Metrics()), io.BytesIO()
  Image.fromarray(np.asarray(photographs[0])).save(content, "PNG")
  seen = service._look(content.getvalue(), False)
  assert seen.picture is None
  assert asyncio.run(_mapped(service, content.getvalue())) == (False,)
  service.close()


async def _mapped(service, content):
  asked = []
  look = service._look

  def noting(own, maps):
    asked.append(maps)
    raise InputError("enough")

  service._look = noting
  with pytest.raises(InputError, match="enough"):
    await service.verdict("a.png", content, maps=True)
  service._look = look
  return tuple(asked)
