#!/usr/bin/env python3
"""OpenVINO on the files that peer_ort.py gives onnxruntime: prediction in fp32, or int8. Run by compare.py."""
import openvino

import peer_ort


def open_models(path, size, given):
    """A model for each number of images, as OpenVINO is fastest where it knows it."""
    core = openvino.Core()
    hints = {"INFERENCE_NUM_THREADS": given.threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    requests = {}
    for images in (1, given.batch):
        model = core.read_model(path)
        model.reshape([images, 3, size, size])
        requests[images] = core.compile_model(model, "CPU", hints).create_infer_request()
    return lambda images: requests[len(images)].infer({0: images})


if __name__ == "__main__":
    peer_ort.main(open_models)
