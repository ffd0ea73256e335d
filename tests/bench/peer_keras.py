#!/usr/bin/env python3
"""The same figures as `catdog bench --json`, of Keras. Run by compare.py."""
import argparse
import json
import os
import statistics
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
from keras import layers

NETS = {  # size, channels, padding, dense units
    "two_conv": (64, (64, 64), "valid", 64),
    "three_conv": (128, (32, 64, 128), "same", 128),
    "four_conv": (150, (32, 64, 128, 128), "valid", 512),
}


def build(name):
    size, channels, padding, units = NETS[name]
    stack = [keras.Input((size, size, 3))]
    for filters in channels:
        stack += [layers.Conv2D(filters, 3, activation="relu", padding=padding), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(units, activation="relu")]
    if name == "four_conv":
        stack.append(layers.Dropout(0.5))
    return keras.Sequential(stack + [layers.Dense(1, activation="sigmoid")]), size


def median_seconds(function, repeats, warmup):
    for _ in range(warmup):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--net", choices=NETS, default="four_conv")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)

    model, size = build(arguments.net)
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    x = tf.random.normal((arguments.batch, size, size, 3))
    y = tf.cast(tf.random.uniform((arguments.batch, 1)) < 0.5, tf.float32)
    predict = tf.function(lambda images: model(images, training=False))
    print(json.dumps({
        "net": arguments.net,
        "train_images_per_second": arguments.batch / median_seconds(lambda: model.train_on_batch(x, y), 9, 3),
        "predict_latency_ms": 1e3 * median_seconds(lambda: predict(x[:1]).numpy(), 50, 5),
        "predict_images_per_second": arguments.batch / median_seconds(lambda: predict(x).numpy(), 9, 2),
    }))


if __name__ == "__main__":
    main()
