#!/usr/bin/env python3
"""PyTorch classifying one photograph: `make FILE` saves an untrained four_conv, `predict FILE PHOTOGRAPH` loads it,
decodes the photograph and prints the probability. Run by compare_footprint.py."""
import sys

import numpy
import torch
from PIL import Image

import torch_nets


def main():
    model, size = torch_nets.build("four_conv")
    if sys.argv[1] == "make":
        torch.save(model.state_dict(), sys.argv[2])
        return
    model.load_state_dict(torch.load(sys.argv[2], weights_only=True))
    pixels = numpy.asarray(Image.open(sys.argv[3]).convert("RGB").resize((size, size)), numpy.float32) / 255
    with torch.inference_mode():
        print(torch.sigmoid(model.eval()(torch.from_numpy(pixels).permute(2, 0, 1)[None])).item())


if __name__ == "__main__":
    main()
