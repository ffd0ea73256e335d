"""The program in docs/onnx.md that goes from a photograph to probabilities gives those of the library."""
import re
import shutil

import numpy as np
import pytest

import cnn
from conftest import ROOT, SAMPLE

pytest.importorskip("onnxruntime")
Image = pytest.importorskip("PIL.Image")

MODEL = ROOT / "examples/catdog/models/cats-and-dogs.safetensors"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model of a small input, so that photographs are large beside it, and these as JPEG and PNG."""
    root = tmp_path_factory.mktemp("page")
    classifier = cnn.Classifier.load(MODEL)
    classifier.resize(64, 64)
    try:
        classifier.model_.save_onnx(root / "pets.onnx")
    except cnn.Error:
        pytest.skip("the library was built without ONNX")
    rng = np.random.default_rng(7)
    for number, path in enumerate(sorted(SAMPLE.glob("test/*/*.jpg"))[::40]):
        image = Image.open(path).resize([(500, 375), (130, 127), (64, 64)][number % 3])
        noisy = np.clip(np.asarray(image) + rng.integers(-20, 20, (image.height, image.width, 3)), 0, 255)
        for suffix in ("jpg", "png"):
            Image.fromarray(noisy.astype(np.uint8)).save(root / f"{number}.{suffix}")
    shutil.copy(root / "0.jpg", root / "photo.jpg")
    return root, classifier


def test_the_page_s_program_gives_the_library_s_probabilities(place, monkeypatch, capsys):
    root, classifier = place
    monkeypatch.chdir(root)
    program = re.findall(r"```python\n(.*?)```", (ROOT / "docs/onnx.md").read_text(), re.DOTALL)[1]
    names = {}
    exec(compile(program, "docs/onnx.md", "exec"), names)
    assert "cat" in capsys.readouterr().out.lower()
    paths = sorted(root.glob("*.jpg")) + sorted(root.glob("*.png"))
    expected = classifier.predict_proba(paths)
    for path, row in zip(paths, expected):
        found = list(names["probabilities"](path).values())
        assert np.abs(np.array(found) - row).max() < 0.002, path


def test_the_temperature_is_in_the_graph_and_comes_back(place):
    root, classifier = place
    onnxruntime = pytest.importorskip("onnxruntime")
    temperature = float(classifier.model_.metadata("cnn.temperature"))
    assert temperature != 1
    session = onnxruntime.InferenceSession(root / "pets.onnx")
    assert "cnn.temperature" not in session.get_modelmeta().custom_metadata_map
    again = cnn.Classifier.load(root / "pets.onnx")
    assert again.model_.metadata("cnn.temperature") == classifier.model_.metadata("cnn.temperature")
    images = np.random.default_rng(3).standard_normal((4, 64, 64, 3), np.float32)
    found = session.run(["output"], {"input": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})[0]
    logits = classifier.model_.predict(images)
    assert np.abs(found - logits / temperature).max() < 1e-4 * np.abs(found).max()
    assert (again.model_.predict(images) == logits).all()


def test_a_photograph_is_classified_the_same_by_path_and_from_pixels(place):
    root, classifier = place
    pngs, jpegs = sorted(root.glob("*.png")), sorted(root.glob("*.jpg"))
    by_path = classifier.predict_proba(pngs)
    assert (by_path == classifier.predict_proba([cnn.load_image(path) for path in pngs])).all()
    assert (by_path == classifier.predict_proba([np.asarray(Image.open(path)) for path in pngs])).all()
    confidences = [prediction.confidence for prediction in classifier.predict_files(pngs)]
    assert np.abs(by_path.max(axis=1) - confidences).max() < 1e-6
    decoded = [cnn.load_image(path, min_width=64, min_height=64) for path in jpegs]
    assert (classifier.predict_proba(jpegs) == classifier.predict_proba(decoded)).all()
