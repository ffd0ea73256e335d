"""Whole networks: those of other programs here, and ours in onnxruntime."""
import json
import os
import warnings
from pathlib import Path

import numpy
import onnx
import pytest

from conversion import assert_close, assert_same, images, ours, succeeds, theirs, to_channels_first, tool

WEIGHTS = os.environ.get("CNN_TEST_WEIGHTS")


@pytest.mark.parametrize("name, dynamo, opset", [
    ("mobilenet_v2", False, 17), ("resnet18", False, 17), ("resnet50", False, 17), ("vgg16", False, 17),
    ("resnet18", False, 9), ("mobilenet_v2", True, 18)])
def test_a_network_from_torch(tmp_path, name, dynamo, opset):
    pytest.importorskip("torch")
    if dynamo:
        pytest.importorskip("onnxscript")
    import torch_nets
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch_nets.export(torch_nets.make(name), path, dynamo, opset)
    assert_same(path, (224, 224))
    path.unlink()


@pytest.mark.skipif(not WEIGHTS, reason="CNN_TEST_WEIGHTS names no folder of weights")
def test_efficientnet_lite0(tmp_path):
    path = Path(WEIGHTS) / "efficientnet-lite0.onnx"
    kept, again = tmp_path / "kept.safetensors", tmp_path / "again.onnx"
    succeeds("save", path, kept)
    succeeds("save", path, again)
    batch = images(3, 224, 224)
    other = theirs(path, to_channels_first(batch))
    assert_close(ours(kept, batch), other)
    onnx.checker.check_model(str(again), full_check=True)
    assert_close(ours(kept, batch), theirs(again, to_channels_first(batch)))
    succeeds("save", again, tmp_path / "twice.safetensors")
    assert kept.read_bytes()[-4000:] == (tmp_path / "twice.safetensors").read_bytes()[-4000:]


EVERY_LAYER = {
    "layers": [
        {"name": "in", "type": "input", "shape": [17, 14, 3]},
        {"name": "rescale", "type": "rescale", "scale": 0.5, "offset": 0.25},
        {"name": "normalize", "type": "normalize", "mean": [0.1, 0.2, 0.3], "deviation": [0.5, 1, 2]},
        {"name": "a", "type": "conv2d", "filters": 6, "padding": "same", "stride": 2, "no_bias": True},
        {"name": "bn", "type": "batch_norm", "epsilon": 1e-3},
        {"name": "relu6", "type": "relu6"},
        {"name": "b", "type": "conv2d", "filters": 6, "groups": 3, "padding": "explicit", "pads": [0, 1, 2, 1],
         "dilation": [1, 2], "inputs": ["relu6"]},
        {"name": "leaky", "type": "leaky_relu", "slope": 0.3},
        {"name": "pool", "type": "max_pool2d", "padding": "same", "inputs": ["relu6"]},
        {"name": "avg", "type": "avg_pool2d", "kernel": 3, "stride": 2, "padding": "explicit", "pads": [1, 1, 2, 1],
         "inputs": ["relu6"]},
        {"name": "sum", "type": "add", "inputs": ["relu6", "relu6"]},
        {"name": "joined", "type": "concat", "inputs": ["pool", "avg"]},
        {"name": "drop", "type": "dropout", "rate": 0.3},
        {"name": "flat", "type": "flatten"},
        {"name": "global", "type": "global_avg_pool", "inputs": ["sum"]},
        {"name": "global 2", "type": "global_avg_pool", "inputs": ["leaky"]},
        {"name": "all", "type": "concat", "inputs": ["flat", "global", "global 2"]},
        {"name": "dense", "type": "dense", "units": 9},
        {"name": "tanh", "type": "tanh"},
        {"name": "silu", "type": "silu"},
        {"name": "gelu", "type": "gelu"},
        {"name": "gelu by tanh", "type": "gelu", "approximate": "tanh"},
        {"name": "elu", "type": "elu", "alpha": 0.5},
        {"name": "selu", "type": "selu"},
        {"name": "hard swish", "type": "hard_swish"},
        {"name": "softplus", "type": "softplus"},
        {"name": "hard sigmoid", "type": "hard_sigmoid", "slope": 0.3, "offset": 0.1},
        {"name": "clip", "type": "clip", "min": 0.1, "max": 0.5},
        {"name": "clip above", "type": "clip", "min": -3.4028235e38, "max": 0.4},
        {"name": "other", "type": "dense", "units": 9, "no_bias": True},
        {"name": "sigmoid", "type": "sigmoid"},
        {"name": "softmax", "type": "softmax"},
        {"name": "unused", "type": "dense", "units": 2},
    ],
    "output": "softmax",
}


def test_every_layer_is_exported(tmp_path):
    net, model, path = tmp_path / "net.json", tmp_path / "net.safetensors", tmp_path / "net.onnx"
    net.write_text(json.dumps(EVERY_LAYER))
    succeeds("create", net, model)
    succeeds("save", model, path)
    onnx.checker.check_model(str(path), full_check=True)
    file = onnx.load(str(path))
    assert file.opset_import[0].version == 17
    assert [d.dim_value or d.dim_param for d in file.graph.input[0].type.tensor_type.shape.dim] == ["batch", 3, 17, 14]
    assert (file.graph.input[0].name, file.graph.output[0].name) == ("input", "output")
    batch = images(3, 17, 14)
    assert_close(ours(model, batch), theirs(path, to_channels_first(batch)))
    assert_close(ours(path, batch), ours(model, batch))


@pytest.mark.parametrize("name", ["two_conv", "four_conv"])
def test_our_nets_run_in_onnxruntime(tmp_path, name):
    model, path = tmp_path / "net.safetensors", tmp_path / "net.onnx"
    succeeds("create", name, model)
    succeeds("save", model, path)
    onnx.checker.check_model(str(path), full_check=True)
    side = {"two_conv": 64, "four_conv": 150}[name]
    batch = images(2, side, side)
    assert_close(ours(model, batch), theirs(path, to_channels_first(batch)))


def test_a_map_is_exported_as_batch_channels_height_width(tmp_path):
    net, path = tmp_path / "net.json", tmp_path / "net.onnx"
    net.write_text(json.dumps({"layers": EVERY_LAYER["layers"][:6]}))
    succeeds("create", net, path)
    onnx.checker.check_model(str(path), full_check=True)
    assert theirs(path, to_channels_first(images(2, 17, 14))).shape == (2, 6, 9, 7)
    assert_same(path, (17, 14))


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    done = tool("create", "two_conv", tmp_path / "no" / "net.onnx")
    assert done.returncode == 1 and "net.onnx: can't be written" in done.stderr
