import json
from types import SimpleNamespace

import pytest

from catdog import TINY_NET, make_folder, succeeds


@pytest.fixture(scope="session")
def pets(tmp_path_factory):
    """A folder of photographs, a tiny net, and a model that was trained with them."""
    root = tmp_path_factory.mktemp("pets")
    net = root / "tiny.json"
    net.write_text(json.dumps(TINY_NET))
    data = make_folder(root / "PetImages", 20)
    test = make_folder(root / "more", 6, start=100)
    model = root / "pets.safetensors"
    succeeds("train", "--data", data, "--val", test, "--net", net, "--epochs", 8, "--batch", 8, "--lr", 0.01,
             "--augment", "flip", "--label-smoothing", 0.1, "--model", model)
    return SimpleNamespace(root=root, net=net, data=data, test=test, model=model)
