"""Help, versions, and command lines that are wrong."""
import re
from pathlib import Path

import pytest

from catdog import fails, run, succeeds

COMMANDS = ["train", "tune", "eval", "predict", "check", "calibrate", "summary", "quantize", "bench", "export"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_by_example(command):
    done = succeeds(command, "--help")
    assert done.out.startswith(f"Usage: catdog {command} ")
    assert f"\n  catdog {command}" in done.out
    assert done.err == ""
    assert max(map(len, done.out.splitlines())) <= 120


def test_help_names_the_changes_that_augment_knows(tmp_path):
    listed = re.search(r"list of these changes: ([\w,\s]+)\.", succeeds("train", "--help").out).group(1)
    names = re.findall(r"\w+", listed)
    assert {"flip", "rotation", "crop", "erase"} <= set(names)
    header = (Path(__file__).parents[2] / "include/cnn/augment.h").read_text()
    known = re.search(r"\*   (flip,.*?)\n \*\n", header, re.DOTALL).group(1)
    assert names == re.findall(r"[a-z]\w+", re.sub(r", which is \w+|\(.*?\)", "", known))
    fails(1, "train", "--data", tmp_path / "no", "--model", tmp_path / "m", "--augment", ",".join(names))


def test_help_names_every_command():
    out = succeeds("--help").out
    assert all(f"\n  {command} " in out for command in COMMANDS)


def test_help_is_a_command_too():
    assert succeeds("help").out == succeeds("--help").out
    assert succeeds("help", "train").out == succeeds("train", "--help").out


def test_version():
    assert succeeds("--version").out.startswith("catdog 0.")


def test_no_command_is_an_error_that_shows_the_usage():
    done = run()
    assert (done.returncode, done.out) == (2, "")
    assert "Usage: catdog COMMAND" in done.err


@pytest.mark.parametrize("arguments, saying", [
    (["trian"], "did you mean 'train'?"),
    (["xylophone"], "unknown command 'xylophone'"),
    (["train", "--epoch", "3"], "did you mean '--epochs'?"),
    (["train", "-x"], "unknown option '-x'"),
    (["train", "--data"], "--data needs a value"),
    (["train", "--data", "--model", "m"], "--data needs a value"),
    (["train", "--data="], "--data is empty"),
    (["train", "--data", "x"], "--model is missing"),
    (["train", "--model", "x"], "--data is missing"),
    (["train", "photos"], "unexpected argument 'photos'"),
    (["train", "--epochs", "many"], "--epochs takes a whole number from 1 to 100000, not 'many'"),
    (["train", "--epochs", "0"], "from 1 to"),
    (["train", "--epochs", "1.5"], "not '1.5'"),
    (["train", "--epochs", "99999999999999999999"], "from 1 to"),
    (["train", "--lr", "1e-3x"], "--lr takes a number"),
    (["train", "--lr", "nan"], "--lr takes a number"),
    (["train", "--lr", "-1"], "--lr takes a number"),
    (["train", "--optimizer", "adm"], "did you mean 'adam'?"),
    (["train", "--schedule", "none"], "one of constant, step,"),
    (["train", "--resume=yes"], "--resume takes no value"),
    (["train", "--data", "x", "--model", "m", "--resume"], "--resume needs --checkpoint"),
    (["train", "--data", "x", "--model", "m", "--momentum", "0.9"], "--momentum needs"),
    (["train", "--data", "x", "--model", "m", "--val", "1.5"], "--val takes a fraction between 0 and 1"),
    (["train", "--data", "x", "--model", "m", "--net", "two_con"], "did you mean 'two_conv'?"),
    (["train", "--data", "x", "--model", "m", "--net", "a.json", "--size", "64"], "are for the nets of --net by name"),
    (["train", "--data", "x", "--model", "m", "--augment", "flip,spin"], "spin"),
    (["eval", "--model", "m"], "--data is missing"),
    (["eval", "--data", "m"], "--model is missing"),
    (["eval", "--data", "m", "--model", "m", "--threshold", "1"], "--threshold takes a number from 1e-06 to 0.999999"),
    (["predict", "--model", "m"], "name at least one photograph"),
    (["predict", "--model", "m", "--json", "--csv", "x.jpg"], "can't be combined"),
    (["check"], "--data is missing"),
    (["summary"], "either --model or --net"),
    (["summary", "--model", "m", "--net", "two_conv"], "not both"),
    (["bench", "--batch", "0"], "--batch takes a whole number from 1 to 4096"),
])
def test_a_wrong_command_line_gets_a_sentence_and_a_hint(arguments, saying):
    done = fails(2, *arguments, saying=saying)
    assert "--help'." in done.err


def test_two_dashes_end_the_options(pets, tmp_path):
    fails(2, "predict", "--model", pets.model, "--odd.jpg", saying="unknown option")
    done = run("predict", "--model", pets.model, "--", "--odd.jpg", cwd=tmp_path)
    assert done.returncode == 1
    assert "--odd.jpg" in done.err


def test_values_may_follow_an_equals_sign(pets):
    succeeds("predict", f"--model={pets.model}", "--threshold=0.3", pets.test / "Cat" / "100.jpg")


@pytest.mark.parametrize("arguments, status, saying", [
    (["check", "--data", "PetImage"], 1, "PetImage: can't be opened: No such file or directory; did you mean 'PetImages'?"),
    (["train", "PetImages"], 2, "did you mean '--data PetImages'?"),
    (["PetImages"], 2, "did you mean 'catdog predict PetImages'?"),
    (["version"], 2, "did you mean '--version'?"),
    (["predict", "--model", "pet.safetensors", "x.jpg"], 1, "did you mean 'pets.safetensors'?"),
    (["eval", "--model", "notes.txt", "--data", "PetImages"], 1, "a model is a file that 'catdog train' wrote"),
    (["summary", "--model", "notes.txt"], 1, "a model is a file that 'catdog train' wrote"),
    (["export", "--model", "pets.safetensor", "--out", "x.onnx"], 1, "did you mean 'pets.safetensors'?"),
    (["train", "--data", "PetImages", "--model", "m", "--from", "notes.txt"], 1, "a model is a file that"),
    (["train", "--data", "PetImages", "--model", "new/m"], 1, "create that folder first"),
    (["train", "--data", "one-each.csv", "--model", "m"], 1, "name photographs to validate on with --val PATH"),
    (["eval", "--data", "others.csv", "--model", "pets.safetensors"], 1, "its classes are Cat and Dog"),
    (["predict", "--model", "net.safetensors", "x.jpg"], 1, "docs/migrate.md explains how to add it"),
    (["train", "--data", "PetImages", "--model", "m", "--net", "four_conv", "--size", "8"], 1,
     "--size 8 doesn't suit four_conv: "),
    (["quantize", "--model", "pets.safetensors", "--data", "PetImages", "--out", "new/m"], 1, "create that folder first"),
    (["tune", "--data", "PetImages", "--budget", "9s", "--net", "two_conv"], 2, "write options for train after --"),
    (["tune", "--data", "PetImages", "--budget", "9s", "--state", "new/s"], 1, "create that folder first"),
])
def test_a_beginner_is_told_the_remedy(pets, arguments, status, saying):
    (pets.root / "notes.txt").write_text("all about my pets\n")
    (pets.root / "one-each.csv").write_text("path,label\nPetImages/Cat/1.jpg,Cat\nPetImages/Dog/1.jpg,Dog\n")
    (pets.root / "others.csv").write_text("path,label\nPetImages/Cat/1.jpg,Cow\nPetImages/Dog/1.jpg,Hen\n")
    net = pets.model.read_bytes()
    (pets.root / "net.safetensors").write_bytes(net.replace(b'"cnn.preprocess"', b'"cnn_preprocess"'))
    fails(status, *arguments, saying=saying, cwd=pets.root)
