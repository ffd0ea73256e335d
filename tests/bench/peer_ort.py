#!/usr/bin/env python3
"""onnxruntime on the nets of nets.py, or on a file: prediction in fp32, or int8 (static, per channel). Run by
compare.py."""
import logging
import os
import tempfile
import warnings

import numpy
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import peer
import torch_nets

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


class RandomImages(CalibrationDataReader):
    def __init__(self, size):
        random = numpy.random.default_rng(1)
        self.batches = iter([{"x": random.standard_normal((4, 3, size, size), "f")} for _ in range(4)])

    def get_next(self):
        return next(self.batches, None)


def export(name, path):
    model, size = torch_nets.build(name)
    torch.onnx.export(model.eval(), torch.zeros(1, 3, size, size), path, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False)
    return size


def quantize(path, size):
    prepared, quantized = path + ".prepared", path + ".quantized"
    quant_pre_process(path, prepared)
    quantize_static(prepared, quantized, RandomImages(size), quant_format=QuantFormat.QDQ,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True)
    return quantized


def open_session(path, size, given):
    """A function that predicts images."""
    del size
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = given.threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"x": images})


def main(open_file):
    """`open_file` gives a function that predicts images by an ONNX file."""
    given = peer.arguments(("fp32", "int8"))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.onnx")
        size = export(given.net, path)
        run = open_file(quantize(path, size) if given.precision == "int8" else path, size, given)
    x = numpy.random.default_rng(2).standard_normal((given.batch, 3, size, size), "f")

    def predict(images, repeats, warmup):
        return peer.median_seconds(lambda: run(images), repeats, warmup)

    peer.serve({
        "predict_latency_ms": lambda: 1e3 * predict(x[:1], 50, 5),
        "predict_images_per_second": lambda: given.batch / predict(x, 9, 2),
    })


if __name__ == "__main__":
    main(open_session)
