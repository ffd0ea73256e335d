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


def test_a_net_too_small_for_its_layers():
    fails(1, "summary", "--net", "four_conv", "--size", 16, saying="conv")


def test_bench_measures_three_figures(pets):
    figures = as_json("bench", "--net", pets.net, "--batch", 4, "--threads", 2, "--json")
    assert set(figures) == {"net", "precision", "threads", "batch", "train_images_per_second", "predict_latency_ms",
                            "predict_images_per_second"}
    assert (figures["precision"], figures["threads"], figures["batch"]) == ("fp32", 2, 4)
    assert all(figures[key] > 0 for key in figures if key not in ("net", "precision"))


def test_bench_of_bf16_measures_training_alone(pets):
    figures = as_json("bench", "--net", pets.net, "--batch", 4, "--precision", "bf16", "--json")
    assert set(figures) == {"net", "precision", "threads", "batch", "train_images_per_second"}
    assert figures["precision"] == "bf16" and figures["train_images_per_second"] > 0
    out = succeeds("bench", "--net", pets.net, "--batch", 2, "--precision", "bf16").out
    assert "bf16" in out and "training" in out and "prediction" not in out


def test_bench_for_people():
    out = succeeds("bench", "--net", "two_conv", "--size", 16, "--batch", 2).out
    assert "two_conv, fp32" in out and out.count("images/s") == 2 and " ms\n" in out
