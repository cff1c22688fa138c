"""Pictures of many requests, judged together."""

import threading

import pytest

from jaxdistort.inference.predicting import looks_at, to_picture
from jaxdistort.serving import batching
from jaxdistort.serving.batching import Batcher


@pytest.fixture
def looks(recogniser, photographs):
  return [looks_at(recogniser, to_picture(image)) for image in photographs]


def test_what_waits_is_judged_together(recogniser, photographs, looks, monkeypatch):
  begun, may_go_on, together = threading.Event(), threading.Event(), []
  plain = batching.answers_to

  def slow(*arguments):
    begun.set()
    may_go_on.wait()
    return plain(*arguments)

  monkeypatch.setattr(batching, "answers_to", slow)
  batcher = Batcher(recogniser, company=0, observe=together.append)
  answers = [batcher.submit(looks[0])]
  begun.wait()  # the first one is at work: all others gather meanwhile
  answers += [batcher.submit(own) for own in looks[1:]]
  may_go_on.set()
  groups = [[group.group for group in answer.result().groups] for answer in answers]
  batcher.close()
  assert together == [1, len(looks) - 1]
  assert groups == [[group.group for group in answer.groups] for answer in recogniser.predict(list(photographs))]


def test_no_more_than_so_many_at_once(recogniser, looks):
  together = []
  batcher = Batcher(recogniser, company=30, most=2, observe=together.append)
  for answer in [batcher.submit(own) for own in looks[:4]]:
    answer.result()
  batcher.close()
  assert together == [2, 2]


def test_a_failure_is_theirs_who_asked(recogniser, looks, monkeypatch):
  batcher = Batcher(recogniser, company=0)
  plain = batching.answers_to

  def fails(*arguments):
    raise RuntimeError("lost")

  monkeypatch.setattr(batching, "answers_to", fails)
  with pytest.raises(RuntimeError, match="lost"):
    batcher.submit(looks[0]).result()
  monkeypatch.setattr(batching, "answers_to", plain)
  assert batcher.submit(looks[0]).result().groups
  batcher.close()


def test_closing_judges_what_waits(recogniser, looks):
  batcher = Batcher(recogniser, company=0)
  answers = [batcher.submit(own) for own in looks]
  batcher.close()
  assert all(answer.done() for answer in answers)
