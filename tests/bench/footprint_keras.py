#!/usr/bin/env python3
"""Keras classifying one photograph: `make FILE` saves an untrained four_conv, `predict FILE PHOTOGRAPH` loads it, decodes
the photograph and prints the probability. Run by compare_footprint.py."""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy
from PIL import Image


def main():
    if sys.argv[1] == "make":
        from peer_keras import build
        build("four_conv")[0].save(sys.argv[2])
        return
    model = keras.saving.load_model(sys.argv[2])
    size = model.input_shape[1:3]
    pixels = numpy.asarray(Image.open(sys.argv[3]).convert("RGB").resize(size), numpy.float32) / 255
    print(model.predict(pixels[None], verbose=0).item())


if __name__ == "__main__":
    main()
