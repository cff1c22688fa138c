"""The page as a whole: for everyone, behind a token, and when something goes wrong."""

import pytest

from jaxdistort.serving import Settings

_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => done(violations.map(
  ({id, impact, nodes}) => [impact, id, nodes.map((node) => node.html).slice(0, 5).join(" ")])),
  (error) => done([["failed", String(error), ""]]));
"""


def _faults(page, axe):
  page.driver.execute_script(axe)
  return [fault for fault in page.driver.execute_async_script(_AXE) if fault[0] not in ("minor", "moderate")]


@pytest.mark.long
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_nobody_is_kept_out(page, axe, noisy, sharp, scheme, width):
  page.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
  page.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
  assert not _faults(page, axe)
  page.drop(noisy)
  page.wait("#answer-panel[data-state=located]")
  page.wait("#lab[data-state=settled]")
  page.add("gaussian_noise")
  page.click("#sweep-draw")
  page.wait("#curve[data-kind]")
  assert not _faults(page, axe)
  assert page.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
  page.click("nav a[href='#gallery']")
  page.click("#kinds [data-kind=jpeg] summary")
  page.wait("#kinds [data-kind=jpeg][data-state=shown]")
  assert not _faults(page, axe)
  page.click("nav a[href='#folder']")
  page.one("#files").send_keys(f"{sharp}\n{noisy}")
  page.wait("#table-panel[data-state=finished] tbody tr:nth-child(2)")
  assert not _faults(page, axe)


@pytest.mark.long
def test_a_token_that_a_cookie_brings(open_page, serve, noisy):
  address = serve(Settings(hosts=("127.0.0.1",), token="a secret"))
  page = open_page(address, "/?token=a%20secret")
  page.wait("body[data-state=ready]")
  assert page.driver.current_url == f"{address}/"
  page.drop(noisy)
  page.wait("#answer-panel[data-state=located]")
  page.driver.delete_all_cookies()
  page.expected = ("401",)
  page.drop(noisy)
  page.wait("#answer-panel[data-state=failed]")
  assert "token" in page.text("#picture-error")
  assert "(401)" in page.text("#picture-error")


@pytest.mark.long
def test_what_goes_wrong_is_said_in_a_line(page, sharp, tmp_path):
  broken = tmp_path / "broken.png"
  broken.write_bytes(b"no picture")
  page.expected = ("422",)
  page.drop(broken)
  page.wait("#answer-panel[data-state=failed]")
  assert page.text("#picture-error").startswith("broken.png: ")
  assert not page.one("#lab").is_displayed()
  for status, headers, said in (
    (503, {"retry-after": "99"}, "try again in 99 seconds"),
    (413, {}, "larger than this server takes"),
  ):
    page.driver.execute_script(
      "const [status, headers] = arguments;"
      "fetch = async () => new Response(JSON.stringify({detail: 'no room'}), {status, headers});",
      status,
      headers,
    )
    page.drop(sharp)
    page.wait("#answer-panel[data-state=failed]")
    page.until(lambda: "no room" in page.text("#picture-error"))
    page.until(lambda said=said, status=status: f"{said} ({status})" in page.text("#picture-error"))
  page.driver.execute_script("fetch = async () => { throw new TypeError('gone'); };")
  page.drop(sharp)
  page.until(lambda: "does not answer" in page.text("#picture-error"))
