import math
import shutil

import pytest

from catdog import HAS_ZIP, as_json, fails, make_folder, photograph, run, succeeds

KEYS = {"images", "skipped", "loss", "accuracy", "precision", "recall", "f1", "auc", "confusion", "classes",
        "calibration_error", "per_class"}


def test_json_has_every_figure(pets):
    figures = as_json("eval", "--model", pets.model, "--data", pets.test, "--json")
    assert set(figures) == KEYS
    assert (figures["images"], figures["skipped"], figures["classes"]) == (12, 0, ["Cat", "Dog"])
    (a, b), (c, d) = figures["confusion"]
    assert a + b == 6 and c + d == 6
    assert figures["accuracy"] == pytest.approx((a + d) / 12)
    assert figures["accuracy"] > 0.9 and figures["auc"] > 0.9
    assert [c["class"] for c in figures["per_class"]] == ["Cat", "Dog"]
    assert figures["per_class"][1]["precision"] == figures["precision"]
    assert 0 <= figures["calibration_error"] < 0.5
    assert figures["precision"] == pytest.approx(d / (b + d)) and figures["recall"] == pytest.approx(d / (c + d))


def test_the_table_shows_the_same(pets):
    done = succeeds("eval", "--model", pets.model, "--data", pets.test)
    for word in ("images             12\n", "loss", "accuracy", "precision", "recall", "f1", "auc", "calibration error",
                 "Cat", "Dog"):
        assert word in done.out
    assert done.err == ""


def test_a_threshold_changes_what_is_decided(pets):
    low = as_json("eval", "--model", pets.model, "--data", pets.test, "--json", "--threshold", "1e-6")
    high = as_json("eval", "--model", pets.model, "--data", pets.test, "--json", "--threshold", "0.999999")
    assert low["recall"] == 1 and low["confusion"][0][1] == 6
    assert high["confusion"][1][0] == 6
    assert low["auc"] == high["auc"]


def test_bad_files_are_named_and_counted(pets, tmp_path):
    data = shutil.copytree(pets.test, tmp_path / "data")
    (data / "Cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    done = run("eval", "--model", pets.model, "--data", data, "--json")
    assert done.returncode == 0 and '"skipped": 1' in done.out and '"images": 12' in done.out
    assert done.err.count("broken.jpg") == 1


def test_a_list_gives_the_same_as_its_folder(pets):
    rows = [f"{kind}/{n}.jpg,{kind}" for kind in ("Dog", "Cat") for n in range(100, 106)]
    (pets.test / "list.csv").write_text("path,label\n" + "\n".join(rows) + "\n")
    from_list = as_json("eval", "--model", pets.model, "--data", pets.test / "list.csv", "--json")
    (pets.test / "list.csv").unlink()
    assert from_list == as_json("eval", "--model", pets.model, "--data", pets.test, "--json")


@pytest.mark.skipif(not HAS_ZIP, reason="built without libarchive")
def test_a_zip_gives_the_same_as_its_folder(pets, tmp_path):
    zipped = shutil.make_archive(str(tmp_path / "photos"), "zip", pets.root, "more")
    assert as_json("eval", "--model", pets.model, "--data", zipped, "--json") == as_json(
        "eval", "--model", pets.model, "--data", pets.test, "--json")


def test_the_test_part_of_a_pair_is_used(pets, tmp_path):
    make_folder(tmp_path / "set" / "train", 5)
    make_folder(tmp_path / "set" / "test", 2)
    done = succeeds("eval", "--model", pets.model, "--data", tmp_path / "set", "--json")
    assert '"images": 4' in done.out
    assert "has a test part: its 4 images are used" in done.err


def test_parts_need_no_training_part(pets, tmp_path):
    make_folder(tmp_path / "set" / "valid", 3)
    make_folder(tmp_path / "set" / "test", 2)
    done = succeeds("eval", "--model", pets.model, "--data", tmp_path / "set")
    assert "has a test part: its 4 images are used" in done.err
    fails(1, "train", "--data", tmp_path / "set", "--model", tmp_path / "m", saying="no training part")


def test_the_training_part_is_not_measured_unsaid(pets, tmp_path):
    make_folder(tmp_path / "set" / "train", 3)
    make_folder(tmp_path / "set" / "test", 2, names=("",))
    for command in (["eval", "--model", pets.model], ["check"]):
        said = succeeds(*command, "--data", tmp_path / "set").err
        assert said.count("the images of its part test are in no classes") == 1, said


def test_other_classes_are_refused(pets, tmp_path):
    make_folder(tmp_path / "cars", 2, names=("Car", "Boat"))
    fails(1, "eval", "--model", pets.model, "--data", tmp_path / "cars", saying="boat")


def test_three_classes_are_refused(pets, tmp_path):
    make_folder(tmp_path / "x", 2, names=("Car", "Cat", "Dog"))
    fails(1, "eval", "--model", pets.model, "--data", tmp_path / "x", saying="car")


def test_a_class_of_broken_files_only(pets, tmp_path):
    data = make_folder(tmp_path / "x", 2)
    for path in (data / "Dog").iterdir():
        path.write_bytes(b"")
    fails(1, "eval", "--model", pets.model, "--data", data, saying="dog")


def test_mirror_images_and_another_size_can_be_asked_for(pets, tmp_path):
    model = tmp_path / "m"
    succeeds("train", "--data", pets.data, "--val", pets.test, "--net", "catdog_net", "--width", 0.1, "--size", 32,
             "--epochs", 2, "--batch", 8, "--model", model)
    evaluate = ["eval", "--model", model, "--data", pets.test, "--json"]
    losses = {as_json(*evaluate, *more)["loss"] for more in ([], ["--flip"], ["--size", 48], ["--flip", "--size", 48])}
    assert len(losses) == 4
    predict = ["predict", "--model", model, "--json", pets.test / "Cat" / "100.jpg"]
    confidences = {as_json(*predict, *more)["confidence"] for more in ([], ["--flip"], ["--size", 48])}
    assert len(confidences) == 3
    fails(1, "eval", "--model", pets.model, "--data", pets.test, "--size", 48, saying="for one size of image")


def test_threads_change_nothing(pets):
    one, two = (as_json("eval", "--model", pets.model, "--data", pets.test, "--json", "--threads", n) for n in (1, 2))
    assert one == two and math.isfinite(one["loss"])


def test_standard_output_that_is_full(pets):
    with open("/dev/full", "wb") as full:
        done = run("eval", "--model", pets.model, "--data", pets.test, "--json", stdout=full)
    assert done.returncode == 1 and "No space left" in done.err


def test_a_photograph_of_another_size_and_shape(pets, tmp_path):
    data = make_folder(tmp_path / "x", 2)
    photograph("Cat", 1, (90, 31)).save(data / "Cat" / "wide.png")
    photograph("Dog", 1, (3, 70)).save(data / "Dog" / "tall.png")
    assert as_json("eval", "--model", pets.model, "--data", data, "--json")["images"] == 6
