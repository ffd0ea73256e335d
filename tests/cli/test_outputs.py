"""What stood where a command writes: it is kept unless it is a file of catdog's own."""
import json
import os
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from catdog import PROGRAM, fails, make_folder, run, succeeds, weights

TRAIN = ["--epochs", 1, "--batch", 20, "--threads", 2]


def train(pets, *more):
    return ["train", "--data", pets.test, "--val", "0.3", "--net", pets.net, *TRAIN, *more]


def commands(pets, out):
    """Each command that writes a file, with that file."""
    data = ["--data", pets.test]
    return {
        "train": train(pets, "--model", out),
        "history": train(pets, "--model", "/dev/null", "--history", out),
        "checkpoint": train(pets, "--model", "/dev/null", "--checkpoint", out),
        "quantize": ["quantize", "--model", pets.model, *data, "--out", out],
        "export": ["export", "--model", pets.model, "--out", out],
        "samples": ["samples", *data, "--count", 2, "--out", out],
        "augment-preview": ["augment-preview", *data, "--count", 1, "--changes", 1, "--size", 32, "--out", out],
    }


WRITERS = ["train", "history", "checkpoint", "quantize", "export", "samples", "augment-preview"]


def needs(writer):
    if writer in ("samples", "augment-preview") and os.environ.get("CNN_HAS_REPORT", "1") != "1":
        pytest.skip("needs cairo")
    if writer == "export" and os.environ.get("CNN_HAS_ONNX", "1") != "1":
        pytest.skip("needs protobuf-c")


@pytest.mark.parametrize("writer", WRITERS)
def test_a_strangers_file_is_replaced_with_force_alone_and_an_own_one_again(writer, pets, tmp_path):
    needs(writer)
    out = tmp_path / "out"
    photo = next((pets.data / "Cat").glob("*.jpg")).read_bytes()
    out.write_bytes(photo)
    command = commands(pets, out)[writer]
    fails(1, *command, saying="--force")
    assert out.read_bytes() == photo
    assert os.listdir(tmp_path) == ["out"]
    succeeds(*command, "--force")
    assert out.read_bytes() != photo
    succeeds(*command)
    out.write_bytes(b"")  # as mktemp leaves it
    succeeds(*command)
    assert out.stat().st_size


@pytest.mark.parametrize("writer", WRITERS)
def test_a_links_target_is_replaced_and_the_mode_stays(writer, pets, tmp_path):
    needs(writer)
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch(0o600)
    link.symlink_to("target")
    succeeds(*commands(pets, link)[writer])
    assert link.is_symlink() and target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["link", "target"]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_pipe_takes_the_bytes_or_is_refused_and_stays(writer, pets, tmp_path):
    needs(writer)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    if writer == "checkpoint":
        fails(1, *commands(pets, pipe)[writer], saying="read again")
    else:
        reader.start()
        succeeds(*commands(pets, pipe)[writer])
        reader.join()
        assert len(got[0]) > 50
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("writer", WRITERS)
def test_devices_and_sockets_stay(writer, pets, tmp_path, monkeypatch):
    needs(writer)
    if writer != "checkpoint":
        succeeds(*commands(pets, "/dev/null")[writer])
        assert run(*commands(pets, "/dev/full")[writer]).returncode == 1
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode) and stat.S_ISCHR(os.stat("/dev/full").st_mode)
    name = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # such names are short
        listener.bind("socket")
        fails(1, *commands(pets, name)[writer], saying="socket")
    assert stat.S_ISSOCK(name.stat().st_mode)


def test_a_history_on_standard_output_goes_where_it_stands_and_is_alone(pets, tmp_path):
    log = tmp_path / "log"
    with open(log, "wb") as file:
        file.write(b"before\n")
        file.flush()
        done = subprocess.run([PROGRAM, *map(str, train(pets, "--model", "/dev/null", "--history", "/dev/stdout"))],
                              stdout=file, stderr=subprocess.PIPE)
    lines = log.read_text().splitlines()
    assert done.returncode == 0
    assert lines[0] == "before" and lines[1].startswith("epoch,") and lines[2].startswith("1,")
    assert len(lines) == 3
    assert done.stderr.endswith(b"saved /dev/null\n")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "link"])
def test_a_model_on_standard_output_is_alone_there(name, pets, tmp_path):
    if name == "link":
        (tmp_path / "link").symlink_to("/dev/stdout")
        name = tmp_path / "link"
    trained = succeeds(*train(pets, "--model", name))
    (tmp_path / "m").write_bytes(trained.stdout)
    assert len(trained.stdout) == 8 + int.from_bytes(trained.stdout[:8], "little") + len(weights(pets.model))
    assert f"saved {name}" in trained.err
    succeeds("predict", "--model", tmp_path / "m", next(pets.test.rglob("*.jpg")))
    small = ["quantize", "--model", pets.model, "--data", pets.test, "--out"]
    succeeds(*small, tmp_path / "small")
    whole = (tmp_path / "small").read_bytes()
    for more in ([], ["--json"]):
        done = succeeds(*small, name, *more)
        assert done.stdout == whole and "images" in done.err and "after  " not in done.err
    assert json.loads(done.err[done.err.index("{"):])["bytes_after"] is None


@pytest.mark.parametrize("writer, name", [("samples", "s.jpg"), ("augment-preview", "s.pdf"), ("train", "m.onnx"),
                                          ("train", "m.pt"), ("history", "h.json"), ("checkpoint", "c.csv"),
                                          ("quantize", "m.ONNX"), ("export", "m.txt")])
def test_a_new_files_name_promises_no_other_format(writer, name, pets, tmp_path):
    needs(writer)
    fails(2, *commands(pets, tmp_path / name)[writer], saying="choose a name that ends in ." )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("writer", WRITERS)
def test_a_place_that_can_never_be_written_is_told_beforehand(writer, pets, tmp_path):
    needs(writer)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"")
    for name, saying in (("loop", "symbolic links"), ("n" * 300, "too long"), ("file/x", "is not a folder")):
        done = fails(1, *commands(pets, tmp_path / name)[writer], saying=saying)
        assert "training" not in done.err and len(done.err.splitlines()) == 1


@pytest.mark.parametrize("spelling", ["same", "dot", "link", "folder link"])
def test_two_outputs_are_not_one_file(spelling, pets, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").symlink_to("folder")
    (tmp_path / "folder" / "link").symlink_to("t")
    one = tmp_path / "folder" / "t"
    two = {"same": one, "dot": tmp_path / "folder" / "." / "t", "link": tmp_path / "folder" / "link",
           "folder link": tmp_path / "other" / "t"}[spelling]
    two = str(two) if spelling != "dot" else f"{tmp_path}/folder/./t"
    fails(2, *train(pets, "--model", one, "--history", two), saying="the same file")
    fails(2, *train(pets, "--model", one, "--checkpoint", two), saying="the same file")
    assert not one.exists()


def test_an_output_is_no_input(pets, tmp_path):
    model, listed = tmp_path / "m.safetensors", tmp_path / "list.csv"
    model.write_bytes(pets.model.read_bytes())
    listed.write_text("path,label\n" + "".join(f"{p},{p.parent.name}\n" for p in pets.test.rglob("*.jpg")))
    before = listed.read_bytes()
    fails(2, "train", "--data", pets.test, "--from", model, "--model", f"{tmp_path}/./m.safetensors", saying="the same file")
    fails(2, "train", "--data", listed, "--net", pets.net, "--model", listed, "--force", saying="the same file")
    shipped = Path(PROGRAM).parent / "models" / "cats-and-dogs.safetensors"
    fails(2, "train", "--data", pets.test, "--from", "shipped", "--model", shipped, saying="the same file")
    fails(2, "quantize", "--model", model, "--data", pets.test, "--out", f"{tmp_path}/./m.safetensors",
          saying="the same file")
    fails(2, "export", "--model", model, "--out", model, saying="the same file")
    assert listed.read_bytes() == before and model.read_bytes() == pets.model.read_bytes()


@pytest.mark.skipif(os.environ.get("CNN_HAS_REPORT", "1") != "1", reason="needs cairo and pango")
def test_pictures_are_not_written_among_the_photographs(pets, tmp_path):
    data = make_folder(tmp_path / "set", 2)
    before = sorted(data.rglob("*"))
    fails(2, "samples", "--data", data, "--out", data / "Cat" / "samples.png", saying="choose a place outside")
    fails(2, "augment-preview", "--data", data, "--out", data / "a.png", saying="choose a place outside")
    fails(2, "report", "--model", pets.model, "--data", ".", "--out", "report", cwd=data, saying="is inside --data")
    fails(2, "report", "--model", pets.model, "--data", data, "--out", f"{data}/Cat/../../set", saying="--data")
    assert sorted(data.rglob("*")) == before
    succeeds("samples", "--data", data, "--out", tmp_path / "set.png")


@pytest.mark.skipif(os.environ.get("CNN_HAS_ONNX", "1") != "1", reason="needs protobuf-c")
def test_calibrating_does_not_make_another_kind_of_file_of_a_model(pets, tmp_path):
    model = tmp_path / "m.onnx"
    succeeds("export", "--model", pets.model, "--out", model)
    before = model.read_bytes()
    for force in (), ("--force",):
        fails(1, "calibrate", "--model", model, "--data", pets.test, *force, saying="calibrate the model that it was exported")
        assert model.read_bytes() == before


@pytest.mark.skipif(os.environ.get("CNN_HAS_REPORT", "1") != "1", reason="needs cairo")
def test_a_report_replaces_its_own_files_alone(pets, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    command = ["report", "--model", pets.model, "--data", pets.test, "--out", out]
    (out / "index.html").write_text("mine")
    fails(1, *command, saying="--force")
    assert os.listdir(out) == ["index.html"] and (out / "index.html").read_text() == "mine"
    (out / "index.html").unlink()
    (out / "confusion.png").write_bytes(b"mine")
    fails(1, *command, saying="--force")
    assert (out / "confusion.png").read_bytes() == b"mine" and not (out / "index.html").exists()
    succeeds(*command, "--force")
    succeeds(*command)
    fails(2, *command[:-1], pets.test, saying="the same file")
    assert not list(out.glob("*.part")) and not list(out.glob(".*"))
