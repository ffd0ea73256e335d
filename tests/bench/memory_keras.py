#!/usr/bin/env python3
"""Keras's memory for a step of training: `memory_keras.py NET BATCH THREADS`. Run by compare_memory.py."""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
from keras import layers

import described_nets
from process_memory import megabytes


class Builder:
    def conv(self, x, outputs, kernel, stride=1, groups=1, same=True, bias=False):
        padding = "same" if same else "valid"
        if groups > 1:  # all are depthwise
            return layers.DepthwiseConv2D(kernel, stride, padding, use_bias=bias)(x)
        return layers.Conv2D(outputs, kernel, stride, padding, use_bias=bias)(x)

    def norm(self, x):
        return layers.BatchNormalization()(x)

    def relu(self, x):
        return layers.ReLU()(x)

    def relu6(self, x):
        return layers.ReLU(6)(x)

    def max_pool(self, x, kernel, stride=None):
        return layers.MaxPooling2D(kernel, stride, "same" if stride else "valid")(x)

    def mean(self, x):
        return layers.GlobalAveragePooling2D()(x)

    def flatten(self, x):
        return layers.Flatten()(x)

    def dense(self, x, units):
        return layers.Dense(units)(x)

    def channels(self, x):
        return x.shape[-1]


def main():
    imported = megabytes("VmRSS")
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    size, describe = described_nets.net(name)
    given = keras.Input((size, size, 3))
    model = keras.Model(given, describe(Builder(), given))
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    x = tf.random.normal((batch, size, size, 3))
    y = tf.cast(tf.range(batch)[:, None] % 2, tf.float32)
    for _ in range(2):  # the second has the state of Adam from the start
        model.train_on_batch(x, y)
    print(json.dumps({"whole": megabytes("VmHWM"), "imported": imported,
                      "weights": sum(int(tf.size(w)) for w in model.trainable_weights)}))


if __name__ == "__main__":
    main()
