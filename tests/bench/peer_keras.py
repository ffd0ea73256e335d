#!/usr/bin/env python3
"""Keras on the nets of nets.py: training by Adam and prediction. Run by compare.py."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
from keras import layers

import nets
import peer


def build(name):
    size, channels, padding, units = nets.PLAIN[name]
    stack = [keras.Input((size, size, 3))]
    for filters in channels:
        stack += [layers.Conv2D(filters, 3, activation="relu", padding=padding), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(units, activation="relu"), layers.Dense(1, activation="sigmoid")]
    return keras.Sequential(stack), size


def main():
    given = peer.arguments(("fp32", "bf16"))
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if given.precision == "bf16" else "float32")
    model, size = build(given.net)
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    x = tf.random.normal((given.batch, size, size, 3))
    y = tf.cast(tf.random.uniform((given.batch, 1)) < 0.5, tf.float32)
    predict = tf.function(lambda images: model(images, training=False))
    peer.serve({
        "train_images_per_second": lambda: given.batch / peer.median_seconds(lambda: model.train_on_batch(x, y), 9, 3),
        "predict_latency_ms": lambda: 1e3 * peer.median_seconds(lambda: predict(x[:1]).numpy(), 50, 5),
        "predict_images_per_second": lambda: given.batch / peer.median_seconds(lambda: predict(x).numpy(), 9, 2),
    })


if __name__ == "__main__":
    main()
