"""The page of catdog serve, in a real browser."""
import base64
import json
import re
from pathlib import Path

import pytest

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

from catdog import SANITIZED, TINY_NET, make_folder, succeeds
from server import HAS_SERVE, Server, serving

pytestmark = [pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd"),
              pytest.mark.skipif(SANITIZED, reason="the page is the same in a build with sanitizers")]

SAMPLE = Path(__file__).parents[2] / "examples/catdog/sample/test"
CAT, DOG = SAMPLE / "cats/cat.10003.jpg", SAMPLE / "dogs/dog.10003.jpg"


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    running.process.kill()
    running.process.communicate()


@pytest.fixture
def page(browser, server):
    return Page(browser, server.url)


class Page:
    def __init__(self, browser, url):
        self.browser = browser
        browser.get(url)
        self.wait(lambda: self.one("#model").text)

    def wait(self, true):
        return WebDriverWait(self.browser, 60, poll_frequency=0.05).until(lambda _: true())

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def choose(self, *files):
        self.one("#choose").send_keys("\n".join(map(str, files)))

    def answers(self, count):
        """What the cards say, when as many are there and none waits."""
        self.wait(lambda: len(self.all(".card")) == count and not self.all(".waits"))
        return [(card.find_element(By.CSS_SELECTOR, ".name").text, card.find_element(By.CSS_SELECTOR, ".label").text)
                for card in self.all(".card")]

    def hand_over(self, event, name, data):
        """Drops or pastes a file."""
        self.browser.execute_script("""
            const [kind, name, bytes] = arguments;
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
            document.body.dispatchEvent(kind === "drop"
                ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
            """, event, name, base64.b64encode(data).decode())

    def press(self, *keys):
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self):
        return self.browser.switch_to.active_element


def test_photographs_are_answered_with_label_confidence_and_heat_map(page):
    assert page.one("h1").text == "Cat or Dog?"
    page.choose(CAT, DOG)
    assert page.answers(2) == [("cat.10003.jpg", "Cat"), ("dog.10003.jpg", "Dog")]
    for card in page.all(".card"):
        share = card.find_element(By.CSS_SELECTOR, ".share").text
        assert float(re.search(r"([\d.]+) %", share).group(1)) > 90
        bar = card.find_element(By.CSS_SELECTOR, ".fill").size["width"]
        assert bar > 0.8 * card.find_element(By.CSS_SELECTOR, ".track").size["width"]
        assert card.find_element(By.CSS_SELECTOR, "img").get_attribute("alt").endswith((": Cat", ": Dog"))
    painted = "return [...document.querySelectorAll('canvas')].map((c) => " \
              "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 100))"
    assert page.wait(lambda: page.browser.execute_script(painted) == [True, True])


def test_what_cannot_be_classified_says_why(page, tmp_path):
    (tmp_path / "notes.jpg").write_text("A note.\n")
    (tmp_path / "<b>bold.jpg").write_bytes(CAT.read_bytes()[:2000])
    page.choose(tmp_path / "notes.jpg", CAT, tmp_path / "<b>bold.jpg")
    notes, cat, cut = page.answers(3)
    assert notes == ("notes.jpg", "Not classified: it is text, not JPEG or PNG.")
    assert cat[1] == "Cat"
    assert cut[0] == "<b>bold.jpg" and cut[1].startswith("Not classified: ")
    assert "failed" in page.all(".card")[0].get_attribute("class")


def test_an_empty_file_is_called_so(page, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    page.choose(tmp_path / "empty.jpg")
    assert page.answers(1) == [("empty.jpg", "Not classified: the file is empty.")]


def test_classes_may_be_called_anything(browser, tmp_path):
    names = 200 * "n", "\u202egod"
    make_folder(tmp_path / "data", 4, names)
    (tmp_path / "net.json").write_text(json.dumps(TINY_NET))
    succeeds("train", "--data", tmp_path / "data", "--net", tmp_path / "net.json", "--epochs", 1, "--batch", 4,
             "--model", tmp_path / "m")
    with serving("--model", tmp_path / "m") as server:
        page = Page(browser, server.url)
        shown = 79 * "n" + "…"
        assert page.one("h1").text == f"{shown} or \u202egod?" and browser.title == f"{shown} or god? – catdog"
        assert page.one("h1 bdi").get_attribute("title") == names[0]
        page.choose(CAT)
        assert page.answers(1)[0][1].removesuffix(", perhaps") in (shown, names[1])
        browser.get("about:blank")


def test_dropping_and_pasting_work(page):
    page.hand_over("drop", "dropped.jpg", DOG.read_bytes())
    page.hand_over("paste", "pasted.jpg", CAT.read_bytes())
    assert sorted(page.answers(2)) == [("dropped.jpg", "Dog"), ("pasted.jpg", "Cat")]


def test_formats_that_the_browser_alone_can_read_are_converted(page, tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.open(DOG).save(tmp_path / "dog.webp")
    page.choose(tmp_path / "dog.webp")
    assert page.answers(1) == [("dog.webp", "Dog")]


def test_all_of_it_is_done_by_keyboard(page):
    page.press(Keys.TAB)
    assert page.focused().get_attribute("id") == "choose"
    ring = page.browser.execute_script("return getComputedStyle(document.activeElement.parentElement).outlineStyle")
    assert ring == "solid"
    page.choose(CAT)
    page.answers(1)
    page.wait(lambda: page.one("#show-maps").is_displayed())
    assert page.focused().get_attribute("id") == "choose"
    page.press(Keys.TAB)
    assert page.focused().get_attribute("id") == "show-maps"
    assert "maps" in page.one("#list").get_attribute("class")
    page.press(Keys.SPACE)
    assert "maps" not in page.one("#list").get_attribute("class")
    page.press(Keys.SPACE, Keys.TAB)
    assert page.focused().get_attribute("id") == "clear"
    page.press(Keys.ENTER)
    assert not page.all(".card") and page.focused().get_attribute("id") == "choose"


def test_a_screen_reader_hears_what_there_is(page):
    assert page.one("#choose").accessible_name == "Choose photographs"
    news = page.one("#news")
    assert (news.get_attribute("role"), news.get_attribute("aria-live")) == ("status", "polite")
    page.choose(DOG)
    page.answers(1)
    assert re.fullmatch(r"dog\.10003\.jpg: Dog, (> )?[\d.]+ %\.", news.get_attribute("textContent"))
    assert page.one("#list").aria_role == "list"
    assert page.one("#show-maps").accessible_name == "Show heat maps"
    assert page.one(".card img").accessible_name == "dog.10003.jpg: Dog"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(page, tmp_path, scheme):
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})
    (tmp_path / "bad.jpg").write_text("?")
    page.choose(CAT, tmp_path / "bad.jpg")
    page.answers(2)
    seen = {}
    for selector in ("h1", ".hint", ".button.primary span", "#clear", ".name", ".label", ".failed .label", ".share",
                     "footer p"):
        colours = page.browser.execute_script("""
            let behind = arguments[0];
            const colour = getComputedStyle(behind).color;
            while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
            return [colour, getComputedStyle(behind).backgroundColor];""", page.one(selector))
        seen[selector] = contrast(*colours)
    assert min(seen.values()) >= 4.5, seen
    assert page.browser.execute_script("return getComputedStyle(document.querySelector('.fill')).transitionDuration") \
        in ("0s", "0s, 0s")


def contrast(*colours):
    """As WCAG 2 has it."""
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted(map(luminance, colours))
    return (lighter + 0.05) / (darker + 0.05)


def test_names_of_files_are_text_whatever_they_hold(page, tmp_path):
    names = ["<img src=x onerror=document.title='owned'>.jpg", "&amp;\u202egpj.tac", "חתול.jpg", "'\";alert(1)"]
    for name in names:
        (tmp_path / name).write_bytes(CAT.read_bytes())
    page.choose(*[tmp_path / name for name in names])
    assert [name for name, _ in page.answers(4)] == names
    assert page.browser.title.startswith("Cat or Dog?") and not page.all("img[src=x]")
    assert all(card.find_elements(By.CSS_SELECTOR, ".name > bdi") for card in page.all(".card"))


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 1000})
    page.choose(CAT, DOG)
    page.answers(2)
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_loads_nothing_from_elsewhere_and_breaks_no_rule_of_its_own(page, server):
    page.choose(CAT)
    page.answers(1)
    loaded = page.browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded and all(name.startswith((server.url, f"blob:{server.url}")) for name in loaded)
    said = [entry["message"] for entry in page.browser.get_log("browser") if "422" not in entry["message"]]
    assert said == []


def test_a_server_that_has_gone_is_told_and_may_be_asked_again(browser):
    server = Server()
    page = Page(browser, server.url)
    server.stop()
    page.choose(CAT)
    assert page.answers(1)[0][1] == "Not classified: the server can't be reached."
    again = page.one(".again")
    assert again.is_displayed()
    again.click()
    page.answers(1)
    assert again.is_displayed()
