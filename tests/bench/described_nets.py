"""The nets that memory is compared on, as `catdog bench --net NAME` builds them, described once: `net(name)` gives the size of
the input, and a function that puts the net together with a builder's operations. A builder has conv, norm, relu, relu6,
max_pool, mean, flatten and dense."""
import nets

# Expansion, channels, blocks, stride and kernel of each stage: Sandler et al. 2018, arXiv:1801.04381; Tan and Le 2019,
# arXiv:1905.11946
MOBILE = {
    "mobilenet_v2": ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3),
                     (6, 160, 3, 2, 3), (6, 320, 1, 1, 3)),
    "efficientnet_lite0": ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
                           (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)),
}
VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
RESNET50 = ((64, 3), (128, 4), (256, 6), (512, 3))
NAMES = (*nets.NAMES, "resnet50", "vgg16", *MOBILE)


def plain(b, x, name):
    _, filters, padding, units = nets.PLAIN[name]
    for outputs in filters:
        x = b.max_pool(b.relu(b.conv(x, outputs, 3, same=padding == "same", bias=True)), 2)
    return b.relu(b.dense(b.flatten(x), units))


def vgg16(b, x):
    for outputs, convolutions in VGG16:
        for _ in range(convolutions):
            x = b.relu(b.conv(x, outputs, 3, bias=True))
        x = b.max_pool(x, 2)
    x = b.flatten(x)
    for _ in range(2):
        x = b.relu(b.dense(x, 4096))
    return x


def normed(b, x, outputs, kernel, stride=1, groups=1):
    return b.norm(b.conv(x, outputs, kernel, stride, groups))


def residual(b, x, main, outputs, stride):
    shortcut = x if stride == 1 and b.channels(x) == outputs else normed(b, x, outputs, 1, stride)
    return b.relu(main + shortcut)


def resnet18(b, x):
    x = b.max_pool(b.relu(normed(b, x, 64, 7, 2)), 3, 2)
    for outputs, stride in nets.RESNET18[1]:
        main = normed(b, b.relu(normed(b, x, outputs, 3, stride)), outputs, 3)
        x = residual(b, x, main, outputs, stride)
    return b.mean(x)


def resnet50(b, x):
    x = b.max_pool(b.relu(normed(b, x, 64, 7, 2)), 3, 2)
    for width, blocks in RESNET50:
        for block in range(blocks):
            stride = 2 if not block and width > 64 else 1
            main = b.relu(normed(b, b.relu(normed(b, x, width, 1)), width, 3, stride))
            x = residual(b, x, normed(b, main, 4 * width, 1), 4 * width, stride)
    return b.mean(x)


def mobile(b, x, name):
    x = b.relu6(normed(b, x, 32, 3, 2))
    for expansion, outputs, blocks, first_stride, kernel in MOBILE[name]:
        for block in range(blocks):
            stride, channels = 1 if block else first_stride, b.channels(x)
            main = b.relu6(normed(b, x, channels * expansion, 1)) if expansion > 1 else x
            main = b.relu6(normed(b, main, channels * expansion, kernel, stride, channels * expansion))
            main = normed(b, main, outputs, 1)
            x = main + x if stride == 1 and channels == outputs else main
    return b.mean(b.relu6(normed(b, x, 1280, 1)))


def net(name):
    if name in nets.PLAIN:
        return nets.PLAIN[name][0], lambda b, x: b.dense(plain(b, x, name), 1)
    if name in MOBILE:
        return 224, lambda b, x: b.dense(mobile(b, x, name), 1)
    body = {"resnet18": resnet18, "resnet50": resnet50, "vgg16": vgg16}[name]
    return nets.RESNET18[0] if name == "resnet18" else 224, lambda b, x: b.dense(body(b, x), 1)
