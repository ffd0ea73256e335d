"""The benchmark's scripts run, and say what is wrong with their arguments."""
import json
import os
import re
import signal
import subprocess
import sys
import time
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


def test_compare_prints_what_each_precision_has():
    done = run("compare.py", "--catdog", CATDOG, "--net", "two_conv", "--rounds", 1, "--batch", 2)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split()[1:3] for line in done.stdout.splitlines()]
    assert rows == [["fp32", "training,"], ["fp32", "batch"], ["fp32", "batch"], ["bf16", "training,"],
                    ["int8", "batch"], ["int8", "batch"]]


@pytest.mark.parametrize("arguments, saying", [
    ([], "--loader"),
    (["--loader", "a"], "'a' is no program"),
    (["--loader", sys.executable, "--keras", sys.executable, "--data", "c", "--rounds", "0"], "at least 1"),
    (["--loader", sys.executable, "--keras", sys.executable, "--data", "c"], "peer_keras_loader.py"),
])
def test_compare_loader_refuses_wrong_arguments(arguments, saying):
    done = run("compare_loader.py", *arguments)
    assert done.returncode != 0 and saying in done.stderr and "Traceback" not in done.stderr


def a_program(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("script, arguments, saying", [
    ("compare.py", ["--catdog", "nowhere"], "'nowhere' is no program"),
    ("compare.py", ["--catdog", HERE], "is no program"),
    ("compare.py", ["--catdog", CATDOG, "--rounds", "0"], "at least 1"),
    ("compare.py", ["--catdog", CATDOG, "--json", "nowhere/x.json"], "can't be written"),
    ("compare.py", ["--catdog", CATDOG, "--batch", "5000", "--net", "two_conv"], "from 1 to 4096"),
    ("compare.py", ["--catdog", CATDOG, "--net", "two_conv", "--torch", "LACKING"], "No module named 'torch'"),
    ("compare_footprint.py", ["--catdog", "SILENT"], "not a dynamic executable"),
    *[(script, ["--catdog", "SILENT"], "prints no JSON") for script in ("compare.py", "compare_memory.py", "scaling.py")],
    *[(script, ["--catdog", "OTHER"], "is it of another version?") for script in
      ("compare.py", "compare_memory.py", "scaling.py")],
    ("load_serve.py", ["nowhere", HERE], "'nowhere' is no program"),
    ("load_serve.py", [CATDOG, HERE, "--seconds", "nan"], "must be above 0"),
    ("soak_serve.py", ["SILENT"], "doesn't start"),
])
def test_what_is_wrong_is_told_in_a_sentence(script, arguments, saying, tmp_path):
    lacking = 'echo "Traceback (most recent call last):" >&2; echo "ModuleNotFoundError: No module named \'torch\'" >&2; exit 1'
    programs = {"SILENT": "exit 0", "OTHER": "echo '{}'", "LACKING": lacking}
    done = run(script, *[a_program(tmp_path / word, programs[word]) if word in programs else word for word in arguments])
    assert done.returncode != 0 and saying in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("script, arguments", [
    ("compare.py", ["--torch", "PEER", "--net", "two_conv", "--rounds", 1000]),
    ("compare_memory.py", ["--torch", "PEER", "--nets", "two_conv", "--batch", 2]),
    ("compare_footprint.py", ["--torch", "PEER"]),
])
def test_ctrl_c_ends_a_script_and_what_it_started(script, arguments, tmp_path):
    peer = a_program(tmp_path / "peer", f"echo $$ > {tmp_path / 'pid'}.new; mv {tmp_path / 'pid'}.new {tmp_path / 'pid'}; "
                                        "exec sleep 60")
    command = [sys.executable, HERE / script, "--catdog", CATDOG, *[peer if word == "PEER" else word for word in arguments]]
    process = subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "pid").exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(1)  # the script knows what it has started
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_footprint_is_that_of_the_library_and_of_one_prediction():
    done = run("compare_footprint.py", "--catdog", CATDOG, "--rounds", 1, "--threads", 1)
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[2]
    assert re.fullmatch(r"\| libcnn \| \d\.\d\d MB, \d+\.\d MB with what it needs \| \d+\.\d \| \d+ \|", row), row


def test_training_memory_is_compared_net_by_net():
    done = run("compare_memory.py", "--catdog", CATDOG, "--nets", "two_conv", "--batch", 2, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| two_conv \| \d+ \|$", done.stdout, re.MULTILINE)
