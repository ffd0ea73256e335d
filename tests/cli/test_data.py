"""What folders, names and lists mean: which photographs train, validate and are measured."""
import os
import shutil
import zipfile

import pytest

from catdog import HAS_ZIP, as_json, fails, make_folder, photograph, run, succeeds

needs_zip = pytest.mark.skipif(not HAS_ZIP, reason="built without libarchive")
QUICK = ["--net", "two_conv", "--size", 16, "--width", 0.25, "--epochs", 1, "--threads", 2]


@pytest.fixture(scope="module")
def divided(tmp_path_factory):
    """As Roboflow exports it: 12 photographs to train with, 6 to validate on, 4 for the test."""
    root = tmp_path_factory.mktemp("divided") / "data"
    for part, count, start in (("train", 6, 0), ("valid", 3, 20), ("test", 2, 40)):
        make_folder(root / part, count, start=start)
    return root


def write_list(data, path, split):
    rows = ["path;class;" + split]
    for photo in sorted(data.glob("*/*/*.jpg")):
        part, kind = photo.parts[-3:-1]
        rows.append(f"{photo.relative_to(path.parent)};{kind};{part}")
    path.write_text("\r\n".join(rows), encoding="utf-8-sig")
    return path


def every_command_uses_its_part(data, tmp_path):
    model = tmp_path / "m"
    said = succeeds("train", "--data", data, "--model", model, *QUICK).err
    assert f"{data} is divided into parts: 12 images for training, 6 for validation, 4 for 'catdog eval'" in said
    assert "on 12 photographs of Cat and Dog, validating on 6;" in said
    done = succeeds("eval", "--model", model, "--data", data, "--json")
    assert '"images": 4' in done.out and "has a test part: its 4 images are used" in done.err
    assert "has a validation part: its 6 images are used" in succeeds("calibrate", "--model", model, "--data", data).err
    assert "has a training part: its 12 images are used" in succeeds(
        "quantize", "--model", model, "--data", data, "--out", tmp_path / "q").err
    assert as_json("check", "--data", data, "--json")["images"] == 22


def test_train_valid_and_test_folders_are_parts(divided, tmp_path):
    every_command_uses_its_part(divided, tmp_path)


def test_a_split_column_divides_a_list(divided, tmp_path):
    shutil.copytree(divided, tmp_path / "data")
    every_command_uses_its_part(write_list(tmp_path / "data", tmp_path / "list.csv", "split"), tmp_path)


def test_tune_validates_on_the_validation_part(divided):
    said = succeeds("tune", "--data", divided, "--budget", "3s", "--epochs", 1, "--threads", 2, "--", *QUICK[:6]).err
    assert "12 images for training, 6 for validation, 4 for 'catdog eval'" in said


def test_training_says_that_a_test_part_alone_validates(divided, tmp_path):
    shutil.copytree(divided / "train", tmp_path / "x" / "train")
    shutil.copytree(divided / "test", tmp_path / "x" / "test")
    said = succeeds("train", "--data", tmp_path / "x", "--model", tmp_path / "m", *QUICK).err
    assert "12 images for training, the 4 of its test part for validation; for an unbiased test" in said
    said = succeeds("train", "--data", tmp_path / "x", "--val", 0.25, "--model", tmp_path / "m", *QUICK).err
    assert "12 images for training, 4 for 'catdog eval'" in said and "validating on 4;" in said


def test_flat_names_are_of_the_class_before_the_last_number(tmp_path):
    names = ["american_bulldog_12", "american_bulldog_7", "great_dane_3", "great_dane_4", "cat.0", "cat.1", "dog-1",
             "dog-2", "fox (1)", "fox (2)"]
    for number, name in enumerate(names):
        photograph(name, number).save(tmp_path / f"{name}.jpg")
    found = as_json("check", "--data", tmp_path, "--json")["classes"]
    assert found == {"american_bulldog": 2, "cat": 2, "dog": 2, "fox": 2, "great_dane": 2}


def test_a_missing_file_of_a_list_is_left_out(divided, tmp_path):
    shutil.copytree(divided / "train", tmp_path / "x")
    rows = [f"x/{kind}/{n},{kind}" for kind in ("Cat", "Dog") for n in range(6)]
    (tmp_path / "list.csv").write_text("\n".join(["id,breed", *rows, "x/Cat/none.jpg,Cat"]))
    assert "none.jpg: can't be opened: No such file" in succeeds("check", "--data", tmp_path / "list.csv").out
    done = succeeds("train", "--data", tmp_path / "list.csv", "--model", tmp_path / "m", *QUICK)
    assert "left out: " in done.err and "none.jpg" in done.err


def test_columns_that_mean_nothing_are_listed(tmp_path):
    (tmp_path / "list.csv").write_text("where,what\na.jpg,Cat\n")
    fails(1, "check", "--data", tmp_path / "list.csv", saying='has "where", "what": call the one with the files path')


def test_training_warns_of_photographs_that_are_there_twice(divided, tmp_path):
    data = tmp_path / "x"
    shutil.copytree(divided, data)
    shutil.copy(data / "train" / "Cat" / "0.jpg", data / "train" / "Dog" / "same.jpg")
    shutil.copy(data / "train" / "Cat" / "1.jpg", data / "valid" / "Cat" / "same.jpg")
    shutil.copy(data / "train" / "Dog" / "2.jpg", data / "test" / "Dog" / "same.jpg")
    said = succeeds("train", "--data", data, "--model", tmp_path / "m", *QUICK).err
    assert "warning: 1 photograph has two labels, such as " in said
    assert "train/Cat/0.jpg (Cat) and " in said and "train/Dog/same.jpg (Dog); 'catdog check' lists it" in said
    assert "warning: 1 of the validation photographs is also trained on, such as " in said
    assert "warning: 1 of the test photographs is also trained on, such as " in said
    found = succeeds("check", "--data", data).out
    assert ", and another label: Cat there, Dog here; one of them is wrong" in found
    assert "what is in the train" in found or "what is in the valid" in found


@needs_zip
def test_a_zip_that_unpacks_to_more_than_its_size_explains_needs_trust(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for kind in ("Cat", "Dog"):
            for number in range(3):
                archive.writestr(f"{kind}/{number}.jpg", bytes(60 << 20))
    said = fails(1, "check", "--data", path, saying="its 6 files would unpack to 377487360 bytes").err
    assert "--trust-data lifts it" in said
    assert "0.jpg: is nothing but zero bytes, not JPEG or PNG" in run("check", "--data", path, "--trust-data").out


def test_what_the_kernel_shows_is_no_data():
    for path in ("/proc/self", "/sys/class"):
        fails(1, "check", "--data", path, saying="the system shows its own state there")


@pytest.mark.skipif(os.environ.get("CNN_HAS_REPORT", "1") != "1", reason="needs cairo")
def test_pictures_that_catdog_drew_are_named_among_the_photographs(divided, tmp_path):
    data = tmp_path / "x"
    shutil.copytree(divided / "train", data)
    assert "drawn by catdog" not in succeeds("check", "--data", data).err
    succeeds("samples", "--data", data, "--out", tmp_path / "samples.png")
    shutil.copy(tmp_path / "samples.png", data / "Cat")
    said = succeeds("check", "--data", data).err
    assert f"warning: 1 of the images was drawn by catdog, such as {data}/Cat/samples.png;" in said


def test_the_oxford_pets_are_of_the_breeds_in_their_names(tmp_path):
    images, masks = tmp_path / "pets" / "images", tmp_path / "pets" / "annotations" / "trimaps"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for name in ("Abyssinian_1", "Abyssinian_100", "american_bulldog_1", "american_bulldog_10"):
        photograph(name, 1).save(images / f"{name}.jpg")
        photograph(name, 2).save(masks / f"{name}.png")
    (images / "Abyssinian_100.mat").write_bytes(b"x")
    for path in (images, tmp_path / "pets"):
        assert as_json("check", "--data", path, "--json")["classes"] == {"Abyssinian": 2, "american_bulldog": 2}
