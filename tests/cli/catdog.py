"""Runs the catdog program, and makes small photographs for it."""
import json
import os
import random
import subprocess
from pathlib import Path

from PIL import Image

PROGRAM = os.environ.get("CNN_CATDOG", "catdog")
SAMPLE = Path(__file__).parents[2] / "examples/catdog/sample"
HAS_ZIP = os.environ.get("CNN_HAS_ZIP", "1") == "1"
SANITIZED = b"__asan_init" in Path(PROGRAM).read_bytes() or b"__tsan_init" in Path(PROGRAM).read_bytes()

TINY_NET = {
    "layers": [
        {"name": "input", "type": "input", "shape": [16, 16, 3]},
        {"name": "conv", "type": "conv2d", "filters": 8},
        {"name": "relu", "type": "relu"},
        {"name": "pool", "type": "max_pool2d"},
        {"name": "flatten", "type": "flatten"},
        {"name": "drop", "type": "dropout", "rate": 0.1},
        {"name": "logit", "type": "dense", "units": 1},
    ],
    "output": "logit",
}


def run(*arguments, stdin=b"", env=None, **more):
    """Runs catdog; the result's `out` and `err` are text."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin,
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        timeout=120,
        **more,
    )
    done.out = (done.stdout or b"").decode(errors="surrogateescape")
    done.err = done.stderr.decode(errors="surrogateescape")
    return done


def succeeds(*arguments, **more):
    done = run(*arguments, **more)
    assert done.returncode == 0, done.err
    return done


def fails(status, *arguments, saying="", **more):
    """Expects that exit status, one sentence (and a hint) on standard error, nothing on standard output."""
    done = run(*arguments, **more)
    assert done.returncode == status, (done.returncode, done.out, done.err)
    assert done.out == ""
    assert "catdog: " in done.err
    assert saying.lower() in done.err.lower(), done.err
    return done


def as_json(*arguments, **more):
    return json.loads(succeeds(*arguments, **more).out)


def photograph(kind, number, size=(24, 20)):
    """Cats are red, foxes green, dogs (and all else) blue; each has its own noise."""
    rng = random.Random(f"{kind} {number}")
    base = {"cat": (190, 60, 60), "fox": (60, 190, 60)}.get(kind.lower()[:3], (60, 60, 190))
    image = Image.new("RGB", size)
    image.putdata([tuple(min(255, max(0, c + rng.randint(-50, 50))) for c in base) for _ in range(size[0] * size[1])])
    return image


def make_folder(path, count=20, names=("Cat", "Dog"), start=0):
    for name in names:
        (path / name).mkdir(parents=True, exist_ok=True)
        for number in range(start, start + count):
            photograph(name, number).save(path / name / f"{number}.jpg", quality=90)
    return path


def notes(path):
    """What a model file says beside its weights."""
    data = Path(path).read_bytes()
    return json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"]


def weights(path):
    """The bytes of a model's weights, without its notes, which hold times."""
    data = Path(path).read_bytes()
    return data[8 + int.from_bytes(data[:8], "little"):]


def wait_for(process, text):
    """Reads what it says on standard error, until the text has come."""
    seen = b""
    while text not in seen:
        byte = process.stderr.read(1)
        assert byte, seen
        seen += byte
