"""More than two classes, from training to prediction; and how sure a model is."""
import json
import shutil

import pytest

from catdog import as_json, fails, make_folder, notes, succeeds, weights

NAMES = ("Cat", "Dog", "Fox")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    root = tmp_path_factory.mktemp("zoo")
    make_folder(root / "train", 12, names=NAMES)
    make_folder(root / "test", 5, names=NAMES, start=100)
    succeeds("train", "--data", root, "--net", "catdog_net", "--width", 0.15, "--size", 32, "--epochs", 8, "--batch", 6,
             "--augment", "flip", "--model", root / "m", "--history", root / "h.csv")
    return root


def test_three_classes_are_learned(zoo):
    assert json.loads(notes(zoo / "m")["cnn.classes"]) == list(NAMES)
    figures = as_json("eval", "--model", zoo / "m", "--data", zoo / "test", "--json")
    assert figures["accuracy"] > 0.8 and figures["classes"] == list(NAMES)
    assert [len(row) for row in figures["confusion"]] == [3, 3, 3]
    assert [sum(row) for row in figures["confusion"]] == [5, 5, 5]
    for number, entry in enumerate(figures["per_class"]):
        assert entry["class"] == NAMES[number] and entry["images"] == 5
        assert entry["recall"] == pytest.approx(figures["confusion"][number][number] / 5)
    assert figures["recall"] == pytest.approx(sum(entry["recall"] for entry in figures["per_class"]) / 3)


def test_the_table_has_a_row_for_each_class(zoo):
    out = succeeds("eval", "--model", zoo / "m", "--data", zoo / "test").out
    assert "means over the classes" in out
    assert out.count("\nFox ") == 2


def test_training_names_the_classes(zoo, tmp_path):
    data = make_folder(tmp_path / "many", 2, names=[f"kind{n}" for n in range(8)])
    train = ["--net", "two_conv", "--size", 16, "--epochs", 1, "--model", tmp_path / "m"]
    assert "of kind0, kind1, kind2, kind3, kind4 and 3 more," in succeeds(
        "train", "--data", data, "--val", data, *train).err
    assert "of Cat, Dog and Fox," in succeeds("train", "--data", zoo, *train).err


def test_predictions_show_what_else_it_may_be(zoo):
    fox = zoo / "test" / "Fox" / "101.jpg"
    (line,) = (json.loads(line) for line in succeeds("predict", "--model", zoo / "m", "--json", fox).out.splitlines())
    assert line["label"] == "Fox" == line["candidates"][0]["label"]
    assert sum(candidate["confidence"] for candidate in line["candidates"]) == pytest.approx(1, abs=1e-4)
    assert {candidate["label"] for candidate in line["candidates"]} == set(NAMES)
    assert "Fox" in succeeds("predict", "--model", zoo / "m", fox).out


def test_a_killed_training_of_three_classes_resumes(zoo, tmp_path):
    train = ["train", "--data", zoo, "--net", "two_conv", "--size", 16, "--batch", 6, "--epochs", 2]
    succeeds(*train, "--model", tmp_path / "m", "--checkpoint", tmp_path / "state")
    succeeds(*train, "--model", tmp_path / "again", "--checkpoint", tmp_path / "state", "--resume")
    assert weights(tmp_path / "m") == weights(tmp_path / "again")


def test_wrong_labels_are_found_among_three_classes(zoo, tmp_path):
    data = tmp_path / "x"
    shutil.copytree(zoo / "test", data)
    shutil.copy(zoo / "train" / "Fox" / "3.jpg", data / "Cat" / "fox.jpg")
    issues = as_json("check", "--data", data, "--model", zoo / "m", "--json")["label_issues"]
    assert issues[0]["path"].endswith("Cat/fox.jpg") and issues[0]["suggested"] == "Fox"


def test_training_calibrates(zoo):
    assert 0.05 < float(notes(zoo / "m")["cnn.temperature"]) < 20
    assert "temperature" in succeeds("summary", "--model", zoo / "m").out


def test_a_model_is_calibrated_again_on_other_photographs(pets, tmp_path):
    model = tmp_path / "m"
    shutil.copy(pets.model, model)
    wrong = tmp_path / "wrong"
    shutil.copytree(pets.test / "Cat", wrong / "Dog")
    shutil.copytree(pets.test / "Dog", wrong / "Cat")
    found = as_json("calibrate", "--model", model, "--data", wrong, "--json")
    assert found["temperature"] > 1 and found["calibration_error"] < found["calibration_error_before"]
    assert float(notes(model)["cnn.temperature"]) == pytest.approx(found["temperature"], rel=1e-5)
    assert weights(model) == weights(pets.model)
    photo = pets.test / "Cat" / "100.jpg"
    before, after = (as_json("predict", "--model", m, "--json", photo) for m in (pets.model, model))
    assert before["label"] == after["label"] and after["confidence"] < before["confidence"]


def test_calibrating_keeps_mirror_images_in_the_model(pets, tmp_path):
    model = tmp_path / "m"
    shutil.copy(pets.model, model)
    out = succeeds("calibrate", "--model", model, "--data", pets.test, "--flip").out
    assert "temperature" in out and f"saved {model}" in out
    assert notes(model)["cnn.flip"] == "true"
    fails(2, "calibrate", "--model", model, saying="--data is missing")
