"""Files from strangers that are small and ask for much: each is read, or refused, within a gigabyte and ten seconds."""
import json
import os
import re
import struct
import subprocess
import sys

import pytest

import bombs
import bombs_files
from catdog import PROGRAM, SANITIZED, succeeds
from server import HAS_SERVE, serving

HAS_ONNX = os.environ.get("CNN_HAS_ONNX", "1") == "1"

pytestmark = pytest.mark.skipif(SANITIZED, reason="sanitizers take memory and time of their own")

MOST_MEMORY_KB, MOST_SECONDS = 1_000_000, 10

# A process begins with the size of the one that it came from: this one is small.
LAUNCHER = """
import json, os, sys
child = os.fork()
if not child:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss, usage.ru_utime + usage.ru_stime]))
"""


def spend(*arguments):
    """Runs catdog: its exit status, what it says, the most memory that it had, and the processor's seconds."""
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=True)
    text, last = done.stdout.decode(errors="replace").rstrip().rsplit("\n", 1)
    status, memory, seconds = json.loads(last)
    return status, text, memory, seconds


def check(name, *arguments):
    status, text, memory, seconds = spend(*arguments)
    assert status in (0, 1), (name, status, text)
    assert memory <= MOST_MEMORY_KB, f"{name}: {memory} kB"
    assert seconds <= MOST_SECONDS, f"{name}: {seconds:.1f} s"
    if "the limit is" in text or "may be" in text:
        assert re.search(r"raise|lifts it|cut it|make it smaller", text), f"{name}: names no remedy: {text}"
    return status, text, memory, seconds


def show(name, status, text, memory, seconds):
    print(f"{name}: {status}, {memory // 1000} MB, {seconds:.1f} s, {text.strip()[-200:]}")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    for name, content in bombs.photographs().items():
        (folder / name).write_bytes(content)
    with open(folder / "sparse.jpg", "wb") as sparse:
        sparse.truncate(3 << 30)
    return folder


def test_a_photograph_costs_what_its_size_explains(photographs, pets):
    for path in sorted(photographs.iterdir()):
        show(path.name, *check(path.name, "predict", "--model", pets.model, "--threads", 1, path))


def test_what_follows_the_last_row_costs_nothing(photographs, pets):
    for name in ("unpacks-to-gigabytes.png", "unpacks-to-gigabytes-interlaced.png"):
        status, text, _, seconds = spend("predict", "--model", pets.model, "--threads", 1, photographs / name)
        assert status == 1 and "its pixels go on behind the last row" in text, text
        assert seconds <= 2, f"{name}: {seconds:.1f} s"


def test_a_photograph_of_any_shape_costs_what_a_square_one_does(photographs, pets, tmp_path):
    costs = {}
    for name, size in {"square": (5370, 5370), "long": (65535, 440), "high": (440, 65535)}.items():
        path = tmp_path / f"{name}.png"
        path.write_bytes(bombs.png(*size, bombs.RGB, 8))
        costs[name] = check(name, "predict", "--model", pets.model, "--threads", 1, path)
    for name in ("long", "high"):
        for spent in (2, 3):
            assert costs[name][spent] <= 4 * costs["square"][spent], costs


def test_the_limit_of_pixels_can_be_changed(photographs, pets, monkeypatch):
    monkeypatch.setenv("CNN_MAX_PIXELS", "1000000")
    status, text, _, _ = spend("predict", "--model", pets.model, photographs / "flat.png")
    assert status == 1 and "is 65535×3000 pixels; the limit is 1000000" in text and "CNN_MAX_PIXELS" in text
    monkeypatch.setenv("CNN_MAX_PIXELS", "196605000")
    assert spend("predict", "--model", pets.model, photographs / "flat.png")[0] == 0


def test_many_photographs_at_once_cost_little(pets, tmp_path):
    path = tmp_path / "64-megapixels.png"
    path.write_bytes(bombs.png(8000, 8000))
    status, text, memory, _ = spend("predict", "--model", pets.model, "--threads", 8, *[path] * 8)
    assert status == 0, text
    assert memory <= 100_000


def test_a_model_costs_what_its_size_explains(photographs, pets, tmp_path):
    for name, content in bombs.models().items():
        path = tmp_path / name
        path.write_bytes(content)
        status, text, _, _ = check(name, "predict", "--model", path, photographs / "longest.png")
        assert status == 1, (name, text)


def test_data_cost_what_their_size_explains(tmp_path):
    for name, content in {**bombs_files.archives(), **bombs_files.lists()}.items():
        path = tmp_path / name
        path.write_bytes(content)
        show(name, *check(name, "check", "--data", path, "--threads", 2))
        path.unlink()


def test_folders_cost_what_is_in_them(tmp_path):
    for folder in bombs_files.make_folders(tmp_path):
        show(folder.name, *check(folder.name, "check", "--data", folder, "--threads", 2))


def test_nets_and_onnx_files_cost_what_their_size_explains(photographs, tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(32 << 20))
    for name, content in {**bombs_files.nets(), **(bombs_files.onnx_files() if HAS_ONNX else {})}.items():
        path = tmp_path / name
        path.write_bytes(content)
        status, *spent = check(name, "summary", "--net" if name.endswith("json") else "--model", path)
        show(name, status, *spent)
        assert status == 1, name


def test_quantised_models_checkpoints_and_histories_cost_what_their_size_explains(pets, tmp_path):
    quantised, checkpoint, history = tmp_path / "q", tmp_path / "c.state", tmp_path / "h.csv"
    succeeds("quantize", "--model", pets.model, "--data", pets.data, "--out", quantised)
    quantised.write_bytes(bombs_files.quantised_header(quantised.read_bytes()))
    assert check("int8", "summary", "--model", quantised)[0] == 1
    fit = ["train", "--data", pets.data, "--net", pets.net, "--epochs", 1, "--model", tmp_path / "m", "--threads", 1]
    for content in (struct.pack("<Q", 2**62), bombs.models()["many-tensors"], bombs.models()["tensor-of-exabytes"]):
        checkpoint.write_bytes(content)
        assert check("checkpoint", *fit, "--checkpoint", checkpoint, "--resume")[0] == 1
    check("augmentations", *fit, "--augment", ",".join(["rotation=20"] * 10_000))
    head = "epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,images\n"
    for content in (head + "1,1,1,1,1,1,1,1\n" * 300_000, head + "1" * 10_000_000, head + "1,1e999,nan,-inf,1,1,1,1\n"):
        history.write_text(content)
        show("history", *check("history", "report", "--model", pets.model, "--data", pets.test, "--history", history,
                               "--out", tmp_path / "out", "--threads", 1))


@pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd")
def test_requests_cost_what_their_size_explains(pets):
    with serving("--model", pets.model, "--threads", 1) as server:
        for name, content in bombs_files.requests().items():
            before = server.processor_seconds()
            try:
                answer = server.exchange(content)
            except ConnectionError:
                answer = b""
            seconds = server.processor_seconds() - before
            print(f"{name}: {answer[:60]}, {seconds:.1f} s")
            assert not answer or answer.startswith(b"HTTP/1.1 4"), (name, answer[:200])
            assert seconds <= MOST_SECONDS and server.get("/healthz").status == 200, (name, seconds)
        assert server.resident("VmHWM") <= MOST_MEMORY_KB << 10
