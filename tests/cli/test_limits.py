"""Limits on photographs and on memory: --max-pixels and --memory."""
import shutil
from pathlib import Path

import pytest

from catdog import PROGRAM, as_json, fails, photograph, run, succeeds


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    photograph("Cat", 1, (300, 200)).save(path)
    return path


def test_a_photograph_with_too_many_pixels_is_refused_by_that_option(pets, large):
    done = run("predict", "--model", pets.model, "--max-pixels", 59999, large)
    assert done.returncode == 1
    assert "is 300×200 pixels; the limit is 59999" in done.err and "--max-pixels" in done.err
    succeeds("predict", "--model", pets.model, "--max-pixels", 60000, large)


def test_check_lists_photographs_with_too_many_pixels(pets):
    found = as_json("check", "--data", pets.test, "--max-pixels", 479, "--json")["bad"]
    assert len(found) == 12 and all("--max-pixels" in entry["reason"] for entry in found)
    assert as_json("check", "--data", pets.test, "--max-pixels", 480, "--json")["bad"] == []


def test_training_leaves_out_photographs_with_too_many_pixels(pets, tmp_path):
    fails(1, "train", "--data", pets.test, "--net", pets.net, "--model", tmp_path / "m", "--max-pixels", 100,
          saying="--max-pixels")


@pytest.mark.parametrize("command, more", [
    ("predict", ["0.jpg"]), ("eval", ["--data", "data"]), ("check", ["--data", "data"]),
    ("calibrate", ["--data", "data"]), ("quantize", ["--data", "data", "--out", "q"]), ("export", ["--out", "x"])])
def test_a_model_that_takes_more_memory_than_allowed_is_refused_by_that_option(command, more, pets, tmp_path):
    shutil.copy(Path(PROGRAM).parent / "models" / "cats-and-dogs.safetensors", tmp_path / "m")
    shutil.copy(next(pets.test.rglob("*.jpg")), tmp_path / "0.jpg")
    (tmp_path / "data").symlink_to(pets.test)
    fails(1, command, "--model", "m", *more, "--memory", 1, saying="set --memory higher", cwd=tmp_path)


def test_a_net_that_takes_more_memory_than_allowed_is_refused_by_that_option(pets, tmp_path):
    fails(1, "summary", "--net", "vgg16", "--memory", 1, saying="set --memory higher")
    fails(1, "train", "--data", pets.data, "--net", "vgg16", "--model", tmp_path / "m", "--memory", 1,
          saying="set --memory higher")
