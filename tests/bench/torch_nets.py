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


def build(name):
    return resnet18() if name == "resnet18" else plain(name)
