"""The page as a person uses it: what is waited for, dropped, chosen and read."""

import base64
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

_LONGEST = 300  # seconds until something that never happens is given up
_DROP = """
const [names, contents] = arguments, transfer = new DataTransfer();
names.forEach((name, i) => {
  const bytes = Uint8Array.from(atob(contents[i]), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, {type: "image/png"}));
});
const target = document.body;
for (const type of ["dragover", "drop"]) {
  target.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: transfer}));
}
"""
_PASTE = """
const transfer = new DataTransfer(), bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
transfer.items.add(new File([bytes], "image.png", {type: "image/png"}));
document.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, clipboardData: transfer}));
"""


class Page:
  """A browser at the page.

  Attributes:
    driver: the browser.
    address: the server's.
    downloads: folder into which files are downloaded.
    expected: parts of lines in the browser's log that are no fault: statuses that a test provokes.
  """

  def __init__(self, driver: WebDriver, address: str, downloads: Path):
    self.driver, self.address, self.downloads = driver, address, downloads
    self.expected: tuple[str, ...] = ()
    driver.set_script_timeout(_LONGEST)
    behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
    self.command("Browser.setDownloadBehavior", **behaviour)

  def command(self, name: str, **parameters: Any) -> None:
    """Of the browser's own protocol."""
    self.driver.execute_cdp_cmd(name, parameters)

  def until(self, condition: Any) -> Any:
    """Waits until a function of nothing gives something true."""
    return WebDriverWait(self.driver, _LONGEST, poll_frequency=0.05).until(lambda _: condition())

  def wait(self, selector: str) -> WebElement:
    return self.until(lambda: self.all(selector))[0]

  def all(self, selector: str) -> list[WebElement]:
    return self.driver.find_elements(By.CSS_SELECTOR, selector)

  def one(self, selector: str) -> WebElement:
    return self.driver.find_element(By.CSS_SELECTOR, selector)

  def text(self, selector: str) -> str:
    return self.one(selector).text

  def texts(self, selector: str) -> list[str]:
    return [element.text for element in self.all(selector)]

  def click(self, selector: str) -> None:
    """Whether or not it lies in the window."""
    self.driver.execute_script("arguments[0].click()", self.one(selector))

  def drop(self, *paths: Path) -> None:
    contents = [base64.b64encode(path.read_bytes()).decode() for path in paths]
    self.driver.execute_script(_DROP, [path.name for path in paths], contents)

  def paste(self, path: Path) -> None:
    self.driver.execute_script(_PASTE, base64.b64encode(path.read_bytes()).decode())

  @property
  def answers(self) -> int:
    """How many answers the sliders have had."""
    return int(self.one("#lab").get_attribute("data-answers") or 0)

  def await_answer(self, after: int) -> None:
    """Until there are more than `after`, and nothing moves."""
    self.until(lambda: self.answers > after and self.one("#lab").get_attribute("data-state") == "settled")

  def add(self, kind: str) -> WebElement:
    """Adds a kind, and waits for its answer; its slider."""
    before = self.answers
    Select(self.one("#kind")).select_by_value(kind)
    self.click("#add")
    self.await_answer(before)
    return self.one(f".step[data-kind={kind}] input[type=range]")

  def share(self, group: str) -> str:
    """The change of a group's probability, as it is written beside the sliders."""
    return self.text(f"#lab-answer [data-group={group}]")
