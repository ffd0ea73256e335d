import json
import re

import pytest

from catdog import fails, succeeds

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
