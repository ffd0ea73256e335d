"""Networks as torchvision defines them, without weights of value: what is tested is the way they are exported."""
import torch
from torch import nn


def vgg16():
    layers, channels = [], 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2, 2))
    head = [nn.Linear(512 * 49, 4096), nn.ReLU(True), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(),
            nn.Linear(4096, 1000)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((7, 7)), nn.Flatten(), *head)


def convolution(channels, width, kernel=1, stride=1, groups=1):
    return nn.Conv2d(channels, width, kernel, stride, kernel // 2, groups=groups, bias=False)


class Residual(nn.Module):
    def __init__(self, channels, width, stride, bottleneck):
        super().__init__()
        out = 4 * width if bottleneck else width
        if bottleneck:
            self.body = nn.Sequential(convolution(channels, width), nn.BatchNorm2d(width), nn.ReLU(),
                                      convolution(width, width, 3, stride), nn.BatchNorm2d(width), nn.ReLU(),
                                      convolution(width, out), nn.BatchNorm2d(out))
        else:
            self.body = nn.Sequential(convolution(channels, width, 3, stride), nn.BatchNorm2d(width), nn.ReLU(),
                                      convolution(width, width, 3), nn.BatchNorm2d(width))
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != out:
            self.shortcut = nn.Sequential(convolution(channels, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, counts, bottleneck):
        super().__init__()
        layers = [convolution(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        channels = 64
        for stage, count in enumerate(counts):
            for i in range(count):
                layers.append(Residual(channels, 64 << stage, 2 if stage and not i else 1, bottleneck))
                channels = (64 << stage) * (4 if bottleneck else 1)
        self.features = nn.Sequential(*layers)
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x):
        return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1)), 1))


class Inverted(nn.Module):
    def __init__(self, channels, width, stride, expansion):
        super().__init__()
        inner = channels * expansion
        layers = [convolution(channels, inner), nn.BatchNorm2d(inner), nn.ReLU6()] if expansion > 1 else []
        self.body = nn.Sequential(*layers, convolution(inner, inner, 3, stride, inner), nn.BatchNorm2d(inner),
                                  nn.ReLU6(), convolution(inner, width), nn.BatchNorm2d(width))
        self.residual = stride == 1 and channels == width

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [convolution(3, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU6()], 32
        for expansion, width, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                                (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
            for i in range(count):
                layers.append(Inverted(channels, width, 1 if i else stride, expansion))
                channels = width
        self.features = nn.Sequential(*layers, convolution(320, 1280), nn.BatchNorm2d(1280), nn.ReLU6())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(x.view(x.shape[0], -1))


NETS = {"vgg16": vgg16, "resnet18": lambda: ResNet((2, 2, 2, 2), False), "resnet50": lambda: ResNet((3, 4, 6, 3), True),
        "mobilenet_v2": MobileNetV2}


def make(name):
    torch.manual_seed(1)
    net = NETS[name]().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net


def export(net, path, dynamo, opset):
    image = torch.randn(2, 3, 224, 224)
    names = {"input_names": ["input"], "output_names": ["output"]}
    if dynamo:
        torch.onnx.export(net, (image,), str(path), dynamo=True, opset_version=opset, external_data=False,
                          dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False, **names)
    else:
        torch.onnx.export(net, (image,), str(path), dynamo=False, opset_version=opset,
                          dynamic_axes={"input": {0: "batch"}}, **names)
