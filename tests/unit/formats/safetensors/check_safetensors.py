"""Model files and Python's safetensors package read each other. Usage: check_safetensors.py MODEL_SAMPLE

Runs in the Python that CNN_TEST_PYTHON names, if set; exit status 77 (skipped) if that lacks numpy or safetensors."""
import json
import os
import subprocess
import sys
import tempfile

python = os.environ.pop("CNN_TEST_PYTHON", None)
if python:
    os.execv(python, [python] + sys.argv)

try:
    import numpy
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)

SHAPES = {
    "conv2d_1.weight": (3, 3, 3, 5),
    "conv2d_1.bias": (5,),
    "naïve.scale": (5,),
    "naïve.offset": (5,),
    "naïve.running_mean": (5,),
    "naïve.running_variance": (5,),
    "dense_1.weight": (80, 1),
    "dense_1.bias": (1,),
}

sample = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    ours, theirs = os.path.join(folder, "ours.safetensors"), os.path.join(folder, "theirs.safetensors")
    subprocess.run([sample, "write", ours], check=True)
    with safe_open(ours, framework="numpy") as file:
        metadata = file.metadata()
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    assert {name: array.shape for name, array in arrays.items()} == SHAPES, arrays
    for name, array in arrays.items():
        assert array.dtype == numpy.float32
        assert (array.ravel() == numpy.arange(array.size) * 0.5).all(), name
    assert metadata["format"] == "cnn" and metadata["cnn.version"] == "1" and metadata["author"] == "Émile"
    types = [layer["type"] for layer in json.loads(metadata["cnn.graph"])["layers"]]
    assert types == ["input", "conv2d", "batch_norm", "flatten", "dense"], types

    save_file({name: array * numpy.float32(0.5) for name, array in arrays.items()}, theirs, metadata)
    subprocess.run([sample, "read", theirs], check=True)

    int8 = os.path.join(folder, "int8.safetensors")
    subprocess.run([sample, "quantize", ours, int8], check=True)
    with safe_open(int8, framework="numpy") as file:
        weight, scale = file.get_tensor("conv2d_1.weight"), file.get_tensor("conv2d_1.weight_scale")
        quantization = file.get_tensor("input_1.quantization")
    assert weight.dtype == numpy.int8 and weight.shape == (3, 3, 3, 5) and scale.shape == (5,)
    assert (scale > 0).all()
    assert (abs(weight.astype(int)).max(axis=(0, 1, 2))[1:] == 127).all()  # the first's factor is 0
    assert quantization.shape == (2,)
