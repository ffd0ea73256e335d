"""The commands in docs/catdog.md are tried, on few photographs and for one epoch."""
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from catdog import HAS_ZIP, PROGRAM, TINY_NET, make_folder

MANUAL = Path(__file__).parents[2] / "docs" / "catdog.md"


def commands():
    blocks = re.findall(r"```sh\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("manual")
    make_folder(root / "PetImages", 6)
    shutil.make_archive(str(root / "photos"), "zip", root, "PetImages")
    shutil.copytree(root / "PetImages" / "Dog", root / "holidays")
    shutil.copy(root / "PetImages" / "Cat" / "0.jpg", root / "photo.jpg")
    rows = "".join(f"PetImages/{kind}/{n}.jpg,{kind}\n" for kind in ("Cat", "Dog") for n in range(6))
    for name in ("train.csv", "test.csv"):
        (root / name).write_text("path,label\n" + rows)
    (root / "my-net.json").write_text(json.dumps(TINY_NET))
    return root


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_manual_works(place, command):
    assert command.startswith("catdog ")
    if "zip" in command and not HAS_ZIP:
        pytest.skip("built without libarchive")
    quick = command
    if " train " in command:
        quick += " --epochs 1" + ("" if ".json" in command else " --size 48")
    done = subprocess.run(quick.replace("catdog", PROGRAM, 1), shell=True, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
