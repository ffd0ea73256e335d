#!/usr/bin/env python3
"""Writes PyTorch's values for tests/golden: python3 tests/golden/make_fixtures.py (with torch and safetensors).

layers.safetensors holds, per case, "<case>/input0", "<case>/parameter/<name>", "<case>/output", and, where it was
trained, "<case>/output_gradient", "<case>/input_gradient0", "<case>/gradient/<name>" and "<case>/after/<name>" (running
statistics). test_layers.c has a layer for each. training.safetensors holds three steps of a small network under
several optimizers. resnet18.safetensors holds what a whole net gives whose weights and input are made by `noise`, as
test_nets.c makes them too.

PyTorch has channels before height and width, and weights as outputs x inputs; what is written is as libcnn has it:
N x H x W x C, and weights as height x width x inputs x outputs. The numbers were made with PyTorch 2.13 on a CPU."""
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def ours(t):
    """A batch of images or features, in libcnn's order."""
    return (t.permute(0, 2, 3, 1) if t.dim() == 4 else t).detach().contiguous().clone()


def our_weight(name, t):
    if name == "weight" or name.endswith(".weight"):
        t = t.permute(2, 3, 1, 0) if t.dim() == 4 else t.t() if t.dim() == 2 else t
    return t.detach().contiguous().clone()


class Cases:
    def __init__(self):
        self.arrays = {}

    def add(self, name, inputs, run, parameters=None, statistics=None, train=True, spread=1):
        """`run` takes inputs, parameters and statistics and gives the output."""
        torch.manual_seed(sum(map(ord, name)))
        inputs = [(torch.randn(*shape) * spread).requires_grad_(train) for shape in inputs]
        parameters = {k: torch.randn(*shape) * 0.4 for k, shape in (parameters or {}).items()}
        for p in parameters.values():
            p.requires_grad_(train)
        statistics = {k: torch.rand(*shape) + 0.5 for k, shape in (statistics or {}).items()}
        put = lambda key, value: self.arrays.__setitem__(f"{name}/{key}", value)
        for key, value in {**parameters, **statistics}.items():
            put(f"parameter/{key}", our_weight(key, value))
        output = run(*inputs, **parameters, **statistics)
        for i, x in enumerate(inputs):
            put(f"input{i}", ours(x))
        put("output", ours(output))
        if train:
            gradient = torch.randn_like(output)
            output.backward(gradient)
            put("output_gradient", ours(gradient))
            for i, x in enumerate(inputs):
                put(f"input_gradient{i}", ours(x.grad))
            for key, value in parameters.items():
                put(f"gradient/{key}", our_weight(key, value.grad))
            for key, value in statistics.items():
                put(f"after/{key}", value.clone())


def same(x, kernel, stride, dilation=1, value=0.0):
    """Padding as TensorFlow's "same" has it."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def add_convolutions(c):
    c.add("conv valid", [(2, 3, 9, 10)], lambda x, weight, bias: F.conv2d(x, weight, bias),
          {"weight": (8, 3, 3, 3), "bias": (8,)})
    c.add("conv same", [(2, 5, 7, 6)], lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1),
          {"weight": (6, 5, 3, 3), "bias": (6,)})
    c.add("conv same, stride 2", [(2, 3, 8, 9)], lambda x, weight, bias: F.conv2d(same(x, 3, 2), weight, bias, 2),
          {"weight": (6, 3, 3, 3), "bias": (6,)})
    c.add("conv explicit, stride 2, 7x7", [(1, 3, 13, 12)],
          lambda x, weight: F.conv2d(x, weight, None, 2, 3), {"weight": (5, 3, 7, 7)})
    c.add("conv dilated", [(2, 4, 9, 8)],
          lambda x, weight, bias: F.conv2d(x, weight, bias, padding=(2, 1), dilation=(2, 1)),
          {"weight": (5, 4, 3, 3), "bias": (5,)})
    c.add("conv groups", [(2, 6, 6, 7)], lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1, groups=3),
          {"weight": (9, 2, 3, 3), "bias": (9,)})
    c.add("conv depthwise", [(2, 19, 6, 7)],
          lambda x, weight: F.conv2d(x, weight, None, padding=1, stride=2, groups=19), {"weight": (19, 1, 3, 3)})
    c.add("conv 1x1", [(2, 18, 4, 5)], lambda x, weight, bias: F.conv2d(x, weight, bias),
          {"weight": (17, 18, 1, 1), "bias": (17,)})
    c.add("fused conv relu pool", [(2, 3, 11, 12)],
          lambda x, weight, bias: F.max_pool2d(F.relu(F.conv2d(x, weight, bias)), 2),
          {"weight": (7, 3, 3, 3), "bias": (7,)})
    c.add("fused conv relu6", [(2, 3, 8, 8)],
          lambda x, weight, bias: F.relu6(F.conv2d(x, weight, bias, padding=1)),
          {"weight": (5, 3, 3, 3), "bias": (5,)}, spread=3)


def fused_norm(x, weight, bias, scale, offset, running_mean, running_variance):
    x = F.batch_norm(F.conv2d(x, weight, bias, padding=1), running_mean, running_variance, scale, offset, False, 0.1,
                     1e-3)
    return F.max_pool2d(F.relu(x), 2)


def norm(training):
    return lambda x, scale, offset, running_mean, running_variance: F.batch_norm(
        x, running_mean, running_variance, scale, offset, training, 0.2, 1e-5)


def add_pooling(c):
    c.add("max pool", [(2, 5, 7, 8)], lambda x: F.max_pool2d(x, 2))
    c.add("max pool 3, stride 2, padding 1", [(2, 6, 9, 8)], lambda x: F.max_pool2d(x, 3, 2, 1))
    c.add("max pool same", [(2, 3, 8, 7)], lambda x: F.max_pool2d(same(x, 3, 2, value=-math.inf), 3, 2))
    c.add("avg pool", [(2, 5, 7, 8)], lambda x: F.avg_pool2d(x, (2, 3)))
    c.add("avg pool 3, stride 2, padding 1", [(2, 6, 9, 8)],
          lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
    c.add("global avg pool", [(3, 6, 5, 7)], lambda x: x.mean((2, 3)))


def add_others(c):
    c.add("dense", [(5, 37)], lambda x, weight, bias: F.linear(x, weight, bias), {"weight": (11, 37), "bias": (11,)})
    c.add("fused dense relu", [(4, 20)], lambda x, weight, bias: F.relu(F.linear(x, weight, bias)),
          {"weight": (9, 20), "bias": (9,)})
    c.add("flatten", [(2, 3, 4, 5)], lambda x: x.permute(0, 2, 3, 1).flatten(1))
    shapes = lambda n: ({"scale": (n,), "offset": (n,)}, {"running_mean": (n,), "running_variance": (n,)})
    c.add("batch norm", [(4, 6, 5, 7)], norm(True), *shapes(6))
    c.add("batch norm of features", [(7, 33)], norm(True), *shapes(33))
    c.add("batch norm predicting", [(2, 5, 4, 3)], norm(False), *shapes(5), train=False)
    c.add("fused conv norm relu pool predicting", [(2, 3, 8, 9)], fused_norm,
          {"weight": (6, 3, 3, 3), "bias": (6,), "scale": (6,), "offset": (6,)},
          {"running_mean": (6,), "running_variance": (6,)}, train=False)
    c.add("relu", [(2, 3, 4, 5)], F.relu)
    c.add("leaky relu", [(2, 3, 4, 5)], lambda x: F.leaky_relu(x, 0.1))
    c.add("relu6", [(2, 3, 4, 5)], F.relu6, spread=5)
    c.add("sigmoid", [(2, 3, 4, 5)], torch.sigmoid)
    c.add("tanh", [(2, 3, 4, 5)], torch.tanh)
    c.add("silu", [(2, 3, 4, 5)], F.silu, spread=3)
    c.add("hard swish", [(2, 3, 4, 5)], F.hardswish, spread=3)
    c.add("hard sigmoid", [(2, 3, 4, 5)], F.hardsigmoid, spread=3)
    c.add("gelu", [(2, 3, 4, 5)], F.gelu, spread=3)
    c.add("gelu by tanh", [(2, 3, 4, 5)], lambda x: F.gelu(x, approximate="tanh"), spread=3)
    c.add("elu", [(2, 3, 4, 5)], lambda x: F.elu(x, 0.7), spread=3)
    c.add("selu", [(2, 3, 4, 5)], F.selu, spread=3)
    c.add("softplus", [(2, 3, 4, 5)], F.softplus, spread=3)
    c.add("clip", [(2, 3, 4, 5)], lambda x: x.clamp(-1.5, 2), spread=3)
    c.add("softmax", [(4, 10)], lambda x: F.softmax(x, 1))
    c.add("softmax of pixels", [(2, 5, 3, 4)], lambda x: F.softmax(x, 1))
    c.add("add", [(2, 3, 4, 5), (2, 3, 4, 5)], lambda a, b: a + b)
    c.add("concat", [(2, 3, 4, 5), (2, 1, 4, 5), (2, 6, 4, 5)], lambda *x: torch.cat(x, 1))
    c.add("rescale", [(2, 3, 4, 5)], lambda x: x * 0.25 - 0.5)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    c.add("normalize", [(2, 3, 4, 5)], lambda x: (x - mean.view(3, 1, 1)) / deviation.view(3, 1, 1))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm1 = torch.nn.BatchNorm2d(6)
        self.conv2 = torch.nn.Conv2d(6, 8, 3)
        self.dense1 = torch.nn.Linear(32, 10)
        self.dense2 = torch.nn.Linear(10, 1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.dense2(F.relu(self.dense1(x)))


NAMES = {"norm1.weight": "norm1.scale", "norm1.bias": "norm1.offset", "norm1.running_var": "norm1.running_variance"}


def state(net):
    arrays = {NAMES.get(k, k): v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    return {k: our_weight(k, v) for k, v in arrays.items()}


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.002),
}


def train():
    torch.manual_seed(5)
    batches = [torch.rand(4, 3, 12, 12) for _ in range(3)]
    targets = [torch.tensor([[0.0], [1.0], [1.0], [0.0]]).roll(i, 0) for i in range(3)]
    first = Net().state_dict()
    arrays = {f"batch{i}": ours(x) for i, x in enumerate(batches)}
    arrays |= {f"target{i}": t.clone() for i, t in enumerate(targets)}
    for name, make in OPTIMIZERS.items():
        net = Net()
        net.load_state_dict(first)
        if name == "sgd":
            arrays |= {f"first/{k}": v for k, v in state(net).items()}
        optimizer = make(net.parameters())
        for step, (x, t) in enumerate(zip(batches, targets)):
            optimizer.zero_grad()
            logits = net(x)
            loss = F.binary_cross_entropy_with_logits(logits, t)
            loss.backward()
            if step == 0 and name == "sgd":
                for key, p in net.named_parameters():
                    key = NAMES.get(key, key)
                    arrays[f"gradient/{key}"] = our_weight(key, p.grad)
            optimizer.step()
            arrays[f"{name}/logits{step}"] = logits.detach().clone()
            arrays[f"{name}/loss{step}"] = loss.detach().reshape(1).clone()
        arrays |= {f"{name}/last/{k}": v for k, v in state(net).items()}
    return arrays


def noise(name, shape, scale, offset=0.0):
    """Numbers between offset - scale and offset + scale that look random, from their places and the name alone."""
    key = sum((i + 1) * ord(c) for i, c in enumerate(name))
    x = np.arange(math.prod(shape), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(key * 40503)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(2246822519)
    x = (x ^ (x >> np.uint32(13))) >> np.uint32(8)
    return torch.from_numpy(((x.astype(np.float64) / 2**23 - 1) * scale + offset).astype(np.float32).reshape(shape))


class Block(torch.nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        conv = lambda i, kernel, s: torch.nn.Conv2d(i, filters, kernel, s, kernel // 2, bias=False)
        self.conv1, self.conv1_norm = conv(channels, 3, stride), torch.nn.BatchNorm2d(filters)
        self.conv2, self.conv2_norm = conv(filters, 3, 1), torch.nn.BatchNorm2d(filters)
        self.fits = stride == 1 and channels == filters
        if not self.fits:
            self.shortcut, self.shortcut_norm = conv(channels, 1, stride), torch.nn.BatchNorm2d(filters)

    def forward(self, x):
        y = self.conv2_norm(self.conv2(F.relu(self.conv1_norm(self.conv1(x)))))
        return F.relu(y + (x if self.fits else self.shortcut_norm(self.shortcut(x))))


class ResNet18(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Module()
        self.stem.conv = torch.nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.stem.conv_norm = torch.nn.BatchNorm2d(64)
        channels = 64
        for stage in range(4):
            blocks = torch.nn.Module()
            for block in range(2):
                setattr(blocks, f"block{block + 1}", Block(channels, 64 << stage, 2 if stage and not block else 1))
                channels = 64 << stage
            setattr(self, f"stage{stage + 1}", blocks)
        self.dense = torch.nn.Linear(512, 1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem.conv_norm(self.stem.conv(x))), 3, 2, 1)
        for stage in range(4):
            stage = getattr(self, f"stage{stage + 1}")
            x = stage.block2(stage.block1(x))
        return self.dense(x.mean((2, 3)))


def our_name(name):
    for theirs, mine in (("norm.weight", "norm.scale"), ("norm.bias", "norm.offset"), ("var", "variance")):
        name = name.replace(theirs, mine) if name.endswith(theirs) else name
    return name


def set_noise(net):
    """Weights as He et al. have them, so that values keep their size; statistics near 0 and 1."""
    for key, value in net.state_dict().items():
        name, shape = our_name(key), our_weight(key, value).shape
        if name.endswith("batches_tracked"):
            continue
        scale, offset = 0.25, 0.0
        if name.endswith("weight"):
            scale = math.sqrt(6 / math.prod(shape[:-1]))
        elif name.endswith(("scale", "variance")):
            offset = 1.0
        t = noise(name, tuple(shape), scale, offset)
        value.copy_(t.permute(3, 2, 0, 1) if t.dim() == 4 else t.t() if t.dim() == 2 else t)


def resnet18(size=96, batch=3):
    net = ResNet18()
    set_noise(net)
    x = noise("input", (batch, size, size, 3), 1).permute(0, 3, 1, 2)
    arrays = {"predicted": net.eval()(x).detach().clone()}
    net.train()
    logits = net(x)
    logits.backward(noise("gradient", (batch, 1), 1))
    arrays["trained"] = logits.detach().clone()
    for key, p in net.named_parameters():
        g = our_weight(key, p.grad).double()
        arrays[f"gradient/{our_name(key)}"] = torch.stack([g.norm(), (g * noise("probe", tuple(g.shape), 1)).sum()]).float()
    for key, value in net.named_buffers():
        if value.dim():
            arrays[f"after/{our_name(key)}"] = value.clone()
    return arrays


def main():
    torch.set_num_threads(1)
    cases = Cases()
    add_convolutions(cases)
    add_pooling(cases)
    add_others(cases)
    save_file(cases.arrays, HERE / "layers.safetensors")
    save_file(train(), HERE / "training.safetensors")
    save_file(resnet18(), HERE / "resnet18.safetensors")


if __name__ == "__main__":
    main()
