"""The nets that speed is compared on, as their sizes: what `catdog bench --net NAME` builds, peers build from this."""

# size, channels of the convolutions (3x3, each with ReLU and a 2x2 max-pool), padding, dense units
PLAIN = {
    "two_conv": (64, (64, 64), "valid", 64),
    "three_conv": (128, (32, 64, 128), "same", 128),
    "four_conv": (150, (32, 64, 128, 128), "valid", 512),
}

# He et al. 2015, arXiv:1512.03385: size; channels and stride of each block of two 3x3 convolutions
RESNET18 = (128, ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)))

# Size, side padding as TensorFlow's "same", and stages of inverted residual blocks: how many times wider they are inside,
# channels, blocks, the stride of the first, the kernel's side. Sandler et al. 2018, arXiv:1801.04381; Tan and Le 2019,
# arXiv:1905.11946, without squeeze-and-excitation
MOBILE = {
    "mobilenet_v2": (224, False, ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3),
                                  (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3))),
    "efficientnet_lite0": (224, True, ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                                       (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))),
}

NAMES = (*PLAIN, "resnet18", *MOBILE)
