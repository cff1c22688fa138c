"""One picture: its answer, sliders that change it, its curve, and the gallery."""

import time

import pytest
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.long


def test_a_dropped_picture_is_answered_and_shown_where(page, noisy):
  page.drop(noisy)
  page.wait("#answer-panel[data-state=located]")
  assert "noise" in page.text("#answer .verdict").lower()
  assert "severity" in page.text("#answer .finding")
  assert "What helps" in page.text("#answer")
  assert len(page.all("#answer .bars tr")) == 7
  assert page.driver.execute_script("return document.querySelector('#shown img').naturalWidth") == 256
  assert page.one("#shown canvas").is_displayed()  # of the group that was found
  assert page.one("#shown canvas").get_attribute("aria-label").startswith("noise: ")
  page.click("#shown .choices input[value='']")
  assert not page.one("#shown canvas").is_displayed()
  page.click("#shown .choices input[value=blur]")
  assert page.one("#shown canvas").get_attribute("aria-label").startswith("blur: ")


def test_a_pasted_picture_is_answered_aloud(page, noisy):
  page.paste(noisy)
  page.wait("#answer-panel[data-state=located]")
  announced = page.one("#announcement").get_attribute("textContent")
  assert announced.startswith("Found: ")
  assert "noise" in announced


def test_sliders_change_picture_and_answer(page, sharp, record_property):
  page.drop(sharp)
  page.wait("#lab[data-state=settled]")
  slider = page.add("gaussian_noise")
  picture, share, before = page.one("#distorted img").get_attribute("src"), page.share("noise"), page.answers
  began = time.monotonic()
  slider.send_keys(Keys.END)  # the greatest severity
  page.await_answer(before)
  record_property("milliseconds from slider to answer", round(1000 * (time.monotonic() - began)))
  assert page.one("#distorted img").get_attribute("src") != picture
  assert page.share("noise") != share
  assert slider.get_attribute("aria-valuetext") == "1, very strong"
  assert "noise" in page.text("#lab-answer .verdict").lower()

  before = page.answers
  page.click(".step .choices input[value=parameters]")
  page.await_answer(before)
  assert page.texts(".step .slider label") == ["amount", "density"]


def test_kinds_are_applied_in_the_order_of_physics(page, sharp):
  page.drop(sharp)
  page.wait("#lab[data-state=settled]")
  for kind in ("jpeg", "gaussian_noise", "defocus_blur"):
    page.add(kind)
  order = [step.get_attribute("data-kind") for step in page.all(".step")]
  assert order == ["defocus_blur", "gaussian_noise", "jpeg"]
  assert "defocus blur, Gaussian noise, JPEG" in page.one("#distorted img").get_attribute("alt")
  before = page.answers
  page.click(".step[data-kind=gaussian_noise] button.plain")
  page.await_answer(before)
  assert len(page.all(".step")) == 2


def test_the_latest_movement_wins(page, sharp):
  page.drop(sharp)
  page.wait("#lab[data-state=settled]")
  slider = page.add("gaussian_noise")
  page.driver.execute_script("""
    window.asked = [];
    const send = window.fetch;
    window.fetch = (url, options) => new Promise((resolve, reject) => {
      window.asked.push(options.signal);
      options.signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    });
    window.mend = () => { window.fetch = send; };
  """)
  for count, key in ((1, Keys.ARROW_RIGHT), (2, Keys.ARROW_RIGHT)):
    slider.send_keys(key)
    page.until(lambda count=count: page.driver.execute_script("return asked.length") == count)
  assert page.driver.execute_script("return asked.map((signal) => signal.aborted)") == [True, False]
  before = page.answers
  page.driver.execute_script("mend()")
  slider.send_keys(Keys.ARROW_RIGHT)
  page.await_answer(before)
  assert page.driver.execute_script("return asked.map((signal) => signal.aborted)") == [True, True]
  assert page.answers == before + 1


def test_the_curve(page, sharp):
  page.drop(sharp)
  page.wait("#lab[data-state=settled]")
  page.add("gaussian_blur")
  page.click("#sweep-draw")
  page.wait("#curve[data-kind=gaussian_blur]")
  assert len(page.all("#curve svg[role=img] path")) == 3
  assert len(page.all("#curve tbody tr")) == 11
  assert page.one("#curve .now").get_attribute("visibility") == "visible"
  assert "Gaussian blur" in page.one("#curve svg[role=img]").get_attribute("aria-label")


def test_the_gallery_is_made_of_the_picture_in_hand(page, sharp):
  page.drop(sharp)
  page.wait("#lab[data-state=settled]")
  page.click("nav a[href='#gallery']")
  assert "picture in hand" in page.text("#gallery-of")
  page.click("#kinds [data-kind=pixelate] summary")
  page.wait("#kinds [data-kind=pixelate][data-state=shown]")
  widths = "return [...document.querySelectorAll('[data-kind=pixelate] img')].map((image) => image.naturalWidth)"
  page.until(lambda: page.driver.execute_script(widths) == [256] * 5)
  before = page.answers
  page.click("#kinds [data-kind=pixelate] figure:last-child button")
  page.await_answer(before)
  assert page.one(".step[data-kind=pixelate] input[type=number]").get_attribute("value") == "1"
  assert "pixelate" in page.one("#distorted img").get_attribute("alt")


def test_the_gallery_without_a_picture_takes_the_sample(page):
  page.click("nav a[href='#gallery']")
  page.click("#kinds [data-kind=jpeg] summary")
  page.wait("#kinds [data-kind=jpeg][data-state=shown]")
  page.click("#kinds [data-kind=jpeg] figure:first-child button")
  page.await_answer(0)
  assert "cat" in page.one("#shown img").get_attribute("alt")
