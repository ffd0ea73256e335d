import csv
import json
import re

import pytest

from catdog import fails, notes, succeeds

QUICK = ["--batch", 8, "--augment", "none"]


def weights(path):
    """The bytes of each array of a model file."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {name: data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]]
            for name, entry in header.items() if name != "__metadata__"}


def train_from(pets, model, *more):
    return succeeds("train", "--data", pets.data, "--val", pets.test, "--from", pets.model, "--model", model, *QUICK,
                    *more)


def changed(before, after):
    """The layers whose weights differ."""
    return {name.split(".")[0] for name in before if name in after and (before[name] != after[name])}


def test_a_linear_head_alone_learns(pets, tmp_path):
    train_from(pets, tmp_path / "m.safetensors", "--head", "linear", "--epochs", 3)
    before, after = weights(pets.model), weights(tmp_path / "m.safetensors")
    assert "head.weight" in after and not changed(before, after)
    succeeds("eval", "--model", tmp_path / "m.safetensors", "--data", pets.test)


def test_after_its_head_the_whole_net_learns(pets, tmp_path):
    done = train_from(pets, tmp_path / "m.safetensors", "--unfreeze-at", 3, "--epochs", 4)
    assert re.findall(r"epoch (\d)/4", done.err) == ["1", "2", "3", "4"]


def rows(path):
    """The epochs of a history: number, and validation accuracy in percent."""
    return [(int(row["epoch"]), round(100 * float(row["validation_accuracy"]), 1)) for row in csv.DictReader(path.open())]


def lines(done):
    """The same of what a training printed."""
    return [(int(epoch), float(accuracy)) for epoch, accuracy in
            re.findall(r"epoch (\d+)/\d+ .*validation loss \S+  accuracy (\S+) %", done.err)]


@pytest.mark.parametrize("more", [["--unfreeze-at", 3, "--epochs", 5], ["--unfreeze-at", 5, "--epochs", 5, "--lr", 10]])
def test_all_that_tells_of_epochs_numbers_them_alike(pets, tmp_path, more):
    done = train_from(pets, tmp_path / "m.safetensors", *more, "--history", tmp_path / "h.csv")
    assert [epoch for epoch, _ in rows(tmp_path / "h.csv")] == [1, 2, 3, 4, 5]
    assert rows(tmp_path / "h.csv") == lines(done)
    best, epochs, accuracy = re.search(r"best epoch (\d) of (\d): validation accuracy (\S+) %", done.out).groups()
    assert epochs == "5" and (int(best), float(accuracy)) in [(n, pytest.approx(a, abs=0.06)) for n, a in lines(done)]
    kept = json.loads(notes(tmp_path / "m.safetensors")["cnn.training"])
    assert (kept["epochs"], kept["best_epoch"]) == (5, int(best))


def test_a_worse_second_part_leaves_the_head_as_it_was(pets, tmp_path):
    head = train_from(pets, tmp_path / "head.safetensors", "--head", "linear", "--epochs", 4, "--lr", 10)
    all_layers = train_from(pets, tmp_path / "m.safetensors", "--unfreeze-at", 5, "--epochs", 5, "--lr", 10)
    best = re.search(r"best epoch (\d)", all_layers.out)[1]
    assert best == re.search(r"best epoch (\d)", head.out)[1]
    assert weights(tmp_path / "head.safetensors") == weights(tmp_path / "m.safetensors")


def test_a_resumed_training_numbers_its_epochs_on(pets, tmp_path):
    more = ["--unfreeze-at", 3, "--epochs", 5, "--checkpoint", tmp_path / "c.state", "--history", tmp_path / "h.csv"]
    whole = train_from(pets, tmp_path / "whole.safetensors", *more)
    before = rows(tmp_path / "h.csv")
    (tmp_path / "h.csv").unlink()
    again = train_from(pets, tmp_path / "again.safetensors", *more, "--resume")
    assert rows(tmp_path / "h.csv") == before
    assert [line for line in again.out.splitlines() if "best" in line] == whole.out.splitlines()[:1]
    assert weights(tmp_path / "again.safetensors") == weights(tmp_path / "whole.safetensors")
    more[3] = 7
    fails(1, "train", "--data", pets.data, "--val", pets.test, "--from", pets.model, "--model", tmp_path / "m.safetensors",
          *QUICK, *more, "--resume", saying="a training with --epochs 3, not 5, on top of 2 earlier ones:")


def test_from_the_first_epoch_all_may_learn(pets, tmp_path):
    train_from(pets, tmp_path / "m.safetensors", "--unfreeze-at", 1, "--epochs", 1, "--body-rate", 0.5)
    assert changed(weights(pets.model), weights(tmp_path / "m.safetensors"))


def test_frozen_layers_stay_as_they_are(pets, tmp_path):
    first = min(name.split(".")[0] for name in weights(pets.model) if name.startswith("conv"))
    train_from(pets, tmp_path / "m.safetensors", "--unfreeze-at", 1, "--epochs", 1, "--freeze", first)
    assert first not in changed(weights(pets.model), weights(tmp_path / "m.safetensors"))


def test_a_layer_that_is_not_there_is_named(pets, tmp_path):
    fails(1, "train", "--data", pets.data, "--from", pets.model, "--model", tmp_path / "m", "--freeze", "nowhere",
          saying="no layer named 'nowhere'")
    assert not (tmp_path / "m").exists()


def test_a_model_that_is_none_is_refused(pets, tmp_path):
    (tmp_path / "text").write_text("no model")
    fails(1, "train", "--data", pets.data, "--from", tmp_path / "text", "--model", tmp_path / "m",
          saying=str(tmp_path / "text"))


@pytest.mark.parametrize("option", [["--head", "linear"], ["--freeze", "all"], ["--unfreeze-at", 3],
                                    ["--body-rate", 0.1]])
def test_what_belongs_to_transfer_needs_from(pets, tmp_path, option):
    fails(2, "train", "--data", pets.data, "--model", tmp_path / "m", *option, saying="--from")
