"""catdog report, samples and augment-preview: the page, its figures, and what they say."""
import base64
import json
import math
import os
import re
import resource
import shutil
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from PIL import Image, ImageChops, ImageStat

from catdog import SANITIZED, TINY_NET, as_json, fails, make_folder, photograph, run, succeeds

pytestmark = pytest.mark.skipif(os.environ.get("CNN_HAS_REPORT") == "0", reason="built without cairo")

FIGURES = {"confusion", "roc", "precision-recall", "calibration", "confidence", "predictions", "heat-maps", "loss",
           "accuracy", "balance", "samples", "augmented", "filters", "layers"}
HISTORY = ("epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,images\n"
           "1,0.001,0.69,0.51,0.68,0.55,1.5,40\n2,0.002,0.5,0.8,0.45,0.9,1.5,40\n3,0.001,0.3,0.85,0.5,0.88,1.5,40\n")
EMPTY = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Reads a page, and sees to it that what is opened is closed, in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.numbers, self.words = [], [], {}, []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "data":
            self.numbers[attributes["id"]] = float(attributes["value"]) if attributes["value"] else math.nan

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if "style" not in self.open:
            self.words.append(text)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def read(folder):
    return Page((folder / "index.html").read_text())


@pytest.fixture(scope="module")
def made(pets, tmp_path_factory):
    """A report, of a model that errs sometimes."""
    root = tmp_path_factory.mktemp("report")
    data = shutil.copytree(pets.test, root / "data")
    photograph("Dog", 7).save(data / "Cat" / "a <dog> & more.jpg")
    (data / "Dog" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (root / "h.csv").write_text(HISTORY)
    done = succeeds("report", "--model", pets.model, "--data", data, "--history", root / "h.csv", "--out", root / "out")
    return SimpleNamespace(out=root / "out", data=data, model=pets.model, done=done, page=read(root / "out"),
                           history=root / "h.csv")


def test_it_names_the_page_and_what_was_left_out(made):
    assert made.done.out == f"{made.out}/index.html\n"
    assert made.done.err.count("broken.jpg") == 1
    assert "(1 broken file left out)" in " ".join(made.page.words)


def test_nothing_is_fetched_from_anywhere(made):
    text = (made.out / "index.html").read_text()
    for attributes in (a for _, a in made.page.tags):
        for name in ("src", "href", "srcset", "data", "action", "poster", "background"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert not made.page.all("script") and not made.page.all("link") and not made.page.all("iframe")
    assert all(f"#{a['id']}" for a in made.page.all("h2"))
    targets = {f"#{a['id']}" for _, a in made.page.tags if "id" in a}
    assert {a["href"] for a in made.page.all("a")} <= targets


def test_every_image_says_what_it_shows(made):
    images = made.page.all("img")
    assert len(images) > 50
    assert all(len(a["alt"]) > 8 and int(a["width"]) > 0 and int(a["height"]) > 0 for a in images)


def test_every_diagram_is_there_in_light_and_dark(made):
    images = [a for a in made.page.all("img") if a["src"].startswith("data:image/svg+xml;base64,")]
    assert [a["class"] for a in images] == ["light", "dark"] * (len(images) // 2) and len(images) == 2 * 9 + 2
    for attributes in images:
        root = ElementTree.fromstring(base64.b64decode(attributes["src"].split(",")[1], validate=True))
        assert root.tag.endswith("}svg")
    photographs = [a for a in made.page.all("img") if a["src"].startswith("data:image/jpeg;base64,")]
    assert len(photographs) == len(made.page.all("img")) - len(images)
    for attributes in photographs[:3]:
        assert base64.b64decode(attributes["src"].split(",")[1], validate=True).startswith(b"\xff\xd8\xff")


def test_it_fits_a_phone_and_the_dark_and_paper(made):
    text = (made.out / "index.html").read_text()
    assert "width=device-width" in text
    assert "prefers-color-scheme:dark" in text and "@media print" in text


def test_its_numbers_are_those_of_eval(made):
    figures = as_json("eval", "--model", made.model, "--data", made.data, "--json")
    numbers = made.page.numbers
    assert numbers["images-number"] == figures["images"] == 13
    for name, key in (("accuracy", "accuracy"), ("precision", "precision"), ("recall", "recall"), ("f1", "f1"),
                      ("auc", "auc"), ("loss", "loss"), ("calibration", "calibration_error")):
        assert numbers[f"{name}-number"] == pytest.approx(figures[key], rel=1e-7)
    words = " ".join(made.page.words)
    assert f"{100 * figures['accuracy']:.2f}\N{NO-BREAK SPACE}%" in words
    assert figures["accuracy"] < 1


def test_a_mistake_is_shown_with_its_name(made):
    words = " ".join(made.page.words)
    assert "label: Cat, a <dog> & more.jpg" in words
    assert (made.out / "mistakes.png").exists()


def check_figure(path):
    with Image.open(path.with_suffix(".png")) as image:
        assert image.format == "PNG"
        assert 300 < image.width < 4000 and 100 < image.height < 6000
        colours = image.convert("RGB").getcolors(1 << 24)
    assert len(colours) > 5 and max(count for count, _ in colours) < 0.98 * sum(count for count, _ in colours)
    root = ElementTree.parse(path.with_suffix(".svg")).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(re.match(r"[\d.]+", root.get("width")).group()) * 2 == pytest.approx(image.width, abs=2)
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.endswith("href") or value.startswith(("#", "data:"))


def test_every_figure_is_there_as_png_and_svg(made):
    names = {path.stem for path in made.out.iterdir() if path.suffix == ".png"}
    assert names == FIGURES | {"mistakes"}
    assert {path.name for path in made.out.iterdir()} == {"index.html"} | {
        f"{name}.{end}" for name in names for end in ("png", "svg")}
    for name in names:
        check_figure(made.out / name)


def test_the_same_is_drawn_again(made, tmp_path):
    arguments = ["report", "--model", made.model, "--data", made.data, "--history", made.history, "--out"]
    succeeds(*arguments, tmp_path / "a")
    succeeds(*arguments, tmp_path / "b", "--seed", 5, "--threads", 1)
    for name in FIGURES - {"layers"}:
        same = (tmp_path / "a" / f"{name}.png").read_bytes() == (made.out / f"{name}.png").read_bytes()
        assert same, name
    assert (tmp_path / "a" / "roc.png").read_bytes() == (tmp_path / "b" / "roc.png").read_bytes()
    assert (tmp_path / "a" / "samples.png").read_bytes() != (tmp_path / "b" / "samples.png").read_bytes()


def test_without_a_history_there_are_no_curves(made, pets, tmp_path):
    succeeds("report", "--model", pets.model, "--data", pets.test, "--out", tmp_path / "out")
    assert not (tmp_path / "out" / "loss.png").exists()
    page = read(tmp_path / "out")
    assert "#training" not in {a["href"] for a in page.all("a")}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Twelve classes, one of which has a name that HTML must not take for its own."""
    root = tmp_path_factory.mktemp("crowd")
    names = [f"animal {n}" for n in range(10)]
    names += ["x" + 30 * "狐", "<b>\"last\" & least<b> of a name that is quite long"]
    make_folder(root / "data", 4, names=names)
    succeeds("train", "--data", root / "data", "--net", "catdog_net", "--width", 0.1, "--size", 32, "--epochs", 1,
             "--batch", 16, "--model", root / "m")
    return SimpleNamespace(root=root, data=root / "data", model=root / "m", names=names)


def test_many_classes_are_shown(crowd):
    out = crowd.root / "out"
    succeeds("report", "--model", crowd.model, "--data", crowd.data, "--out", out)
    page = read(out)
    words = " ".join(page.words)
    assert all(name in words for name in crowd.names)
    assert not page.all("i") and "means over the classes" in words
    for name in ("confusion", "roc", "precision-recall", "balance", "calibration"):
        check_figure(out / name)
    figures = as_json("eval", "--model", crowd.model, "--data", crowd.data, "--json")
    assert page.numbers["auc-number"] == pytest.approx(figures["auc"])


@pytest.mark.parametrize("name, other", [("\u202eabc\u202c", "cba"), ("\u202e(ab\u202c", "ba)")])
def test_names_are_drawn_in_the_order_of_their_script(tmp_path, name, other):
    """Tried with letters that every font has, and that are told to go from right to left."""
    drawn = []
    for folder, own in (("a", name), ("b", other)):
        make_folder(tmp_path / folder, 1, ("A", own))
        rows = f"path,label\n{own}/0.jpg,{own}\nA/0.jpg,A\n"
        (tmp_path / folder / "list.csv").write_text(rows)
        photograph("cat", 1).save(tmp_path / folder / own / "0.jpg")
        succeeds("samples", "--data", tmp_path / folder / "list.csv", "--out", tmp_path / f"{folder}.png")
        with Image.open(tmp_path / f"{folder}.png") as image:
            drawn.append(image.convert("RGB").tobytes())
    assert drawn[0] == drawn[1]


def test_names_of_any_script_and_length_stand_in_the_page(tmp_path):
    names = ("Cat", "חתול אפור", "猫", "n" * 200)
    make_folder(tmp_path / "data", 4, names)
    net = {**TINY_NET, "layers": [*TINY_NET["layers"][:-1], {"name": "logit", "type": "dense", "units": len(names)}]}
    (tmp_path / "net.json").write_text(json.dumps(net))
    succeeds("train", "--data", tmp_path / "data", "--net", tmp_path / "net.json", "--epochs", 1, "--batch", 4,
             "--model", tmp_path / "model")
    succeeds("report", "--model", tmp_path / "model", "--data", tmp_path / "data", "--out", tmp_path / "out")
    text = (tmp_path / "out/index.html").read_text()
    for name in names:
        assert text.count(f"<td><bdi>{name}</bdi></td>") == 1
    assert re.search("<b>\u2068חתול אפור\u2069 [0-9.]+\xa0%</b>|label: \u2068חתול אפור\u2069, ", text)
    for figure in (tmp_path / "out").glob("*.svg"):
        ElementTree.parse(figure)


def test_a_quantised_model_has_no_heat_maps_and_says_why(pets, tmp_path):
    succeeds("quantize", "--model", pets.model, "--data", pets.data, "--out", tmp_path / "q")
    succeeds("report", "--model", tmp_path / "q", "--data", pets.test, "--out", tmp_path / "out")
    assert not (tmp_path / "out" / "heat-maps.png").exists()
    assert "There are no heat maps: the model is quantised" in " ".join(read(tmp_path / "out").words)


def test_a_folder_used_again_has_the_figures_of_the_last_report_alone(made, pets, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(made.out, out)
    photograph("cat", 1).save(out / "accuracy.png")  # another's
    shutil.copy(made.out / "loss.png", out / "own.png")
    others = {"own.png": (out / "own.png").read_bytes(), "accuracy.png": (out / "accuracy.png").read_bytes()}
    succeeds("quantize", "--model", pets.model, "--data", pets.data, "--out", tmp_path / "q")
    succeeds("report", "--model", tmp_path / "q", "--data", pets.test, "--out", out)
    for name in "loss", "heat-maps":
        assert not (out / f"{name}.png").exists() and not (out / f"{name}.svg").exists(), name
    assert not (out / "accuracy.svg").exists()
    assert {name: (out / name).read_bytes() for name in others} == others


def test_a_class_of_no_photograph_is_no_reason_to_fail(crowd, tmp_path):
    data = tmp_path / "data"
    for name in crowd.names[:5]:
        shutil.copytree(crowd.data / name, data / name)
    succeeds("report", "--model", crowd.model, "--data", data, "--out", tmp_path / "out")
    assert math.isnan(read(tmp_path / "out").numbers["auc-number"])


def test_few_photographs_are_counted_by_more_than_one_tick(crowd, tmp_path):
    """What stands left of the axis, line by line; only the ticks' figures end there."""
    for name in crowd.names[:2]:
        shutil.copytree(crowd.data / name, tmp_path / "data" / name)
    succeeds("report", "--model", crowd.model, "--data", tmp_path / "data", "--out", tmp_path / "out")
    rows = {}
    for letter in ElementTree.parse(tmp_path / "out/confidence.svg").getroot().iter("{http://www.w3.org/2000/svg}use"):
        rows.setdefault(letter.get("y"), []).append(float(letter.get("x") or 0))
    assert sum(0 < max(row) < 66 for row in rows.values()) >= 2


@pytest.mark.parametrize("text, saying", [
    ("", "no column 'epoch'"),
    ("epoch,loss\n1,2\n", "no column 'accuracy'"),
    ("epoch,loss,accuracy\n", "no epoch"),
    ("epoch,loss,accuracy\n1,0.5,0.5\n2,x,0.5\n", "line 3: 'x' is not a number"),
    ("epoch,loss,accuracy\n1,0.5\n", "line 2: '' is not a number"),
])
def test_a_history_that_is_none_is_refused(pets, tmp_path, text, saying):
    (tmp_path / "h.csv").write_text(text)
    fails(1, "report", "--model", pets.model, "--data", pets.test, "--history", tmp_path / "h.csv", "--out",
          tmp_path / "out", saying=saying)


def test_what_is_missing_is_told(pets, tmp_path):
    fails(2, "report", "--data", pets.test, saying="--out is missing")
    fails(2, "report", "--out", tmp_path / "out", saying="--data is missing")
    fails(2, "report", "--data", pets.test, "--out", tmp_path / "out", "--augment", "wobble", saying="wobble")
    fails(1, "report", "--model", pets.model, "--data", pets.test, "--out", tmp_path / "out", "--history",
          tmp_path / "none.csv", saying="none.csv: can't be read: No such file")
    fails(1, "report", "--model", pets.model, "--data", pets.test, "--out", tmp_path / "a" / "b",
          saying="can't be created")
    (tmp_path / "file").write_text("")
    fails(1, "report", "--model", pets.model, "--data", pets.test, "--out", tmp_path / "file", saying="is not a folder")


def test_a_full_disk_is_told(pets, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").symlink_to("/dev/full")
    fails(1, "report", "--model", pets.model, "--data", pets.test, "--out", tmp_path / "out", saying="No space left")


def test_samples_draws_a_grid(pets, tmp_path):
    for name in ("grid.png", "grid.svg", "other.png"):
        succeeds("samples", "--data", pets.data, "--out", tmp_path / name, "--count", 13,
                 *(["--seed", 3] if name == "other.png" else []))
    check_figure(tmp_path / "grid")
    with Image.open(tmp_path / "grid.png") as image:
        assert image.height > 2 * 3 * 120  # three rows of six, at two pixels each
    assert (tmp_path / "grid.png").read_bytes() != (tmp_path / "other.png").read_bytes()


def test_augment_preview_draws_what_training_sees(pets, tmp_path):
    common = ["augment-preview", "--data", pets.data, "--count", 2, "--changes", 3, "--size", 64, "--out"]
    succeeds(*common, tmp_path / "none.png", "--augment", "none")
    succeeds(*common, tmp_path / "a.png", "--augment", "rotation=30,crop")
    succeeds(*common, tmp_path / "a.svg", "--augment", "rotation=30,crop")
    check_figure(tmp_path / "a")
    with Image.open(tmp_path / "none.png") as image:
        row = image.convert("RGB").crop((40, 104, 40 + 4 * 268, 104 + 240))
    first, *others = [row.crop((x * 268, 0, x * 268 + 240, 240)) for x in range(4)]
    for other in others:  # drawn at a fraction of a pixel
        assert max(high for _, high in ImageChops.difference(other, others[0]).getextrema()) <= 2
    assert max(ImageStat.Stat(ImageChops.difference(first, others[0])).mean) < 8
    assert (tmp_path / "none.png").read_bytes() != (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize("command", ["samples", "augment-preview"])
def test_wrong_use_of_the_small_commands(command, pets, tmp_path):
    fails(2, command, "--data", pets.data, saying="--out is missing")
    fails(2, command, "--out", tmp_path / "x.png", saying="--data is missing")
    fails(1, command, "--data", tmp_path / "none", "--out", tmp_path / "x.png", saying="none")
    fails(1, command, "--data", pets.data, "--out", tmp_path / "no" / "x.png", saying="create that folder first")
    done = run(command, "--data", pets.data, "--out", "/dev/full")
    assert done.returncode == 1 and "can't be written" in done.err
    if command == "augment-preview":
        fails(2, command, "--data", pets.data, "--out", tmp_path / "x.png", "--augment", "wobble", saying="wobble")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more memory than these limits, and tells of crashes itself")
@pytest.mark.parametrize("command", ["report", "samples"])
def test_libraries_that_crash_without_memory_end_in_a_sentence(command, pets, tmp_path):
    more = ["report", "--model", pets.model, "--out", "out"] if command == "report" else ["samples", "--out", "p.png"]
    said = []
    for megabytes in range(70, 150, 15):
        limit = megabytes << 20
        done = run(*more, "--data", pets.test, "--threads", 1, cwd=tmp_path,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        assert done.returncode in (0, 1, 127), (megabytes, done.returncode, done.err)  # 127: libraries can't be loaded
        assert done.returncode != 1 or "catdog: " in done.err
        said.append(done.err)
    assert any("crashed while drawing" in sentence for sentence in said)
