"""The nets that speed is compared on, as their sizes: what `catdog bench --net NAME` builds, peers build from this."""

# size, channels of the convolutions (3x3, each with ReLU and a 2x2 max-pool), padding, dense units
PLAIN = {
    "two_conv": (64, (64, 64), "valid", 64),
    "three_conv": (128, (32, 64, 128), "same", 128),
    "four_conv": (150, (32, 64, 128, 128), "valid", 512),
}

# He et al. 2015, arXiv:1512.03385: size; channels and stride of each block of two 3x3 convolutions
RESNET18 = (128, ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)))

NAMES = (*PLAIN, "resnet18")
