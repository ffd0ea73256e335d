import json
from types import SimpleNamespace

import pytest

from catdog import SANITIZED, TINY_NET, make_folder, succeeds

# With a sanitizer, what comes from outside is what matters: data, models, options, requests. What these files test is
# slow there and runs without one.
collect_ignore = ["test_docs.py", "test_manual.py", "test_packaging.py", "test_progress.py", "test_summary_bench.py",
                  "test_tune.py"] if SANITIZED else []


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
