"""The page of catdog report, in a real browser."""
import json
import os

import pytest

from catdog import SANITIZED, TINY_NET, make_folder, succeeds

By = pytest.importorskip("selenium.webdriver.common.by").By

pytestmark = [pytest.mark.skipif(os.environ.get("CNN_HAS_REPORT", "1") != "1", reason="built without cairo or Pango"),
              pytest.mark.skipif(SANITIZED, reason="the page is the same in a build with sanitizers")]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Of classes with long names, with and without places to break them, and of several scripts."""
    root = tmp_path_factory.mktemp("report")
    names = ("Cat", "n" * 200, "long name " * 19, "חתול אפור", "猫" * 60)
    make_folder(root / "data", 4, names)
    net = {**TINY_NET, "layers": [*TINY_NET["layers"][:-1], {"name": "logit", "type": "dense", "units": len(names)}]}
    (root / "net.json").write_text(json.dumps(net))
    succeeds("train", "--data", root / "data", "--net", root / "net.json", "--epochs", 1, "--batch", 4, "--model", root / "m")
    succeeds("report", "--model", root / "m", "--data", root / "data", "--out", root / "out")
    return (root / "out/index.html").as_uri()


@pytest.mark.parametrize("width", [320, 360, 390, 700, 1280])
def test_tables_show_their_figures_beside_long_names(browser, report, width):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600})
    browser.get(report)
    table = browser.find_element(By.CSS_SELECTOR, "#classes .scroll")
    wide, seen = browser.execute_script("return [arguments[0].scrollWidth, arguments[0].clientWidth]", table)
    assert wide <= seen
    for cell in table.find_elements(By.CSS_SELECTOR, "td:first-child"):
        assert width > 480 or cell.size["width"] > 0.9 * seen
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
