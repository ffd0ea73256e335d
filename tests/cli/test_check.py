import json
import shutil

import pytest
from PIL import Image

from catdog import HAS_ZIP, as_json, fails, make_folder, photograph, run, succeeds


@pytest.fixture
def faulty(tmp_path):
    data = make_folder(tmp_path / "pets", 5)
    (data / "Cat" / "empty.jpg").write_bytes(b"")
    (data / "Cat" / "cut.jpg").write_bytes((data / "Cat" / "1.jpg").read_bytes()[:400])
    Image.new("P", (20, 20)).save(data / "Dog" / "gif.jpg", format="GIF")
    Image.new("RGB", (20, 20)).save(data / "Dog" / "bmp.jpg", format="BMP")
    photograph("Dog", 77).save(data / "Dog" / "really a png.jpg", format="PNG")
    shutil.copy(data / "Dog" / "2.jpg", data / "Dog" / "copy.jpg")
    return data


def test_json_lists_every_fault_with_its_reason(faulty):
    found = as_json("check", "--data", faulty, "--json")
    assert set(found) == {"images", "classes", "bad"}
    assert found["images"] == 16 and found["classes"] == {"Cat": 7, "Dog": 9}
    reasons = {entry["path"].split("/")[-1]: entry["reason"] for entry in found["bad"]}
    assert set(reasons) == {"empty.jpg", "cut.jpg", "gif.jpg", "bmp.jpg", "really a png.jpg", "copy.jpg"}
    assert len(found["bad"]) == 6
    assert "empty" in reasons["empty.jpg"] and "GIF" in reasons["gif.jpg"] and "BMP" in reasons["bmp.jpg"]
    assert "PNG" in reasons["really a png.jpg"] and "2.jpg" in reasons["copy.jpg"]


def test_the_list_for_people(faulty):
    done = succeeds("check", "--data", faulty)
    assert done.out.count("\n") == 8
    assert "16 images: 7 Cat, 9 Dog; 6 of them with a fault" in done.out


def test_sound_data(pets):
    assert succeeds("check", "--data", pets.data).out == "40 images: 20 Cat, 20 Dog; all are sound\n"


def test_both_parts_of_a_pair_are_checked(tmp_path):
    make_folder(tmp_path / "set" / "train", 3)
    make_folder(tmp_path / "set" / "test", 2, start=10)
    found = as_json("check", "--data", tmp_path / "set", "--json")
    assert found["images"] == 10 and found["bad"] == []


def test_a_class_of_which_nothing_is_left_is_a_finding(tmp_path):
    data = make_folder(tmp_path / "x", 2)
    for path in (data / "Dog").iterdir():
        path.write_bytes(b"x")
    done = run("check", "--data", data, "--json")
    assert done.returncode == 0 and len(json.loads(done.out)["bad"]) == 2
    assert "Dog" in done.err


@pytest.mark.skipif(not HAS_ZIP, reason="built without libarchive")
def test_a_zip_is_checked_where_it_lies(faulty, tmp_path):
    zipped = shutil.make_archive(str(tmp_path / "photos"), "zip", faulty.parent, "pets")
    found = as_json("check", "--data", zipped, "--json")
    assert found["images"] == 16 and len(found["bad"]) == 6
    assert all(entry["path"].startswith(f"{zipped}!/") for entry in found["bad"])


def test_a_model_finds_wrong_labels(pets, tmp_path):
    data = make_folder(tmp_path / "pets", 8, start=300)
    for number, other in ((1, "Cat"), (2, "Dog")):
        photograph("Dog" if other == "Cat" else "Cat", 900 + number).save(data / other / f"wrong{number}.png")
    found = as_json("check", "--data", data, "--model", pets.model, "--json")
    assert [s["path"].split("/")[-1] for s in found["label_issues"][:2]] in (["wrong1.png", "wrong2.png"],
                                                                         ["wrong2.png", "wrong1.png"])
    assert len(found["label_issues"]) == 2 and found["bad"] == []
    first = found["label_issues"][0]
    assert {first["label"], first["suggested"]} == {"Cat", "Dog"}
    assert first["probability"] > 0.5 and first["loss"] >= found["label_issues"][1]["loss"]
    out = succeeds("check", "--data", data, "--model", pets.model).out
    assert "wrong1.png: is labelled Cat, looks like Dog (" in out


def test_labels_of_other_classes_cannot_be_judged(pets, tmp_path):
    fails(1, "check", "--data", make_folder(tmp_path / "x", 2, names=("Cat", "Fox")), "--model", pets.model, saying="fox")
    fails(2, "check", "--data", pets.data, "--flip", saying="--model")


def test_hundreds_of_classes_can_be_checked_and_trained_on(tmp_path, pets):
    for n in range(300):
        (tmp_path / "many" / f"class{n:03}").mkdir(parents=True)
        shutil.copy(pets.data / "Cat" / "1.jpg", tmp_path / "many" / f"class{n:03}" / "1.jpg")
    assert len(as_json("check", "--data", tmp_path / "many", "--json")["classes"]) == 300
    succeeds("train", "--data", tmp_path / "many", "--val", tmp_path / "many", "--net", "two_conv", "--size", 16,
             "--epochs", 1, "--model", tmp_path / "m")
    fails(1, "train", "--data", tmp_path / "many", "--net", pets.net, "--model", tmp_path / "m",
          saying="must end in 300 logits")


def test_nested_hidden_and_other_files(tmp_path):
    data = make_folder(tmp_path / "pets", 3)
    (data / "readme[1].txt").write_text("read me")
    (data / "Cat" / "Thumbs.db").write_bytes(b"thumbs")
    (data / "Cat" / ".hidden.jpg").write_bytes(b"hidden")
    (data / ".git").mkdir()
    photograph("cat", 1).save(data / ".git" / "1.jpg")
    (data / "Cat" / "indoors").mkdir()
    photograph("cat", 55).save(data / "Cat" / "indoors" / "55.jpg")
    found = as_json("check", "--data", data, "--json")
    assert found["classes"] == {"Cat": 4, "Dog": 3} and found["bad"] == []


def test_links_that_lead_nowhere_or_round_in_circles(tmp_path):
    data = make_folder(tmp_path / "pets", 3)
    (data / "Cat" / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (data / "Cat" / "round").symlink_to(data)
    done = run("check", "--data", data, "--json")
    assert done.returncode == 0
    assert json.loads(done.out)["classes"]["Dog"] == 3


def test_standard_output_that_is_full(pets):
    with open("/dev/full", "wb") as full:
        done = run("check", "--data", pets.data, stdout=full)
    assert done.returncode == 1 and "No space left" in done.err
