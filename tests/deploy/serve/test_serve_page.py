"""The page, used as people use it: in a browser, by mouse, by keys, on a narrow window."""

import base64
import json
import re
import shutil

import pytest

from served import bright, digits, finder, picture, serving

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    """The system's own browser; none is ever fetched."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright to drive a browser"
    )
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(reason="needs a browser: none of chromium and google-chrome is installed")
    with driver.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def visit(browser):
    """Open the page of a server; what it reports as an error fails the test."""
    opened = []

    def call(client, **options):
        context = browser.new_context(**options)
        page = context.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((f"http://127.0.0.1:{client.port}/", "blob:", "data:"))
                else faults.append(asked.url)
            ),
        )
        opened.append((context, faults))
        page.goto(f"http://127.0.0.1:{client.port}/")
        page.wait_for_selector("#open:not([hidden])")
        return page

    call.expected = ()
    yield call
    for context, faults in opened:
        context.close()
        assert [
            fault for fault in faults if not re.search("|".join(call.expected) or "^$", fault)
        ] == []


@pytest.fixture(scope="module")
def naming(tmp_path_factory):
    with serving(digits(tmp_path_factory.mktemp("digits") / "seed0"), body=50_000) as client:
        yield client


@pytest.fixture(scope="module")
def finding(tmp_path_factory):
    with serving(finder(tmp_path_factory.mktemp("finder") / "seed0")) as client:
        yield client


def chosen(page, *names, content=None):
    """Choose files as the dialog would give them."""
    files = [
        {"name": name, "mimeType": "image/png", "buffer": content or picture(seed=seed)}
        for seed, name in enumerate(names)
    ]
    page.set_input_files("#files", files)


def test_chosen_pictures_get_bars_with_maps_and_timing(visit, naming):
    page = visit(naming)
    chosen(page, "one.png", "two.png")
    page.wait_for_selector(".timing >> nth=1")
    card = page.locator("article", has_text="one.png")
    bars = card.locator(".bars button")
    assert bars.count() == 5
    shares = [float(text.rstrip(" %")) for text in card.locator(".share").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 100.1
    overlay = card.locator(".picture canvas")
    assert overlay.is_visible()
    assert bars.nth(0).get_attribute("aria-pressed") == "true"
    bars.nth(2).click()
    assert [bar.get_attribute("aria-pressed") for bar in bars.all()].count("true") == 1
    bars.nth(2).click()
    assert overlay.is_hidden()
    assert re.fullmatch(
        r"\d+ ms from here and back: reading \d+ ms, waiting \d+ ms, the network \d+ ms.*",
        card.locator(".timing").inner_text(),
    )
    assert ", " in page.inner_text("#status")


def test_the_map_lies_over_the_part_that_is_looked_at(visit, naming):
    page = visit(naming)
    chosen(page, "wide.png", content=picture(size=(40, 20)))
    page.wait_for_selector(".timing")
    image, overlay = (
        page.locator(f".picture {which}").bounding_box() for which in ("img", "canvas")
    )
    for edge in ("x", "y", "width", "height"):
        assert overlay[edge] == pytest.approx(image[edge], abs=1)


def test_what_was_said_is_downloaded_as_json(visit, naming):
    page = visit(naming)
    chosen(page, "one.png")
    page.wait_for_selector(".timing")
    with page.expect_download() as waiting:
        page.click("#download")
    told = json.loads(waiting.value.path().read_text())
    assert told["model"].endswith("/seed0")
    assert [result["name"] for result in told["results"]] == ["one.png"]
    page.click("#clear")
    assert page.locator("article").count() == 0


PASTE = """([bytes, name]) => {
  const carried = new DataTransfer();
  if (bytes) carried.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  else carried.setData("text/plain", "words");
  const event = { clipboardData: carried, dataTransfer: carried, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new KIND);
}"""


@pytest.mark.parametrize("kind", ["ClipboardEvent('paste', event)", "DragEvent('drop', event)"])
def test_pictures_are_pasted_and_dropped(visit, naming, kind):
    page = visit(naming)
    script = PASTE.replace("KIND", kind)
    page.evaluate(script, [list(picture()), "pasted.png"])
    page.wait_for_selector(".timing")
    assert page.locator("article h3").inner_text() == "pasted.png"
    page.evaluate(script, [None, ""])
    assert page.inner_text("#trouble").startswith(("There is no picture", "What was dropped"))


def test_a_digit_is_drawn_with_the_pointer(visit, naming):
    page = visit(naming)
    place = page.locator("#canvas").bounding_box()
    middle = place["x"] + place["width"] / 2
    page.mouse.move(middle, place["y"] + 40)
    page.mouse.down()
    page.mouse.move(middle, place["y"] + 220, steps=8)
    page.mouse.up()
    page.wait_for_selector("#drawn .timing")
    assert page.locator("#drawn .bars button").count() == 5
    sent = page.locator("#drawn img")
    assert sent.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [64, 64]
    with page.expect_download() as waiting:
        page.click("#download-drawing")
    (told,) = json.loads(waiting.value.path().read_text())["results"]
    assert told["name"] == "your drawing"
    page.click("#clear-drawing")
    assert page.locator("#drawn article").count() == 0
    assert page.locator("#download-drawing").is_hidden()


def test_what_is_drawn_fills_its_field_in_light_ink(visit, naming):
    page = visit(naming)
    page.focus("#canvas")
    for key in [" ", *["ArrowDown"] * 6, " "]:
        page.keyboard.press(key)
    page.wait_for_selector("#drawn .timing")
    coded = page.locator("#drawn img").evaluate(
        """(image) => {
          const copy = document.createElement("canvas");
          [copy.width, copy.height] = [image.naturalWidth, image.naturalHeight];
          copy.getContext("2d").drawImage(image, 0, 0);
          return copy.toDataURL("image/png").split(",")[1];
        }"""
    )
    sent = base64.b64decode(coded)
    own = digits(None)
    column = own.read(sent)[0].float().mean(dim=1)
    row = own.read(sent)[0].float().mean(dim=0)
    # A vertical stroke: from top to bottom, in the middle alone.
    assert (column > 30).all()
    assert row[3:5].min() > 150
    assert row[[0, 7]].max() < 20


def test_everything_is_done_with_keys_alone(visit, naming):
    page = visit(naming)

    def tab_to(selector, most=25):
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate("which => document.activeElement.matches(which)", selector):
                return
        raise AssertionError(f"no way to {selector} by keys")

    # The browser is told to hand choosers over as soon as somebody listens, which takes a moment.
    page.on("filechooser", lambda _: None)
    tab_to("#files")
    with page.expect_file_chooser() as opening:
        page.keyboard.press("Enter")
    file = {"name": "keys.png", "mimeType": "image/png", "buffer": picture()}
    opening.value.set_files([file])
    page.wait_for_selector("#results .timing")
    tab_to("#canvas")
    for key in [" ", "ArrowDown", "ArrowRight", " "]:
        page.keyboard.press(key)
    page.wait_for_selector("#drawn .timing")
    tab_to("#results .bars li:nth-child(2) button")
    page.keyboard.press("Enter")
    second = page.locator("#results .bars button >> nth=1")
    assert second.get_attribute("aria-pressed") == "true"
    page.focus("#files")
    tab_to("#download")
    with page.expect_download():
        page.keyboard.press("Enter")


def test_boxes_follow_the_threshold(visit, finding):
    page = visit(finding)
    chosen(page, "street.png", content=picture(size=(200, 100)))
    page.wait_for_selector(".timing")
    assert page.locator(".box").count() == 1
    image, box = page.locator("img").bounding_box(), page.locator(".box").bounding_box()
    scale = image["width"] / 200
    assert scale > 1.5
    assert box["x"] - image["x"] == pytest.approx(24 * scale, abs=2)
    assert box["width"] == pytest.approx(40 * scale, abs=2)
    page.focus("#threshold")
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    assert page.inner_text("#threshold-value") == "0.25"
    assert page.locator(".box").count() == 2
    assert page.locator(".objects button").all_inner_texts() == ["cat 0.90", "cat 0.30"]
    page.locator(".objects button >> nth=1").click()
    assert page.locator(".box.chosen").count() == 1
    page.locator("#threshold").fill("0.95")
    assert page.locator(".box").count() == 0
    assert page.is_visible("text=No objects with such a score.")


def test_what_goes_wrong_is_said_in_sentences(visit, naming):
    visit.expected = ("status of 4", "ERR_CONNECTION_REFUSED")
    page = visit(naming)
    chosen(page, "notes.txt", content=b"words")
    alert = page.locator("article [role=alert]")
    alert.wait_for()
    assert "not a picture of a kind that is read here" in alert.inner_text()
    page.click("#clear")
    chosen(page, "large.png", content=b"\x89PNG" + bytes(60_000))
    alert.wait_for()
    assert "50,000 bytes" in alert.inner_text()
    page.click("#clear")
    page.route("**/v1/classify*", lambda route: route.abort("connectionrefused"))
    chosen(page, "late.png")
    alert.wait_for()
    assert alert.inner_text() == "The server does not answer. Is it still running?"


def test_a_name_is_never_markup(visit, naming):
    page = visit(naming)
    chosen(page, "<img src=x onerror=alert(1)>.png")
    page.wait_for_selector(".timing")
    assert page.locator("article h3").inner_text() == "<img src=x onerror=alert(1)>.png"
    assert page.locator("article img").count() == 1


def test_too_much_is_tried_again_when_the_server_says(visit, naming):
    visit.expected = ("status of 429",)
    page = visit(naming)
    refusals = []

    def busy(route):
        if len(refusals) < 1:
            refusals.append(route)
            route.fulfill(status=429, headers={"Retry-After": "1"}, body="{}")
        else:
            route.continue_()

    page.route("**/v1/classify*", busy)
    chosen(page, "patient.png")
    page.wait_for_selector(".timing")
    assert len(refusals) == 1


def test_a_key_is_asked_for(browser, tmp_path):
    with serving(bright(tmp_path), key="sesame") as client:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{client.port}/")
        page.wait_for_selector("#locked:not([hidden])")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        page.wait_for_function("document.getElementById('about').textContent.includes('key')")
        page.fill("#key", "sesame")
        page.keyboard.press("Enter")
        page.wait_for_selector("#open:not([hidden])")
        chosen(page, "one.png")
        page.wait_for_selector(".timing")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_and_can_be_read(visit, naming, scheme, width):
    page = visit(naming, color_scheme=scheme, viewport={"width": width, "height": 800})
    chosen(page, "a very long name of a picture that somebody has saved somewhere.png")
    page.wait_for_selector(".timing")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colors = "[...document.querySelectorAll('p, label, button, h1, h2, h3, a, span')]"
    faint = page.evaluate(CONTRAST.replace("ELEMENTS", colors))
    assert faint == []
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, .button")]
        .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 32)
        .map((each) => each.textContent)"""
    )
    assert small == []


# WCAG 2.2, 1.4.3: text of normal size has a contrast of at least 4.5.
CONTRAST = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] > 0.99) return color;
    }
    return [255, 255, 255];
  };
  return ELEMENTS
    .filter((each) => each.offsetParent && each.textContent.trim())
    .filter((each) => !each.closest(".visually-hidden"))
    .filter((each) => {
      const [one, two] = [light(parse(getComputedStyle(each).color)), light(ground(each))];
      return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05) < 4.5;
    })
    .map((each) => each.textContent);
}"""


def test_who_cannot_see_it_is_told(visit, naming):
    page = visit(naming)
    chosen(page, "one.png")
    page.wait_for_selector(".timing")
    tree = page.locator("body").aria_snapshot()
    for line in (
        "heading",
        'button "Choose pictures"',
        'button "Download as JSON"',
        "article",
        'img "the picture one.png"',
        "status",
    ):
        assert line in tree, tree
    assert page.get_attribute("html", "lang") == "en"
