"""The benchmark's scripts run, and say what is wrong with their arguments."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("CNN_BUILD", HERE.parent.parent / "build"))
CATDOG = BUILD / "examples/catdog/catdog"

pytestmark = pytest.mark.skipif(any(name in CATDOG.read_bytes() for name in (b"__asan_init", b"__tsan_init")),
                                reason="what sanitizers slow down says nothing of speed")


def run(program, *arguments):
    command = [sys.executable, str(HERE / program)] if program.endswith(".py") else [str(BUILD / program)]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=200, check=False)


def as_json(*command):
    done = run(*command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_machines_limits_grow_with_threads():
    limits = as_json("tests/bench/bench_machine", 2)["limits"]
    assert [limit["threads"] for limit in limits] == [1, 2]
    assert all(value > 0 for limit in limits for value in limit.values())


def test_kernels_report_each_direction_as_json():
    sets = as_json("tests/kernels/check_kernels", "--bench", "--json", "dense 1x6272")
    assert {(s["precision"], s["threads"]) for s in sets} >= {("fp32", 1), ("fp32", 2), ("int8", 2)}
    layer = next(s for s in sets if s["precision"] == "fp32")["layers"][0]
    assert layer["layer"] == "dense 1x6272-512"
    for direction in ("forward", "by data", "by weights"):
        assert layer[direction]["gflops"] > 0 and layer[direction]["percent_of_peak"] > 0


def test_bench_writes_the_parts_asked_for(tmp_path):
    out = tmp_path / "bench.json"
    done = run("bench.py", "--build", BUILD, "--out", out, "--parts", "nets,loader,start_up", "--nets", "two_conv",
               "--batch", 2, "--threads", 1, "--repeats", 1)
    assert done.returncode == 0, done.stderr
    results = json.loads(out.read_text())
    assert set(results) == {"threads", "nets", "loader", "start_up"}
    assert results["nets"][0]["net"] == "two_conv" and results["nets"][0]["train_images_per_second"] > 0
    assert results["loader"]["cached_augmented_images_per_second"] > 0 and results["loader"]["decode_us"] > 0
    assert 0 < results["start_up"]["median_ms"] and results["start_up"]["peak_memory_mb"] > 1


@pytest.mark.parametrize("arguments, saying", [
    ([], "--build"),
    (["--build", "nowhere"], "is not there"),
    (["--build", "nowhere", "--parts", "everything"], "none of machine"),
    (["--build", "nowhere", "--nets", "alexnet"], "none of two_conv"),
    (["--build", "nowhere", "--threads", "0"], "at least 1"),
])
def test_bench_refuses_wrong_arguments(arguments, saying):
    done = run("bench.py", *arguments)
    assert done.returncode != 0 and saying in done.stderr and "Traceback" not in done.stderr


def test_the_loaders_benchmark_refuses_wrong_arguments():
    for arguments in ([], ["--size", "0", HERE], ["--epochs", "1000", HERE], ["--what", HERE], ["a", "b"]):
        done = run("tests/bench/bench_loader", *arguments)
        assert done.returncode == 2 and "usage" in done.stderr
    assert run("tests/bench/bench_loader", "/nowhere").returncode == 1


def test_a_build_races_itself_layer_by_layer():
    done = run("race_kernels.py", BUILD, BUILD, "--layer", "dense 1x6272", "--set", "generic", "--rounds", 1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(re.fullmatch(r"generic fp32 1  dense 1x6272-512 +forward +\d+\.\d +\d+\.\d  \d+\.\d{3}", line) for line in lines)


@pytest.mark.parametrize("arguments, saying", [
    ([BUILD], "after"),
    ([BUILD, "nowhere"], "is not there"),
    ([BUILD, BUILD, "--rounds", "0"], "at least 1"),
    ([BUILD, BUILD, "--layer", "17x17", "--set", "generic"], "no layer's name contains '17x17'"),
])
def test_the_race_refuses_wrong_arguments(arguments, saying):
    done = run("race_kernels.py", *arguments)
    assert done.returncode != 0 and saying in done.stderr and "Traceback" not in done.stderr


def test_scaling_prints_a_row_for_each_batch():
    done = run("scaling.py", "--catdog", CATDOG, "--net", "two_conv", "--only", "threads", "--threads", 2, "--rounds", 1,
               "--batch", 2)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3 and "as it is" in lines[2] and lines[4].startswith("| threads | 2 |")
    done = run("scaling.py", "--catdog", CATDOG, "--net", "alexnet")
    assert done.returncode == 2 and "two_conv" in done.stderr


@pytest.mark.parametrize("arguments, saying", [
    ([], "--loader"),
    (["--loader", "a", "--keras", "b", "--data", "c", "--rounds", "0"], "at least 1"),
    (["--loader", "a", "--keras", sys.executable, "--data", "c"], "peer_keras_loader.py"),
])
def test_compare_loader_refuses_wrong_arguments(arguments, saying):
    done = run("compare_loader.py", *arguments)
    assert done.returncode != 0 and saying in done.stderr


def test_the_footprint_is_that_of_the_library_and_of_one_prediction():
    done = run("compare_footprint.py", "--catdog", CATDOG, "--rounds", 1, "--threads", 1)
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[2]
    assert re.fullmatch(r"\| libcnn \| \d\.\d\d MB, \d+\.\d MB with what it needs \| \d+\.\d \| \d+ \|", row), row


def test_training_memory_is_compared_net_by_net():
    done = run("compare_memory.py", "--catdog", CATDOG, "--nets", "two_conv", "--batch", 2, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| two_conv \| \d+ \|$", done.stdout, re.MULTILINE)
