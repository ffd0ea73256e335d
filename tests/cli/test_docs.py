"""The commands in the docs are tried, on few photographs and for one epoch, and so is the Python in them."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from catdog import HAS_ZIP, PROGRAM, SANITIZED, TINY_NET, make_folder

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/catdog.md", "docs/performance.md", "docs/results.md")


def commands():
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("catdog "):
                    yield pytest.param(line, id=f"{page}: {line[:60]}")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("docs")
    photographs = make_folder(root / "PetImages", 6)
    shutil.make_archive(str(root / "photos"), "zip", root, "PetImages")
    for copy in ("photos/train", "photos/test", "DATA/PetImages"):
        shutil.copytree(photographs, root / copy)
    for copy in ("holidays", "new"):
        shutil.copytree(photographs / "Dog", root / copy)
    shutil.copy(photographs / "Cat" / "0.jpg", root / "photo.jpg")
    rows = "".join(f"PetImages/{kind}/{n}.jpg,{kind}\n" for kind in ("Cat", "Dog") for n in range(6))
    for name in ("train.csv", "test.csv", "DATA/train.csv", "DATA/val.csv"):
        (root / name).write_text("path,label\n" + rows)
    (root / "my-net.json").write_text(json.dumps(TINY_NET))
    return root


@pytest.mark.parametrize("command", list(commands()))
def test_a_command_of_the_docs_works(place, command):
    if "zip" in command and not HAS_ZIP:
        pytest.skip("built without libarchive")
    if ".onnx" in command and os.environ.get("CNN_HAS_ONNX") == "0":
        pytest.skip("built without protobuf-c")
    quick = command.split("#")[0]
    if " train " in command:
        quick += " --epochs 1" + ("" if ".json" in command or " --from " in command else " --size 48")
    if " tune " in command:
        quick = re.sub(r"--budget \S+", "--budget 3s --epochs 1", quick)
    done = subprocess.run(quick.replace("catdog", PROGRAM, 1), shell=True, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_python_in_the_docs_works(place):
    pytest.importorskip("safetensors")
    program = re.search(r"```python\n(.*?)```", (ROOT / "docs/model-file.md").read_text(), re.DOTALL).group(1)
    subprocess.run([PROGRAM, "train", "--data", "PetImages", "--model", "pets.safetensors", "--net", "my-net.json",
                    "--epochs", "1"], cwd=place, check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "['Cat', 'Dog']" in done.stdout


def test_the_way_from_pytorch_works(place):
    """docs/migrate.md: its Python in one program, then its commands."""
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    library = Path(PROGRAM).resolve().parents[2] / "lib/libcnn.so"
    if SANITIZED or not library.exists() or os.environ.get("CNN_HAS_ONNX") == "0":
        pytest.skip("built without protobuf-c, with sanitizers, or elsewhere")
    page = (ROOT / "docs/migrate.md").read_text()
    program = "".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=place, capture_output=True, text=True,
                          env={**os.environ, "CNN_LIBRARY": str(library), "PYTHONPATH": str(ROOT / "examples/python")})
    assert done.returncode == 0, done.stderr
    assert "largest difference: " in done.stdout
    for line in re.search(r"```sh\n(.*?)```", page, re.DOTALL).group(1).splitlines():
        done = subprocess.run(line.replace("catdog", PROGRAM, 1), shell=True, cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_keras_of_the_docs_is_python():
    for block in re.findall(r"```python keras\n(.*?)```", (ROOT / "docs/migrate.md").read_text(), re.DOTALL):
        compile(block, "docs/migrate.md", "exec")
