#!/usr/bin/env python3
"""Keras's two ways to load photographs, on a folder of class folders: tf.data with augmentation layers, and
ImageDataGenerator. Rotation by up to 20 degrees, zoom by up to 20 %, flip. Run by compare_loader.py."""
import argparse
import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator

import peer

BATCH = 32


def tf_data(given, augmented):
    images = keras.utils.image_dataset_from_directory(given.data, image_size=(given.size, given.size), batch_size=BATCH,
                                                      label_mode="binary", verbose=False)
    if augmented:
        layer = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(20 / 360),
                                  layers.RandomZoom(0.2)])
        images = images.map(lambda batch, labels: (layer(batch, training=True), labels),
                            num_parallel_calls=given.threads)
    images = images.prefetch(2).take(given.most // BATCH + 1)

    def measure():
        start, count = None, 0
        for batch, _ in images:  # the first batch starts the clock: what is made once isn't counted
            count += int(batch.shape[0]) if start else 0
            start = start or time.perf_counter()
        return count / (time.perf_counter() - start)
    return measure


def generator(given, augmented):
    changes = {"rotation_range": 20, "zoom_range": 0.2, "horizontal_flip": True} if augmented else {}
    batches = ImageDataGenerator(rescale=1 / 255, **changes).flow_from_directory(
        given.data, (given.size, given.size), batch_size=BATCH, class_mode="binary")
    steps = max(1, min(len(batches) - 1, given.most // BATCH))

    def measure():
        batches.reset()
        next(batches)
        start = time.perf_counter()
        count = sum(len(next(batches)[1]) for _ in range(steps))
        return count / (time.perf_counter() - start)
    return measure


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--most", type=int, default=2000)
    given = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    peer.serve({
        "tf.data, augmented": tf_data(given, True),
        "tf.data": tf_data(given, False),
        "ImageDataGenerator, augmented": generator(given, True),
        "ImageDataGenerator": generator(given, False),
    })


if __name__ == "__main__":
    main()
