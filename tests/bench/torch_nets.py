"""The nets of nets.py as PyTorch modules, which onnxruntime runs, too."""
import torch
from torch import nn

import nets


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.main(x) + self.shortcut(x))


def resnet18():
    size, blocks = nets.RESNET18
    stack, channels = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
    for outputs, stride in blocks:
        stack.append(Block(channels, outputs, stride))
        channels = outputs
    return nn.Sequential(*stack, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1)), size


def plain(name):
    size, filters, padding, units = nets.PLAIN[name]
    stack, channels, side = [], 3, size
    for outputs in filters:
        stack += [nn.Conv2d(channels, outputs, 3, padding=padding), nn.ReLU(), nn.MaxPool2d(2)]
        channels, side = outputs, (side if padding == "same" else side - 2) // 2
    features = channels * side * side
    return nn.Sequential(*stack, nn.Flatten(), nn.Linear(features, units), nn.ReLU(), nn.Linear(units, 1)), size


class Convolution(nn.Sequential):
    """With batch normalisation, and ReLU6 unless it is linear. `same` pads as TensorFlow does: more at the end."""

    def __init__(self, inputs, outputs, side, stride, same, groups=1, linear=False):
        uneven = same and stride == 2
        padding = [nn.ZeroPad2d(((side - 2) // 2, (side - 1) // 2) * 2)] if uneven else []
        super().__init__(*padding,
                         nn.Conv2d(inputs, outputs, side, stride, 0 if uneven else side // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs), *([] if linear else [nn.ReLU6()]))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, times, stride, side, same):
        super().__init__()
        inside = inputs * times
        self.main = nn.Sequential(
            *([Convolution(inputs, inside, 1, 1, same)] if times > 1 else []),
            Convolution(inside, inside, side, stride, same, groups=inside),
            Convolution(inside, outputs, 1, 1, same, linear=True))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.main(x) if self.adds else self.main(x)


def mobile(name):
    size, same, stages = nets.MOBILE[name]
    stack, channels = [Convolution(3, 32, 3, 2, same)], 32
    for times, outputs, blocks, stride, side in stages:
        for block in range(blocks):
            stack.append(InvertedResidual(channels, outputs, times, 1 if block else stride, side, same))
            channels = outputs
    return nn.Sequential(*stack, Convolution(channels, 1280, 1, 1, same), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Dropout(0.2), nn.Linear(1280, 1)), size


def build(name):
    if name in nets.MOBILE:
        return mobile(name)
    return resnet18() if name == "resnet18" else plain(name)
