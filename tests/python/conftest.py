import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "python"))

import cnn  # noqa: E402


def photographs(count, size=(20, 24), seed=0):
    """Cats (0) are red, dogs (1) are blue; each has its own noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = np.where(labels[:, None, None, None] == 0, [190, 60, 60], [60, 60, 190])
    images = images + random.integers(-50, 50, (count, *size, 3))
    return images.clip(0, 255).astype(np.uint8), labels


def tiny_net():
    g = cnn.Graph()
    x = g.max_pool2d(g.relu(g.conv2d(g.input(16, 16), 8)))
    g.dense(g.flatten(x), 1)
    return g


def tiny_classifier(**parameters):
    return cnn.Classifier(tiny_net(), **{"epochs": 6, "batch_size": 8, "optimizer": {"learning_rate": 0.01}, **parameters})


@pytest.fixture(scope="session")
def pets(tmp_path_factory):
    """A classifier that was trained on arrays."""
    X, y = photographs(40)
    return tiny_classifier().fit(X, np.array(["Cat", "Dog"])[y])


SAMPLE = ROOT / "examples/catdog/sample"


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with what the examples of the docs are about."""
    root = tmp_path_factory.mktemp("docs")
    for kind, name in (("cats", "Cat"), ("dogs", "Dog")):
        for folder, first in (("PetImages", 0), ("more/PetImages", 20)):
            (root / folder / name).mkdir(parents=True)
            for path in sorted((SAMPLE / f"test/{kind}").glob("*.jpg"))[first:first + 10]:
                shutil.copy(path, root / folder / name)
    for copy, kind in (("photo.jpg", "cats"), ("other.jpg", "dogs")):
        shutil.copy(sorted((SAMPLE / f"test/{kind}").glob("*.jpg"))[-1], root / copy)
    (root / "README").write_text("no image")
    return root
