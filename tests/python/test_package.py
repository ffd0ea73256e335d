"""What Python expects of a package: examples that work, types, reprs, and a quick import."""
import doctest
import importlib
import os
import pathlib
import pkgutil
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import cnn
import declarations
from cnn import _abi, _declarations
from conftest import ROOT, photographs, tiny_classifier, tiny_net

RECORDS = declarations.RECORDS.values()
MODULES = [f"cnn.{module.name}" for module in pkgutil.iter_modules(cnn.__path__)]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("cnn._")])
def test_the_examples_in_docstrings_work(name, place, monkeypatch):
    monkeypatch.chdir(place)
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, extraglobs={"cnn": cnn, "np": np, "pathlib": pathlib, "zipfile": zipfile}, optionflags=doctest.ELLIPSIS)
    assert not failed and (tried or name == "cnn.errors")


def test_all_that_is_public_is_documented_and_told_of():
    for name in cnn.__all__:
        thing = getattr(cnn, name)
        assert isinstance(thing, str) or thing.__doc__, name
        for part, value in vars(thing).items() if isinstance(thing, type) else ():
            if not part.startswith("_") and name not in RECORDS and hasattr(thing, part):
                function = getattr(value, "fget", None) or getattr(value, "__func__", value)
                assert not callable(function) or function.__doc__, f"{name}.{part}"
    public = {name for name in vars(cnn) if not name.startswith("_")} - {name.partition(".")[2] for name in MODULES}
    assert public | {"__version__"} == set(cnn.__all__)


def test_records_and_options_are_those_of_the_declarations():
    assert (Path(cnn.__file__).parent / "_records.py").read_text() == declarations.records(_abi)
    fields = [name for name, _ in _abi.cnn_metrics_result._fields_ if name != "struct_size"]
    assert [name for name in cnn.Metrics.__annotations__ if name not in ("per_class", "confusion")] == fields


def test_the_version_is_that_of_the_build_and_the_library():
    assert (cnn.__version__, _declarations.SONAME) == declarations.library_names() and cnn.version() == cnn.__version__
    assert cnn.has_feature("jpeg") and not cnn.has_feature("wobble")
    assert {"jpeg", "png"} <= set(cnn.features()) and all(map(cnn.has_feature, cnn.features()))


def test_every_module_is_installed():
    listed = re.findall(r"'cnn/([\w.]+)'", (ROOT / "python/meson.build").read_text())
    files = [path.name for path in (ROOT / "python/cnn").iterdir() if path.suffix in (".py", ".typed")]
    assert sorted(listed) == sorted(files)


def test_a_library_of_another_version_is_refused(tmp_path):
    source = tmp_path / "other.c"
    source.write_text('const char *cnn_version(void) { return "0.0.9"; }\n')
    library = tmp_path / _declarations.SONAME
    try:
        subprocess.run([*os.environ.get("CNN_TEST_CC", "cc").split(), "-shared", "-fPIC", str(source), "-o", str(library)],
                       check=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    start = [sys.executable, "-c", "import cnn"]
    named = subprocess.run(start, capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "CNN_LIBRARY": str(library)})
    environment = {name: value for name, value in os.environ.items() if name != "CNN_LIBRARY"}
    found = subprocess.run(start, capture_output=True, text=True, env={
        **environment, "PYTHONPATH": str(ROOT / "python"), "LD_LIBRARY_PATH": str(tmp_path), "PKG_CONFIG_PATH": str(tmp_path)})
    for done in (named, found):
        assert f"is libcnn 0.0.9, and this package is for {cnn.__version__}" in done.stderr
        assert "ImportError" in done.stderr and "set CNN_LIBRARY" in done.stderr


def test_a_repr_tells_what_it_is():
    X, y = photographs(4)
    data, model = cnn.Dataset.from_pixels(X, y, ["Cat", "Dog"]), cnn.Model(tiny_net())
    loader = data.batches(batch_size=2, preprocess={"width": 8, "height": 8})
    expected = {
        data: "<cnn.Dataset: 4 images, 2 classes (Cat, Dog)>", loader: "<cnn.Loader: 2 batches>",
        model: "<cnn.Model: 16×16×3 to 1, 617 weights>", cnn.Optimizer(model): "<cnn.Optimizer>",
        tiny_net(): "<cnn.Graph: 16×16×3 to 1, 6 layers>", cnn.Graph(): "<cnn.Graph: 0 layers>",
        cnn.Tensor(np.zeros((2, 3), np.uint8)): "<cnn.Tensor: uint8 (2, 3)>",
        cnn.Context(threads=2, instruction_set="generic"): "<cnn.Context: 2 threads, generic>",
        cnn.Classifier("resnet18", epochs=3): "Classifier(net='resnet18', epochs=3)"}
    for thing, text in expected.items():
        assert repr(thing) == text
    data.close()
    assert repr(data) == "<cnn.Dataset: closed>"
    metrics = tiny_classifier(epochs=1).fit(*photographs(8)).evaluate(*photographs(8))
    assert repr(metrics).startswith("Metrics(classes=2, images=8, loss=") and metrics.per_class[0].images == 4


def test_options_are_given_by_name():
    for call in (lambda: cnn.Context(2), lambda: cnn.Model(tiny_net(), 1), lambda: cnn.Dataset("PetImages", None),
                 lambda: cnn.loss([[0]], [[0]], 0.1), lambda: cnn.Classifier("two_conv", 64)):
        with pytest.raises(TypeError, match="positional argument"):
            call()


def test_it_is_imported_quickly():
    """Against NumPy, which it imports, by the processor's time: machines differ, and may have other work."""
    program = ("import time; start = time.process_time(); import numpy; between = time.process_time(); import cnn; "
               "print((time.process_time() - between) / (between - start))")
    ratios = [float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                                   env={**os.environ, "PYTHONPATH": str(ROOT / "python")}).stdout) for _ in range(5)]
    assert min(ratios) < 1
