"""A test of people, taken in a browser by the keyboard alone."""

import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Keys

from jaxdistort.data import SamplePhotographs
from jaxdistort.human import read_store
from jaxdistort.serving import Settings
from tests.serving.browser.test_page import _faults

_QUESTIONS = 4


@pytest.mark.long
@pytest.mark.parametrize("mode", ["naming", "choice"])
def test_a_test_can_be_finished_by_keyboard(open_page, serve, axe, tmp_path, mode):
  photos, answers = tmp_path / "photos", tmp_path / "answers.sqlite"
  photos.mkdir()
  for view in range(3):
    Image.fromarray(SamplePhotographs().load(3 * SamplePhotographs.VIEWS + view, 96)).save(photos / f"{view}.png")
  told = {"human_data": str(photos), "human_answers": str(answers), "human_mode": mode, "human_count": _QUESTIONS}
  address = serve(Settings(hosts=("127.0.0.1",), **told))
  page = open_page(address, "/human")
  page.until(page.one("#begin").is_displayed)
  assert not _faults(page, axe)

  def press(*keys):
    ActionChains(page.driver).send_keys(*keys).perform()

  def begin():
    page.until(page.one("#begin").is_displayed)
    page.one("#begin").send_keys(Keys.ENTER)

  begin()
  for number in range(_QUESTIONS):
    page.until(lambda number=number: page.text("#test-title") == f"Picture {number + 1} of {_QUESTIONS}")
    page.wait("#test[data-state=ready]")
    if number == 2:
      assert not _faults(page, axe)
      page.driver.refresh()
      page.until(lambda: page.text("#begin") == f"Go on (2 of {_QUESTIONS} are done)")
      begin()
      page.wait("#test[data-state=ready]")
    press("3", Keys.BACKSPACE, *("123" if mode == "naming" else "24"))
    assert page.driver.switch_to.active_element.get_attribute("id") == "submit"
    press(Keys.ENTER)
  page.until(page.one("#end").is_displayed)
  questionnaire, given = read_store(answers)
  assert len(given) == _QUESTIONS
  assert len({own.person for own in given}) == 1
  for own in given:
    assert own.kind == ("defocus_blur" if mode == "naming" else questionnaire.questions[own.question].choices[1])
    assert own.level == (3 if mode == "naming" else 4)
    assert own.seconds > 0
