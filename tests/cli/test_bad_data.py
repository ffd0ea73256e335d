"""Data and models that can't be used: a sentence, exit status 1, nothing else."""
import os
import shutil
import stat
import struct
import zipfile

import pytest

from catdog import HAS_ZIP, fails, make_folder, photograph, run, succeeds, weights

needs_zip = pytest.mark.skipif(not HAS_ZIP, reason="built without libarchive")


def refused(pets, data, saying=""):
    """By each command that takes data."""
    fails(1, "check", "--data", data, saying=saying)
    fails(1, "eval", "--model", pets.model, "--data", data, saying=saying)
    fails(1, "train", "--data", data, "--net", pets.net, "--model", pets.root / "never", saying=saying)
    assert not (pets.root / "never").exists()


def test_a_path_that_is_not_there(pets, tmp_path):
    refused(pets, tmp_path / "nowhere", "nowhere")


def test_an_empty_folder(pets, tmp_path):
    refused(pets, tmp_path)


def test_one_class(pets, tmp_path):
    refused(pets, make_folder(tmp_path / "x", 2, names=("Cat",)), "class")


def test_an_empty_class(pets, tmp_path):
    data = make_folder(tmp_path / "x", 2, names=("Cat",))
    (data / "Dog").mkdir()
    refused(pets, data)


def test_an_empty_class_beside_two_others_is_noted_once(pets, tmp_path):
    data = make_folder(tmp_path / "x", 2)
    (data / "Horse").mkdir()
    done = run("check", "--data", data)
    assert done.returncode == 0
    assert done.err.count("Horse/: holds no images") == 1


def test_a_photograph_in_place_of_a_folder(pets):
    refused(pets, pets.data / "Cat" / "1.jpg")


@pytest.mark.parametrize("text, saying", [
    ("", ""),
    ("path,label\n", ""),
    ("where,kind\na.jpg,Cat\n", "path"),
    ("path,label\nCat/1.jpg\nDog/1.jpg,Dog\n", "list.csv:2"),
    ("path,label\nCat/1.jpg,Cat\n", "class"),
])
def test_lists_that_are_wrong(pets, tmp_path, text, saying):
    data = make_folder(tmp_path / "x", 2)
    (data / "list.csv").write_text(text)
    refused(pets, data / "list.csv", saying)


def test_a_list_of_files_that_are_not_there(pets, tmp_path):
    data = make_folder(tmp_path / "x", 2)
    (data / "list.csv").write_text("path,label\nCat/1.jpg,Cat\nCat/none.jpg,Cat\nDog/1.jpg,Dog\n")
    done = run("check", "--data", data / "list.csv")
    assert "none.jpg" in done.out + done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(pets, tmp_path):
    data = make_folder(tmp_path / "x", 3)
    (data / "Cat" / "1.jpg").chmod(0)
    done = run("eval", "--model", pets.model, "--data", data)
    assert done.returncode == 0 and "1.jpg" in done.err


@needs_zip
def test_zips_that_are_no_zips(pets, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\3\4" + bytes(100))
    refused(pets, broken, "broken.zip")
    whole = shutil.make_archive(str(tmp_path / "whole"), "zip", pets.root, "more")
    broken.write_bytes(open(whole, "rb").read()[:-400])
    refused(pets, broken, "broken.zip")


@needs_zip
@pytest.mark.skipif(os.environ.get("CNN_LINKS_LIBARCHIVE") == "1", reason="a static build, which links it")
def test_a_zip_where_libarchive_is_broken(pets, tmp_path):
    """The library is loaded when a zip is opened: everything else works without it."""
    (tmp_path / "libarchive.so.13").touch()
    whole = shutil.make_archive(str(tmp_path / "whole"), "zip", pets.root, "more")
    without = {"LD_LIBRARY_PATH": str(tmp_path)}
    succeeds("check", "--data", pets.root / "more", env=without)
    fails(1, "check", "--data", whole, env=without, saying="libarchive.so.13, which can't be loaded")


@needs_zip
def test_a_zip_with_paths_that_lead_out_of_it(pets, tmp_path):
    hostile = tmp_path / "in" / "hostile.zip"
    hostile.parent.mkdir()
    photo = (pets.data / "Cat" / "1.jpg").read_bytes()
    with zipfile.ZipFile(hostile, "w") as archive:
        for n in range(3):
            archive.writestr(f"pets/Cat/{n}.jpg", photo + bytes(n))
            archive.writestr(f"pets/Dog/{n}.jpg", photo + bytes(n + 10))
        archive.writestr("../evil.jpg", photo)
        archive.writestr("/tmp/catdog-evil.jpg", photo)
        link = zipfile.ZipInfo("pets/Cat/link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    for command in (["check", "--json"], ["eval", "--model", pets.model]):
        done = run(*command, "--data", hostile)
        assert done.returncode in (0, 1) and "passwd" not in done.out and "root:" not in done.out + done.err
    assert not (tmp_path / "evil.jpg").exists() and not os.path.exists("/tmp/catdog-evil.jpg")


@needs_zip
def test_an_encrypted_zip(pets, tmp_path):
    path = tmp_path / "locked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for kind in ("Cat", "Dog"):
            for n in range(2):
                archive.writestr(f"{kind}/{n}.jpg", b"secret" * 10)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag that says so, in both headers
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(data)
    done = run("check", "--data", path)
    assert "encrypted" in done.out + done.err


@needs_zip
def test_a_bomb_in_a_zip_takes_no_memory(pets, tmp_path):
    path = tmp_path / "bomb.zip"
    photo = (pets.data / "Cat" / "1.jpg").read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind in ("Cat", "Dog"):
            archive.writestr(f"{kind}/1.jpg", photo + kind.encode())
        with archive.open("Cat/bomb.jpg", "w") as bomb:
            for _ in range(200):
                bomb.write(bytes(1 << 20))
    done = run("check", "--data", path)
    assert done.returncode == 0 and "bomb.jpg" in done.out


def every_command_with_a_model(pets, model, saying=""):
    photo = pets.test / "Cat" / "100.jpg"
    fails(1, "predict", "--model", model, photo, saying=saying)
    fails(1, "eval", "--model", model, "--data", pets.test, saying=saying)
    fails(1, "summary", "--model", model, saying=saying)


def test_a_model_that_is_not_there(pets, tmp_path):
    every_command_with_a_model(pets, tmp_path / "no.safetensors", "no.safetensors")


def test_a_model_that_is_a_folder(pets, tmp_path):
    every_command_with_a_model(pets, tmp_path)


def test_a_photograph_in_place_of_a_model(pets):
    every_command_with_a_model(pets, pets.test / "Cat" / "100.jpg")


def test_truncated_models(pets, tmp_path):
    whole = pets.model.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    cut = tmp_path / "cut.safetensors"
    for length in [*range(10), header // 2, header - 1, header, header + 1, (header + len(whole)) // 2, len(whole) - 1]:
        cut.write_bytes(whole[:length])
        fails(1, "predict", "--model", cut, pets.test / "Cat" / "100.jpg", saying="cut.safetensors")


def test_models_with_a_byte_changed_never_crash(pets, tmp_path):
    whole = pets.model.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    changed = tmp_path / "changed.safetensors"
    for at in range(0, header, header // 60):
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1:])
        assert run("predict", "--model", changed, pets.test / "Cat" / "100.jpg").returncode in (0, 1)


def test_a_model_whose_header_is_too_long_or_too_deep(pets, tmp_path):
    path = tmp_path / "deep.safetensors"
    for header in (b"[" * 100000, b'{"a":' * 50000, b"{}"):
        path.write_bytes(struct.pack("<Q", len(header)) + header)
        fails(1, "summary", "--model", path, saying="deep.safetensors")
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    fails(1, "summary", "--model", path, saying="deep.safetensors")


def test_validation_data_that_can_not_be_used(pets, tmp_path):
    fails(1, "train", "--data", pets.data, "--val", tmp_path / "no", "--model", tmp_path / "m", saying="no")
    make_folder(tmp_path / "cars", 2, names=("Car", "Boat"))
    fails(1, "train", "--data", pets.data, "--val", tmp_path / "cars", "--model", tmp_path / "m", saying="boat")


def test_a_checkpoint_that_is_none(pets, tmp_path):
    (tmp_path / "c").write_bytes(b"no checkpoint")
    done = run("train", "--data", pets.data, "--net", pets.net, "--model", tmp_path / "m", "--epochs", 1,
               "--checkpoint", tmp_path / "c", "--resume")
    assert done.returncode == 1 and "catdog: " in done.err
    assert (tmp_path / "c").read_bytes() == b"no checkpoint"
