#!/usr/bin/env python3
"""PyTorch's memory for a step of training: `memory_torch.py NET BATCH THREADS`. Run by compare_memory.py."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional

import described_nets
from process_memory import megabytes


class Net(nn.Module):
    """A builder whose first pass makes the layers that later ones use."""

    def __init__(self, describe):
        super().__init__()
        self.describe, self.layers, self.next = describe, nn.ModuleList(), 0

    def layer(self, x, kind, *arguments, **options):
        if self.next == len(self.layers):
            self.layers.append(kind(*arguments, **options).to(memory_format=torch.channels_last))
        self.next += 1
        return self.layers[self.next - 1](x)

    def conv(self, x, outputs, kernel, stride=1, groups=1, same=True, bias=False):
        padding = kernel // 2 if same else 0
        return self.layer(x, nn.Conv2d, x.shape[1], outputs, kernel, stride, padding, groups=groups, bias=bias)

    def norm(self, x):
        return self.layer(x, nn.BatchNorm2d, x.shape[1])

    def relu(self, x):
        return functional.relu(x, inplace=True)

    def relu6(self, x):
        return functional.relu6(x, inplace=True)

    def max_pool(self, x, kernel, stride=None):
        return functional.max_pool2d(x, kernel, stride, padding=(kernel - 1) // 2)

    def mean(self, x):
        return x.mean((2, 3))

    def flatten(self, x):
        return x.flatten(1)

    def dense(self, x, units):
        return self.layer(x, nn.Linear, x.shape[1], units)

    def channels(self, x):
        return x.shape[1]

    def forward(self, x):
        self.next = 0
        return self.describe(self, x)


def main():
    imported = megabytes("VmRSS")
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    size, describe = described_nets.net(name)
    model = Net(describe).train()
    x = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    y = torch.arange(batch).remainder(2).float()[:, None]
    with torch.no_grad():
        model(x[:2])
    optimizer, loss = torch.optim.Adam(model.parameters(), 1e-4, fused=True), nn.BCEWithLogitsLoss()
    for _ in range(2):  # the second has the state of Adam from the start
        optimizer.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        optimizer.step()
    print(json.dumps({"whole": megabytes("VmHWM"), "imported": imported,
                      "weights": sum(p.numel() for p in model.parameters())}))


if __name__ == "__main__":
    main()
