import os
import re
import shutil
import subprocess

import pytest

from catdog import as_json, fails, succeeds


@pytest.mark.parametrize("net, size", [("two_conv", 64), ("three_conv", 128), ("four_conv", 150),
                                       ("resnet18", 128), ("resnet50", 224),
                                       ("mobilenet_v2", 224), ("efficientnet_lite0", 224)])
def test_the_summary_of_a_net_by_name(net, size):
    out = succeeds("summary", "--net", net).out
    assert str(size) in out and "conv2d" in out and "dense" in out


def test_options_change_the_net():
    plain = succeeds("summary", "--net", "three_conv").out
    changed = succeeds("summary", "--net", "three_conv", "--size", 64, "--batch-norm", "--dropout", 0.3).out
    assert "batch_norm" not in plain and "batch_norm" in changed and "dropout" in changed and "128" in plain
    assert "dropout" in succeeds("summary", "--net", "four_conv").out
    assert "dropout" not in succeeds("summary", "--net", "four_conv", "--dropout", 0).out


def test_the_summary_of_a_model(pets):
    out = succeeds("summary", "--model", pets.model).out
    assert "conv2d" in out and "Classes: Cat, Dog" in out and "16 x 16" in out


def test_the_summary_of_a_net_in_a_file(pets):
    assert "conv2d" in succeeds("summary", "--net", pets.net).out


def test_the_time_of_each_operation(pets):
    for source in (["--net", "resnet18", "--size", 32], ["--model", pets.model]):
        out = succeeds("summary", *source, "--time").out
        table, program = out.split("\nOperations of a prediction:\n")
        assert "Total parameters" in table
        lines = program.splitlines()
        assert lines[0].startswith("0 input = ") and not lines[0].endswith("ms")
        assert all(re.search(r" = \S+: [\d×]+ float32(, [\w ×]+)?, \d+\.\d{3} ms$", line) for line in lines[1:])
        assert any(re.search(r"fused_conv2d\(.*, (direct|Winograd 2×2|Winograd 4×4), ", line) for line in lines)


def test_the_drawing_of_a_program(pets):
    for source in (["--net", "resnet18", "--size", 32], ["--model", pets.model]):
        plain, timed = (succeeds("summary", *source, "--dot", *more).out for more in ([], ["--time"]))
        assert plain.startswith("digraph program {\n") and plain.endswith("}\n") and " ms" not in plain
        boxes = re.findall(r'^  (\d+) \[label="(\w+)\\n.*float32(?:\\n[\w ×]+)?"\];$', plain, re.MULTILINE)
        arrows = re.findall(r"^  (\d+) -> (\d+);$", plain, re.MULTILINE)
        assert boxes[0] == ("0", "input") and ("0", "1") in arrows
        assert {to for _, to in arrows} == {number for number, _ in boxes[1:]}
        assert len(plain.splitlines()) == 3 + len(boxes) + len(arrows)
        assert timed.count(" ms") == len(boxes) - 1
        if shutil.which("dot"):
            assert b"<svg" in subprocess.run(["dot", "-Tsvg"], input=plain.encode(), capture_output=True, check=True).stdout


def test_the_log_tells_what_was_chosen(pets):
    photo = next(pets.test.rglob("*.jpg"))
    quiet = succeeds("predict", "--model", pets.model, photo)
    told = succeeds("predict", "--model", pets.model, photo, env={"CNN_LOG": "2"})
    assert quiet.out == told.out and "program" not in quiet.err
    assert re.search(r"program for prediction on \w+: \d+ operations of \d+ layers, \d+\.\d\d MB of values an image", told.err)
    assert "1 fused_conv2d(0) = " in told.err and re.search(r"buffer 2: \d+ bytes at \d+, from 1 to", told.err)


def test_a_net_too_small_for_its_layers():
    fails(1, "summary", "--net", "four_conv", "--size", 16, saying="conv")


def is_positive(figures):
    return all(value > 0 for value in figures.values() if isinstance(value, (int, float)))


def test_more_threads_than_processors_make_no_faster_machine():
    def peak(threads):
        return as_json("bench", "--part", "machine", "--json", "--threads", threads)["machine"]["fp32_gflops"]
    assert peak(64) < 3 * len(os.sched_getaffinity(0)) * peak(1)


def test_bench_measures_the_machine_then_the_net_then_the_loader(pets):
    figures = as_json("bench", "--net", pets.net, "--batch", 4, "--threads", 2, "--json")
    assert (figures["precision"], figures["threads"], figures["batch"]) == ("fp32", 2, 4)
    machine, loader = figures["machine"], figures["loader"]
    assert is_positive(figures) and is_positive(machine) and is_positive(loader)
    assert set(machine) == {"instruction_set", "fp32_gflops", "bf16_gflops", "int8_gops", "read_gb_per_second",
                            "copy_gb_per_second"}
    assert set(loader) == {"size", "data", "resize_us", "augment_us", "cached_images_per_second",
                           "cached_augmented_images_per_second"}
    assert set(figures) == {"net", "precision", "threads", "batch", "machine", "loader", "train_images_per_second",
                            "train_percent_of_peak", "train_memory_mb", "predict_latency_ms",
                            "predict_latency_percent_of_peak", "predict_images_per_second", "predict_percent_of_peak",
                            "predict_memory_mb", "start_up_ms", "start_up_memory_mb"}


def test_bench_of_one_part(pets):
    figures = as_json("bench", "--net", pets.net, "--part", "loader", "--data", pets.data, "--json")
    assert set(figures) == {"net", "precision", "threads", "batch", "loader"}
    assert figures["loader"]["data"] == str(pets.data) and figures["loader"]["size"] == 16
    assert figures["loader"]["decode_us"] > 0 and figures["loader"]["files_augmented_images_per_second"] > 0


def test_bench_of_bf16_measures_training_alone(pets):
    figures = as_json("bench", "--net", pets.net, "--batch", 4, "--precision", "bf16", "--part", "net", "--json")
    assert set(figures) == {"net", "precision", "threads", "batch", "train_images_per_second", "train_memory_mb",
                            "start_up_ms", "start_up_memory_mb"}
    assert figures["precision"] == "bf16" and is_positive(figures)
    out = succeeds("bench", "--net", pets.net, "--batch", 2, "--precision", "bf16", "--part", "net").out
    assert "bf16" in out and "training" in out and "prediction" not in out and "peak" not in out


def test_bench_for_people():
    out = succeeds("bench", "--net", "two_conv", "--size", 16, "--batch", 2).out
    parts = [out.index(title) for title in ("this machine, ", "two_conv, fp32", "loader, images in memory")]
    assert parts == sorted(parts) and out.count("images/s") == 4 and out.count("% of peak") == 3


def test_bench_says_what_is_wrong_before_it_measures(pets):
    assert fails(1, "bench", "--net", "four_conv", "--size", 8, saying="conv").out == ""
    fails(1, "bench", "--part", "loader", "--data", pets.data / "nowhere", saying="nowhere")
