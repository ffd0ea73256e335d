import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from catdog import HAS_ZIP, PROGRAM, SANITIZED, fails, photograph, run, succeeds


def cat(pets, number=100):
    return pets.test / "Cat" / f"{number}.jpg"


def dog(pets, number=100):
    return pets.test / "Dog" / f"{number}.jpg"


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_table_is_aligned(pets, tmp_path):
    longer = tmp_path / "a much longer name of a dog.jpg"
    shutil.copy(dog(pets), longer)
    shutil.copy(cat(pets), tmp_path / "c.jpg")
    done = succeeds("predict", "--model", pets.model, tmp_path / "c.jpg", longer)
    first, second = done.out.splitlines()
    assert first.startswith(f"{tmp_path / 'c.jpg'} ") and second.startswith(f"{longer}  Dog ")
    assert first.index("Cat") == second.rindex("Dog") and first.endswith(" %")
    assert done.err == ""


def test_json_is_an_object_a_line(pets):
    done = succeeds("predict", "--model", pets.model, "--json", cat(pets), dog(pets))
    a, b = lines(done.out)
    assert set(a) == {"path", "label", "confidence"}
    assert (a["path"], a["label"], b["label"]) == (str(cat(pets)), "Cat", "Dog")
    assert 0.5 <= a["confidence"] <= 1


def test_csv_quotes_what_needs_it(pets, tmp_path):
    odd = tmp_path / 'a "big", cat.jpg'
    shutil.copy(cat(pets), odd)
    done = run("predict", "--model", pets.model, "--csv", odd, tmp_path / "none.jpg")
    rows = list(csv.reader(io.StringIO(done.out)))
    assert rows[0] == ["path", "label", "confidence", "error"]
    assert rows[1][:2] == [str(odd), "Cat"] and 0.5 <= float(rows[1][2]) <= 1 and rows[1][3] == ""
    assert rows[2][:3] == [str(tmp_path / "none.jpg"), "", ""] and "No such file" in rows[2][3]
    assert done.returncode == 1


def test_a_folder_is_looked_through_in_order(pets):
    done = succeeds("predict", "--model", pets.model, "--json", pets.test)
    results = lines(done.out)
    assert len(results) == 12
    assert [r["path"] for r in results] == sorted(r["path"] for r in results)
    assert {r["label"] for r in results if "/Cat/" in r["path"]} == {"Cat"}


@pytest.mark.skipif(not HAS_ZIP, reason="built without libarchive")
def test_a_zip_gives_the_same_as_its_folder(pets, tmp_path):
    zipped = shutil.make_archive(str(tmp_path / "photos"), "zip", pets.test)
    inside = lines(succeeds("predict", "--model", pets.model, "--json", zipped).out)
    outside = lines(succeeds("predict", "--model", pets.model, "--json", pets.test).out)
    assert [(r["label"], r["confidence"]) for r in inside] == [(r["label"], r["confidence"]) for r in outside]
    assert inside[0]["path"] == f"{zipped}!/Cat/100.jpg"


def test_standard_input(pets):
    done = succeeds("predict", "--model", pets.model, "--json", "-", stdin=cat(pets).read_bytes())
    result = json.loads(done.out)
    assert (result["path"], result["label"]) == ("-", "Cat")
    same = json.loads(succeeds("predict", "--model", pets.model, "--json", cat(pets)).out)
    assert same["confidence"] == result["confidence"]


def test_standard_input_of_nothing_and_of_nonsense(pets):
    fails(1, "predict", "--model", pets.model, "-", stdin=b"")
    fails(1, "predict", "--model", pets.model, "-", stdin=b"nonsense" * 100)


def test_standard_input_that_does_not_end(pets):
    with open("/dev/zero", "rb") as zeros:
        done = subprocess.run([PROGRAM, "predict", "--model", pets.model, "-"], stdin=zeros, capture_output=True,
                              timeout=60)
    assert done.returncode == 1 and b"catdog: " in done.stderr


def test_the_others_are_done_after_a_bad_one(pets, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"GIF89a" + bytes(50))
    done = run("predict", "--model", pets.model, "--json", bad, cat(pets), tmp_path / "none.jpg", dog(pets))
    results = lines(done.out)
    assert done.returncode == 1
    assert [sorted(r) for r in results] == [["error", "path"], ["confidence", "label", "path"]] * 2
    assert "GIF" in results[0]["error"] and results[3]["label"] == "Dog"


def test_errors_of_the_table_go_to_standard_error(pets, tmp_path):
    done = run("predict", "--model", pets.model, tmp_path / "none.jpg", cat(pets))
    assert done.returncode == 1
    assert done.out.count("\n") == 1 and "Cat" in done.out
    assert "none.jpg" in done.err and "1 of 2 photographs" in done.err


def test_a_folder_in_place_of_a_photograph_and_an_empty_one(pets, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("predict", "--model", pets.model, "--json", tmp_path / "empty", cat(pets))
    first, second = lines(done.out)
    assert done.returncode == 1 and "error" in first and second["label"] == "Cat"


@pytest.mark.parametrize("name", ["Kätzchen 猫.jpg", "new\nline\033[31m.jpg", "blank .jpg", "-dash.jpg"])
def test_odd_names(pets, tmp_path, name):
    shutil.copy(cat(pets), tmp_path / name)
    result = json.loads(succeeds("predict", "--model", pets.model, "--json", tmp_path / name).out)
    assert result["path"] == str(tmp_path / name) and result["label"] == "Cat"
    table = succeeds("predict", "--model", pets.model, tmp_path / name).out
    assert table.count("\n") == 1 and "\033" not in table
    missing = fails(1, "predict", "--model", pets.model, str(tmp_path / name) + "x")
    assert "\033" not in missing.err


def test_a_name_that_is_not_utf8(pets, tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    shutil.copy(cat(pets), os.fsdecode(name))
    done = subprocess.run([PROGRAM, "predict", "--model", pets.model, "--json", name], capture_output=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["path"].endswith("caf\ufffd.jpg")


def test_a_threshold_moves_the_decision(pets):
    low = json.loads(succeeds("predict", "--model", pets.model, "--json", "--threshold", "1e-6", cat(pets)).out)
    assert low["label"] == "Dog" and low["confidence"] < 0.5


def test_many_files_stay_in_order(pets, tmp_path):
    files = []
    for n in range(150):
        kind = ("Cat", "Dog")[n % 2]
        files.append(str(shutil.copy(pets.test / kind / f"{100 + n % 6}.jpg", tmp_path / f"{n:03}.jpg")))
    results = lines(succeeds("predict", "--model", pets.model, "--json", *files).out)
    assert [r["path"] for r in results] == files
    assert [r["label"] for r in results] == ["Cat", "Dog"] * 75
    assert lines(succeeds("predict", "--model", pets.model, "--json", tmp_path).out) == results


@pytest.mark.skipif(SANITIZED, reason="sanitizers need a larger stack")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_small_stack_is_enough(pets, threads):
    command = ["sh", "-c", 'ulimit -s 80; exec "$@"', "sh", PROGRAM, "predict", "--model", pets.model, "--threads", str(threads)]
    done = subprocess.run([*map(str, command), *2 * [str(cat(pets))]], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("count", [1, 100])
def test_a_closed_pipe_is_a_failure_not_a_death(pets, count):
    read, write = os.pipe()
    os.close(read)
    done = run("predict", "--model", pets.model, "--json", *count * [cat(pets)], stdout=write)
    os.close(write)
    assert done.returncode == 1 and "standard output" not in done.err and "pipe" not in done.err.lower()


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["lines", "json"])
@pytest.mark.parametrize("count", [1, 100])  # of which the output is larger than what is written at once
def test_a_full_disk_behind_standard_output(pets, options, count):
    with open("/dev/full", "wb") as full:
        done = run("predict", "--model", pets.model, *options, *count * [cat(pets)], stdout=full)
    assert done.returncode == 1 and "No space left" in done.err


def test_a_photograph_larger_than_life(pets, tmp_path):
    """A PNG header that claims 60,000 x 60,000 pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    huge = tmp_path / "huge.png"
    huge.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    fails(1, "predict", "--model", pets.model, huge, saying="60000")


def peak_memory(*arguments):
    """Of a run of catdog, in bytes. What starts it counts, too, until it has started: hence the small process between."""
    between = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run([sys.executable, "-S", "-c", between, PROGRAM, *map(str, arguments)], capture_output=True,
                          check=True)
    return int(done.stdout) * 1024


def seconds(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes memory and time of its own")
def test_one_photograph_is_quick_and_small(tmp_path, pets):
    big = tmp_path / "big.jpg"
    photograph("cat", 1, (500, 400)).save(big)
    model = tmp_path / "four.safetensors"
    succeeds("train", "--data", pets.test, "--net", "four_conv", "--size", 150, "--epochs", 1, "--augment", "none",
             "--model", model)
    times, starts_of_python = [], []
    for _ in range(9):
        times.append(seconds(lambda: succeeds("predict", "--model", model, big)))
        starts_of_python.append(seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True)))
    # on an idle machine it is below 30 ms; a test's machine may be busy, and then Python is slow to start, too
    assert min(times) < max(0.1, 4 * min(starts_of_python))
    assert peak_memory("predict", "--model", model, big) < 60 << 20
