"""Each operator, in the forms that exporters use, gives what it gives in onnxruntime."""
import json

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

import conversion
from conversion import Net, succeeds, tool


def whole(*values):
    return numpy.array(values, numpy.int64)


@pytest.mark.parametrize("attributes", [
    {}, {"pads": [1, 1, 1, 1]}, {"pads": [0, 1, 2, 0], "strides": [2, 1]}, {"dilations": [2, 3], "pads": [2, 3, 2, 3]},
    {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"auto_pad": "SAME_LOWER", "strides": [2, 3]}, {"auto_pad": "VALID"},
    {"auto_pad": "NOTSET", "pads": [1, 0, 1, 0]},
])
def test_convolution(tmp_path, attributes):
    net = Net()
    net.conv(5, **attributes)
    net.assert_same(tmp_path)


@pytest.mark.parametrize("groups, filters", [(1, 4), (2, 6), (6, 6), (6, 12)])
@pytest.mark.parametrize("bias", [True, False])
def test_groups(tmp_path, groups, filters, bias):
    net = Net(("n", 3, 9, 8))
    net.conv(6)
    net.conv(filters, (3, 2), channels=6, groups=groups, bias=bias)
    net.assert_same(tmp_path)


@pytest.mark.parametrize("kind", ["Relu", "Sigmoid", "Tanh"])
def test_activations(tmp_path, kind):
    net = Net()
    net.conv(4)
    net.add(kind)
    net.assert_same(tmp_path)


def test_leaky_relu(tmp_path):
    net = Net()
    net.conv(4)
    net.add("LeakyRelu", alpha=0.2)
    net.add("LeakyRelu")
    net.assert_same(tmp_path)


@pytest.mark.parametrize("kind, opset, attributes", [
    ("HardSwish", 14, {}), ("HardSigmoid", 9, {}), ("HardSigmoid", 17, {"alpha": 1 / 6, "beta": 0.5}),
    ("HardSigmoid", 22, {"alpha": 0.3, "beta": 0.0}), ("Elu", 9, {}), ("Elu", 17, {"alpha": 0.5}),
    ("Elu", 17, {"alpha": 0.0}), ("Selu", 9, {}), ("Softplus", 9, {}), ("Gelu", 20, {}),
    ("Gelu", 20, {"approximate": "none"}), ("Gelu", 21, {"approximate": "tanh"})])
def test_other_activations(tmp_path, kind, opset, attributes):
    net = Net(opset=opset)
    net.conv(4)
    net.add(kind, **attributes)
    net.assert_same(tmp_path)


def test_swish(tmp_path):
    """onnxruntime doesn't have it yet: it is held against what it is defined as."""
    swish, product = Net(opset=24), Net(opset=24)
    swish.conv(4)
    swish.add("Swish")
    silu(product, product.conv(4))
    batch = conversion.images(2, 9, 8)
    one, other = (conversion.ours(net.save(tmp_path / "net.onnx"), batch) for net in (swish, product))
    assert (one == other).all()


def silu(net, x):
    return net.add("Mul", net.add("Sigmoid", of=x), of=x)


def hard_swish_by_clip(net, x):
    gate = net.add("Clip", *(net.constant(numpy.float32(c)) for c in (0, 6)),
                   of=net.add("Add", net.constant(numpy.float32(3)), of=x))
    return net.add("Div", net.constant(numpy.float32(6)), of=net.add("Mul", gate, of=x))


def hard_swish_by_clip_and_sixth(net, x):
    gate = net.add("Clip", *(net.constant(numpy.float32(c)) for c in (0, 6)),
                   of=net.add("Add", x, of=net.constant(numpy.float32(3))))
    return net.add("Mul", x, of=net.add("Mul", net.constant(numpy.float32(1 / 6)), of=gate))


def hard_swish_by_hard_sigmoid(net, x):
    return net.add("Mul", net.add("HardSigmoid", of=x, alpha=1 / 6, beta=0.5), of=x)


def one_plus_erf(net, x, kind="Div", constant=2 ** 0.5):
    erf = net.add("Erf", of=net.add(kind, net.constant(numpy.float32(constant)), of=x))
    return net.add("Add", net.constant(numpy.float32(1)), of=erf)


def gelu_half_last(net, x):
    return net.add("Mul", net.constant(numpy.float32(0.5)), of=net.add("Mul", one_plus_erf(net, x), of=x))


def gelu_half_first(net, x):
    half = net.add("Mul", net.constant(numpy.float32(0.5)), of=x)
    return net.add("Mul", one_plus_erf(net, x, "Mul", 0.5 ** 0.5), of=half)


def gelu_half_of_the_gate(net, x):
    gate = net.add("Mul", one_plus_erf(net, x), of=net.constant(numpy.float32(0.5)))
    return net.add("Mul", x, of=gate)


def gelu_tanh(net, x, cube):
    scaled = net.add("Mul", net.constant(numpy.float32(0.044715)), of=cube)
    sum = net.add("Add", scaled, of=x)
    tanh = net.add("Tanh", of=net.add("Mul", net.constant(numpy.float32((2 / numpy.pi) ** 0.5)), of=sum))
    gate = net.add("Add", tanh, of=net.constant(numpy.float32(1)))
    return net.add("Mul", net.constant(numpy.float32(0.5)), of=net.add("Mul", gate, of=x))


def gelu_tanh_by_power(net, x):
    return gelu_tanh(net, x, net.add("Pow", net.constant(numpy.float32(3)), of=x))


def gelu_tanh_by_products(net, x):
    return gelu_tanh(net, x, net.add("Mul", net.add("Mul", x, of=x), of=x))


def gelu_tanh_by_factors(net, x):
    scaled = net.add("Mul", x, of=net.add("Mul", net.constant(numpy.float32(0.044715)), of=x))
    inner = net.add("Mul", net.add("Add", net.constant(numpy.float32(1)), of=scaled),
                    of=net.add("Mul", net.constant(numpy.float32(0.7978845608)), of=x))
    gate = net.add("Add", net.constant(numpy.float32(1)), of=net.add("Tanh", of=inner))
    return net.add("Mul", gate, of=net.add("Mul", net.constant(numpy.float32(0.5)), of=x))


@pytest.mark.parametrize("write, layers", [
    (silu, ["silu"]), (hard_swish_by_clip, ["hard_swish"]), (hard_swish_by_clip_and_sixth, ["hard_swish"]),
    (hard_swish_by_hard_sigmoid, ["hard_swish"]), (gelu_half_last, ["gelu"]), (gelu_half_first, ["gelu"]),
    (gelu_half_of_the_gate, ["gelu"]), (gelu_tanh_by_power, ["gelu"]), (gelu_tanh_by_products, ["gelu"]),
    (gelu_tanh_by_factors, ["gelu"])])
def test_an_activation_in_parts_becomes_one_layer(tmp_path, write, layers):
    net = Net()
    write(net, net.conv(4))
    net.assert_same(tmp_path)
    assert layer_types(tmp_path / "net.onnx", tmp_path) == ["input", "conv2d", *layers]


@pytest.mark.parametrize("write", [silu, hard_swish_by_clip, gelu_half_first, gelu_half_last, gelu_tanh_by_products])
def test_an_activation_of_a_scaled_value(tmp_path, write):
    net = Net()
    net.add("Mul", net.constant(numpy.float32(2)), of=net.add("Relu", of=net.conv(4)))
    write(net, net.add("Add", net.weights(4, 1, 1)))
    net.assert_same(tmp_path)


def layer_types(path, folder):
    """Of the net that the library makes of a file: they are in the metadata of the model that it saves."""
    saved = folder / "saved.safetensors"
    succeeds("save", path, saved)
    bytes = saved.read_bytes()
    header = json.loads(bytes[8:8 + int.from_bytes(bytes[:8], "little")])
    return [layer["type"] for layer in json.loads(header["__metadata__"]["cnn.graph"])["layers"]]


@pytest.mark.parametrize("kind, attributes", [("Sigmoid", {}), ("HardSigmoid", {"alpha": 1 / 6})])
def test_a_gate_that_two_others_see(tmp_path, kind, attributes):
    net = Net()
    x = net.conv(4)
    gate = net.add(kind, of=x, **attributes)
    net.add("Concat", net.add("Mul", gate, of=x), of=gate, axis=1)
    net.assert_same(tmp_path)


def test_a_gate_that_is_scaled_and_not_multiplied(tmp_path):
    net = Net()
    net.conv(4)
    net.add("Mul", net.constant(numpy.float32(3)), of=net.add("Sigmoid"))
    net.conv(3, channels=4)
    net.assert_same(tmp_path)


@pytest.mark.parametrize("write, sentence", [
    (lambda net, x: net.add("Mul", net.add("Tanh", of=x), of=x), "both its inputs are computed"),
    (lambda net, x: net.add("Mul", net.add("Sigmoid", of=net.add("Relu", of=x)), of=x), "both its inputs are computed"),
    (lambda net, x: net.add("Mul", net.add("HardSigmoid", of=x), of=x), "both its inputs are computed"),
    (lambda net, x: net.add("Erf", of=x), "only as a part of GELU"),
    (lambda net, x: one_plus_erf(net, x), "only as a part of GELU"),
    (lambda net, x: net.add("Relu", of=net.add("Mul", x, of=x)), "only as a part of GELU"),
    (lambda net, x: net.add("Pow", net.constant(numpy.float32(4)), of=x), "only squares and cubes"),
    (lambda net, x: net.add("HardSigmoid", alpha=0.0, of=x), "its alpha is 0"),
    (lambda net, x: net.add("Elu", alpha=-1.0, of=x), "an alpha of -1"),
    (lambda net, x: net.add("Selu", alpha=2.0, of=x), "only the defaults"),
    (lambda net, x: net.add("Clip", *(net.constant(numpy.float32(c)) for c in (2, 1)), of=x), "clipping to 2 ... 1")])
def test_activations_that_are_refused(tmp_path, write, sentence):
    net = Net()
    write(net, net.conv(4))
    net.refused(tmp_path, sentence)


@pytest.mark.parametrize("opset, bounds", [
    (9, (0, 6)), (10, (0, None)), (11, (0, 6)), (17, (0, 6)), (13, (0, None)), (10, (-0.5, 0.75)), (17, (-0.5, 0.75)),
    (17, (0, 1)), (9, (None, 0.5)), (13, (-1, None))])
def test_clip(tmp_path, opset, bounds):
    net = Net(opset=opset)
    net.conv(4)
    if opset < 11:
        net.add("Clip", **{key: float(value) for key, value in zip(("min", "max"), bounds) if value is not None})
    else:
        net.add("Clip", *[net.constant(numpy.float32(value)) for value in bounds if value is not None])
    net.assert_same(tmp_path)


@pytest.mark.parametrize("attributes", [
    {"kernel_shape": [2, 2], "strides": [2, 2]}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    {"kernel_shape": [3, 2]}, {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, {"kernel_shape": [2, 3], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
])
@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_pooling(tmp_path, kind, attributes):
    net = Net()
    net.conv(4, 1)
    net.add(kind, **attributes)
    net.assert_same(tmp_path)


def test_an_average_that_counts_its_padding(tmp_path):
    net = Net()
    net.add("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    net.add("AveragePool", kernel_shape=[1, 1])
    net.assert_same(tmp_path)


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pooling(tmp_path, kind):
    net = Net()
    net.conv(4)
    net.add(kind)
    net.assert_same(tmp_path)


def shape_of(net, value, *dims):
    """The shape (batch of `value`, *dims), computed as exporters do it, by one of several ways."""
    minus_one = net.constant(whole(-1))
    batch = net.add("Shape", of=value, start=0, end=1)
    yield net.add("Concat", net.constant(whole(*dims)), of=net.add("Reshape", minus_one, of=net.add("Squeeze")), axis=0)
    gathered = net.add("Gather", net.constant(numpy.array(0)), of=net.add("Shape", of=value), axis=0)
    yield net.add("Concat", net.constant(whole(*dims)), of=net.add("Unsqueeze", net.constant(whole(0)), of=gathered), axis=0)
    sliced = net.add("Slice", net.constant(whole(0)), net.constant(whole(1)), of=net.add("Shape", of=value))
    cast = net.add("Cast", of=net.add("Cast", of=sliced, to=TensorProto.FLOAT), to=TensorProto.INT64)
    doubled = net.add("Mul", net.constant(whole(2)), of=cast)
    halved = net.add("Div", net.constant(whole(2)), of=doubled)
    yield net.add("Concat", net.constant(whole(*dims)), of=halved, axis=0)
    yield net.add("Concat", net.constant(whole(*dims)), of=net.add("Expand", net.constant(whole(1)), of=batch), axis=0)


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize("dims", [(4,), (-1,)])
def test_shapes_that_are_computed_from_an_open_batch(tmp_path, way, dims):
    net = Net()
    x = net.add("GlobalAveragePool", of=net.conv(4))
    shape = list(shape_of(net, "x", *dims))[way]
    net.add("Reshape", shape, of=x, allowzero=1)
    net.add("Gemm", net.weights(4, 3))
    net.assert_same(tmp_path)


def test_a_bias_that_pytorch_makes_of_nothing(tmp_path):
    net = Net(opset=20)
    weight = net.weights(5, 3, 3, 3)
    length = net.add("Expand", net.constant(whole(1)), of=net.add("Shape", of=weight, start=0, end=1))
    zero = net.add("CastLike", "x", of=net.constant(numpy.float32(0.25)))
    net.add("Conv", weight, net.add("Expand", length, of=zero), of="x")
    net.assert_same(tmp_path)


def test_an_expansion_that_is_too_large_is_refused(tmp_path):
    net = Net()
    net.conv(4)
    net.add("Add", net.add("Expand", net.constant(whole(1, 4000, 4000)), of=net.constant(numpy.float32([1]))), of="v0")
    net.refused(tmp_path, "Expand", "too large")


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("opset", [9, 17, 18, 21])
def test_the_mean_over_height_and_width(tmp_path, keep, opset):
    net = Net(opset=opset)
    net.conv(4)
    if opset < 18:
        net.add("ReduceMean", axes=[-1, 2], keepdims=keep)
    else:
        net.add("ReduceMean", net.constant(whole(2, 3)), keepdims=keep)
    net.add("Relu")
    net.assert_same(tmp_path)


def test_batch_normalisation(tmp_path):
    net = Net()
    net.conv(4, bias=False)
    variance = net.constant(net.rng.random(4).astype(numpy.float32) + 0.5)
    net.add("BatchNormalization", net.weights(4), net.weights(4), net.weights(4), variance, epsilon=1e-3)
    net.assert_same(tmp_path)


def test_batch_normalisation_of_flattened_features(tmp_path):
    net = Net()
    net.conv(4)
    net.add("Flatten")
    variance = net.constant(net.rng.random(168).astype(numpy.float32) + 0.5)
    net.add("BatchNormalization", net.weights(168), net.weights(168), net.weights(168), variance)
    net.add("Gemm", net.weights(168, 3))
    net.assert_same(tmp_path)


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_dense_layer_behind_flatten(tmp_path, transposed):
    net = Net()
    net.conv(4)
    net.add("Relu", of=net.add("Flatten"))
    shape = (168, 10) if not transposed else (10, 168)
    net.add("Gemm", net.weights(*shape), net.weights(10), transB=transposed, alpha=0.5, beta=2.0)
    net.add("Gemm", net.weights(10, 2), net.constant(numpy.float32([1.5])))
    net.assert_same(tmp_path)


@pytest.mark.parametrize("shape", [(0, -1), (-1, 168), (2, -1), (2, 168), (0, 168)])
def test_reshape_that_flattens(tmp_path, shape):
    net = Net((2, 3, 9, 8))
    net.conv(4)
    net.add("Reshape", net.constant(whole(*shape)))
    net.add("MatMul", net.weights(168, 5))
    net.add("Add", net.weights(5))
    net.assert_same(tmp_path)


@pytest.mark.parametrize("opset", [9, 13])
def test_the_flatten_of_traced_shapes(tmp_path, opset):
    """x.view(x.size(0), -1) in PyTorch."""
    net = Net(opset=opset)
    x = net.conv(4)
    batch = net.add("Gather", net.constant(whole(0)[0]), of=net.add("Shape"))
    axes = {"axes": [0]} if opset < 13 else {}
    batch = net.add("Unsqueeze", *([] if axes else [net.constant(whole(0))]), of=batch, **axes)
    shape = net.add("Concat", net.constant(whole(-1)), of=batch, axis=0)
    net.add("Reshape", shape, of=x)
    net.add("Gemm", net.weights(168, 5), net.weights(5))
    net.assert_same(tmp_path)


def test_a_network_with_channels_last(tmp_path):
    """As tf2onnx writes it: normalisation, transposed for each convolution, the flatten in height, width, channels."""
    net = Net(("n", 9, 8, 3))
    net.add("Sub", net.constant(numpy.float32([0.1, 0.2, 0.3])))
    net.add("Div", net.constant(numpy.float32([0.5, 1.5, 2.0])))
    net.add("Transpose", perm=[0, 3, 1, 2])
    net.conv(4, bias=False)
    net.add("Add", net.weights(1, 4, 1, 1))
    net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("Relu")
    net.add("Reshape", net.constant(whole(-1, 168)))
    net.add("MatMul", net.weights(168, 6))
    net.add("Add", net.weights(6))
    net.add("Softmax")
    net.assert_same(tmp_path, channels_last=True)


@pytest.mark.parametrize("perm", [[0, 1, 3, 2], [0, 2, 1, 3], [0, 3, 2, 1]])
@pytest.mark.parametrize("last", [None, "Relu"])
def test_an_output_whose_axes_are_in_another_order_is_refused(tmp_path, perm, last):
    net = Net()
    net.conv(4)
    net.add("Transpose", perm=perm)
    if last:
        net.add(last)
    net.refused(tmp_path, "output is an image", "Transpose")


def test_axes_that_come_back_to_their_order(tmp_path):
    net = Net()
    net.conv(4)
    net.add("Transpose", perm=[0, 1, 3, 2])
    net.add("Relu")
    net.add("Transpose", perm=[0, 1, 3, 2])
    net.conv(5, channels=4)
    net.assert_same(tmp_path)


def test_squeezed_features(tmp_path):
    net = Net(opset=13)
    net.conv(4)
    net.add("Squeeze", net.constant(whole(2, 3)), of=net.add("GlobalAveragePool"))
    net.add("Unsqueeze", net.constant(whole(2, 3)))
    net.conv(5, 1, channels=4)
    net.add("Reshape", net.constant(whole(0, -1)))
    net.assert_same(tmp_path)


def test_pooling_down_to_one_pixel(tmp_path):
    net = Net((1, 3, 4, 4), opset=11)
    net.add("AveragePool", kernel_shape=[4, 4])
    net.add("Squeeze", axes=[3])
    net.add("Squeeze", axes=[2])
    net.add("Gemm", net.weights(3, 2))
    net.assert_same(tmp_path)


def test_sums_and_concatenation(tmp_path):
    net = Net()
    a = net.conv(4, pads=[1, 1, 1, 1])
    b = net.add("Relu")
    c = net.add("Add", b, of=a)
    net.add("Concat", "x", b, c, of=a, axis=1)
    net.add("Sum", net.last)
    net.assert_same(tmp_path)


def test_a_concatenation_of_many(tmp_path):
    net = Net()
    values = [net.conv(1 + i % 3, of="x") for i in range(40)]
    net.add("Concat", *values[1:], of=values[0], axis=-3)
    net.assert_same(tmp_path)


def test_arithmetic_with_constants(tmp_path):
    net = Net()
    net.add("Mul", net.constant(numpy.float32(0.5)))
    net.add("Sub", net.weights(3, 1, 1))
    net.conv(20, 1)
    net.add("Mul", net.weights(1, 20, 1, 1))
    net.add("Add", net.weights(20, 1, 1))
    net.add("Relu")
    net.add("Div", net.constant(numpy.float32([2.0])))
    net.nodes.append(helper.make_node("Sub", [net.constant(numpy.float32(1)), net.last], ["one_minus"]))
    net.last = "one_minus"
    net.assert_same(tmp_path)


def test_a_bias_that_is_used_twice_is_not_merged(tmp_path):
    net = Net()
    x = net.conv(4, bias=False)
    y = net.add("Add", net.weights(4, 1, 1))
    net.add("Add", y, of=x)
    net.assert_same(tmp_path)


def test_arithmetic_on_one_of_two_names_of_a_value(tmp_path):
    net = Net()
    x = net.conv(4)
    scaled = net.add("Mul", net.weights(4, 1, 1), of=net.add("Identity"))
    net.add("Add", scaled, of=net.add("Relu", of=x))
    net.assert_same(tmp_path)


def test_arithmetic_goes_into_the_weights(tmp_path):
    """No layer is made of a batch normalisation that was taken apart: training would change what it does."""
    net = Net()
    net.conv(20, bias=False)
    net.add("Mul", net.weights(1, 20, 1, 1))
    net.add("Add", net.weights(20, 1, 1))
    net.add("Flatten", of=net.add("GlobalAveragePool"))
    net.add("Gemm", net.weights(20, 5))
    net.add("Sub", net.weights(5))
    net.assert_same(tmp_path)
    assert succeeds("weights", tmp_path / "net.onnx") == f"{20 * 27 + 20 + 20 * 5 + 5}\n"


def test_arithmetic_behind_flatten(tmp_path):
    net = Net()
    net.add("Flatten", of=net.conv(4))
    net.add("Mul", net.weights(168))
    net.add("Gemm", net.weights(168, 3))
    net.assert_same(tmp_path)


@pytest.mark.parametrize("opset", [9, 11, 18])
def test_padding_before_convolution_and_pooling(tmp_path, opset):
    net = Net(opset=opset)
    for kind in ("Conv", "MaxPool"):
        pads = [0, 0, 1, 0, 0, 0, 2, 1]
        if opset < 11:
            net.add("Pad", pads=pads)
        elif opset < 18:
            net.add("Pad", net.constant(whole(*pads)), net.constant(numpy.float32(0)))
        else:
            net.add("Pad", net.constant(whole(1, 0, 2, 1)), "", net.constant(whole(2, -1)))
        if kind == "Conv":
            net.conv(4, strides=[2, 2])
            net.add("Relu")
        else:
            net.add("MaxPool", kernel_shape=[3, 3])
    net.assert_same(tmp_path)


@pytest.mark.parametrize("kind, attributes", [
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2]}), ("MaxPool", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", {"kernel_shape": [3, 3]}), ("AveragePool", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 3], "ceil_mode": 1}),
    ("GlobalMaxPool", {}), ("GlobalAveragePool", {}), ("Relu", {}), ("Flatten", {}),
])
@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (3, 0, 4, 2)])
def test_zeros_around_values_below_zero(tmp_path, kind, attributes, pads):
    """As in Keras's ResNet50V2, where a convolution, padding and pooling follow each other."""
    net = Net()
    net.conv(4)
    net.add("Sub", net.constant(numpy.float32(9)))
    net.add("Pad", net.constant(whole(0, 0, *pads[:2], 0, 0, *pads[2:])))
    net.add(kind, **attributes)
    if kind == "Flatten":
        net.add("Gemm", net.weights(4 * (7 + pads[0] + pads[2]) * (6 + pads[1] + pads[3]), 3))
    net.assert_same(tmp_path)


def test_zeros_that_two_others_see(tmp_path):
    net = Net()
    net.conv(4)
    padded = net.add("Pad", net.constant(whole(0, 0, 1, 1, 0, 0, 1, 1)))
    one = net.add("MaxPool", kernel_shape=[2, 2], of=padded)
    net.conv(4, kernel=2, channels=4, of=padded)
    net.add("Add", one)
    net.assert_same(tmp_path)


def test_what_does_nothing(tmp_path):
    net = Net(opset=13)
    net.conv(4)
    net.add("Dropout", net.constant(numpy.float32(0.3)))
    net.add("Identity")
    net.add("Cast", to=TensorProto.FLOAT)
    net.assert_same(tmp_path)


@pytest.mark.parametrize("opset", [9, 13])
def test_softmax(tmp_path, opset):
    net = Net(opset=opset)
    net.add("Flatten", of=net.add("GlobalAveragePool"))
    net.add("Gemm", net.weights(3, 7), net.weights(7))
    net.add("Softmax", **({"axis": 1} if opset < 13 else {}))
    net.assert_same(tmp_path)


def test_constants_that_are_computed(tmp_path):
    net = Net()
    transposed = net.add("Transpose", of=net.weights(4, 3, 2, 2), perm=[1, 0, 3, 2])
    net.add("Reshape", net.constant(whole(4, 3, 2, 2)), of=transposed)
    weight = net.add("Mul", net.weights(4, 1, 1, 1), of=net.last)
    part = net.add("Slice", net.constant(whole(6)), net.constant(whole(-9)), net.constant(whole(0)),
                   net.constant(whole(-1)), of=net.weights(9))
    bias = net.add("Gather", net.constant(whole(3, 0, -1, 2)), of=part)
    ones = net.add("ConstantOfShape", of=net.constant(whole(4)),
                   value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0]))
    net.nodes.append(helper.make_node("Add", [bias, ones], ["bias"]))
    net.add("Conv", weight, "bias", of="x")
    net.assert_same(tmp_path)


def quantized(net, values, axis=None):
    scale = numpy.abs(values).max(axis=tuple(range(1, values.ndim)) if axis is not None else None) / 127
    shape = (-1, *[1] * (values.ndim - 1)) if axis is not None else ()
    whole_values = numpy.round(values / numpy.reshape(scale, shape)).astype(numpy.int8)
    scale = numpy.float32(scale)
    return net.add("DequantizeLinear", net.constant(scale), net.constant(numpy.zeros(scale.shape, numpy.int8)),
                   of=net.constant(whole_values), axis=axis or 0)


def test_a_constant_that_is_quantised_and_back(tmp_path):
    net = Net()
    step = [net.constant(numpy.float32(0.5)), net.constant(numpy.uint8(3))]
    value = net.add("DequantizeLinear", *step, of=net.add("QuantizeLinear", *step, of=net.constant(numpy.float32(0))))
    net.add("Pad", net.constant(whole(0, 0, 1, 1, 0, 0, 0, 1)), value, of="x")
    net.conv(4)
    net.assert_same(tmp_path)


@pytest.mark.parametrize("step", [0.08, 6 / 255])
def test_a_quantised_model(tmp_path, step):
    """Weights are as they are quantised; the rounding in between is left out, but what it cuts off is not."""
    net = Net()
    weight = quantized(net, net.rng.standard_normal((4, 3, 3, 3)), axis=0)
    bias = net.add("DequantizeLinear", net.constant(numpy.float32(1e-3)), net.constant(numpy.int32(0)),
                   of=net.constant(numpy.int32([100, -200, 300, 0])))
    net.add("Conv", weight, bias, of="x")
    quantize = [net.constant(numpy.float32(step)), net.constant(numpy.uint8(0))]
    net.add("QuantizeLinear", *quantize)
    net.add("DequantizeLinear", *quantize)
    path = net.save(tmp_path / "net.onnx")
    batch = conversion.images(2, 9, 8)
    mine = conversion.ours(path, batch)
    other = conversion.theirs(path, conversion.to_channels_first(batch)).transpose(0, 2, 3, 1).reshape(2, -1)
    assert mine.min() == 0 and (step > 0.03 or mine.max() == 6)
    assert numpy.abs(mine - other).max() <= 0.51 * step


@pytest.mark.parametrize("kind", ["float16", "float64", "bfloat16", "typed"])
def test_types_of_weights(tmp_path, kind):
    net = Net()
    net.conv(4)
    model = net.model()
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        rounded = values.view(numpy.uint32) & 0xFFFFE000 if kind == "float16" else values.view(numpy.uint32) & 0xFFFF0000
        values = rounded.view(numpy.float32)
        exact = helper.make_tensor(tensor.name, TensorProto.FLOAT, values.shape, values.flatten())
        kinds = {"float16": TensorProto.FLOAT16, "float64": TensorProto.DOUBLE, "bfloat16": TensorProto.BFLOAT16,
                 "typed": TensorProto.FLOAT}
        tensor.CopyFrom(helper.make_tensor(tensor.name, kinds[kind], values.shape, values.flatten()))
        if kind == "float16":
            exact = helper.make_tensor(tensor.name, TensorProto.FLOAT, values.shape,
                                       onnx.numpy_helper.to_array(tensor).astype(numpy.float32).flatten())
        net.constants[[c.name for c in net.constants].index(tensor.name)] = exact
    onnx.save(model, str(tmp_path / "typed.onnx"))
    net.save(tmp_path / "exact.onnx")
    batch = conversion.images(2, 9, 8)
    conversion.assert_close(conversion.ours(tmp_path / "typed.onnx", batch),
                            conversion.theirs(tmp_path / "exact.onnx", conversion.to_channels_first(batch)))


def test_weights_in_another_file(tmp_path):
    net = Net()
    net.conv(4)
    net.save(tmp_path / "whole.onnx")
    model = onnx.load(str(tmp_path / "whole.onnx"))
    (tmp_path / "parts").mkdir()
    onnx.save(model, str(tmp_path / "net.onnx"), save_as_external_data=True, location="parts/weights.bin",
              size_threshold=0)
    conversion.assert_same(tmp_path / "net.onnx", (9, 8))


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../weights.bin", "link/weights.bin"])
def test_weights_outside_the_folder_are_not_read(tmp_path, location):
    (tmp_path / "weights.bin").write_bytes(bytes(10000))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    net = Net()
    net.conv(4)
    model = net.model()
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    done = tool("weights", folder / "net.onnx")
    assert done.returncode == 1 and "leads out of the model's folder" in done.stderr


@pytest.mark.parametrize("length, sentence", [
    (3, "net.onnx: \"w\" is incomplete, shorter than the weights that it should hold: copy it again\n"),
    (None, "/w: can't be opened, but holds the weights of {}: No such file or directory; copy it there: ")])
def test_weights_that_are_missing(tmp_path, length, sentence):
    net = Net()
    net.conv(4)
    onnx.save(net.model(), str(tmp_path / "net.onnx"), save_as_external_data=True, location="w", size_threshold=0)
    weights = tmp_path / "w"
    weights.unlink() if length is None else weights.write_bytes(bytes(length))
    done = tool("weights", tmp_path / "net.onnx")
    assert done.returncode == 1 and sentence.format(tmp_path / "net.onnx") in done.stderr


def test_an_operator_that_is_not_supported_is_named(tmp_path):
    net = Net()
    net.conv(4)
    net.add("Mish")
    net.refused(tmp_path, "net.onnx: node Mish_v1 (Mish)", "not supported")


def test_what_is_refused(tmp_path):
    net = Net()
    net.add("Conv", net.add("Relu"), of="x")
    net.refused(tmp_path, "Conv", "computed")
    net = Net(opset=8)
    net.conv(4)
    net.refused(tmp_path, "opset 8; 9 to 24")
    net = Net(opset=25)
    net.conv(4)
    net.refused(tmp_path, "opset 25")
    net = Net(("n", 3, "h", "w"))
    net.conv(4)
    net.refused(tmp_path, "leaves the height")
    net = Net()
    net.conv(4, channels=2)
    net.refused(tmp_path, "for 3 channels")
    net = Net()
    first = net.conv(4)
    net.conv(4, of="x")
    net.refused(tmp_path, "2 outputs", outputs=[first, net.last])
    net = Net()
    net.add("Pad", net.constant(whole(0, 0, 1, 1, 0, 0, 1, 1)), net.constant(numpy.float32(2)))
    net.add("MaxPool", kernel_shape=[2, 2])
    net.refused(tmp_path, "MaxPool", "padded by 2, not 0")
    net = Net()
    net.conv(4, auto_pad="SAME")
    net.refused(tmp_path, "Conv", "auto_pad", "SAME_UPPER")
    net = Net()
    net.add("MaxPool", kernel_shape=[2, 2], auto_pad="valid")
    net.refused(tmp_path, "MaxPool", "auto_pad", "VALID")
    net = Net()
    net.add("Pad", net.constant(whole(0, 0, 1, 1, 0, 0, 1, 1)), mode="wrap")
    net.add("MaxPool", kernel_shape=[2, 2])
    net.refused(tmp_path, "Pad", "by a constant")
    net = Net()
    net.conv(4)
    net.add("Flatten")
    net.refused(tmp_path, "its output is an image")
    net = Net()
    net.add("Reshape", net.constant(whole(0, 9, 3, 8)), of=net.conv(3, pads=[1, 1, 1, 1]))
    net.refused(tmp_path, "Reshape", "features")
    net = Net()
    net.constants.append(onnx.numpy_helper.from_array(numpy.full((4, 3, 3, 3), numpy.nan, numpy.float32), "w"))
    net.add("Conv", "w")
    net.refused(tmp_path, "not finite")


def test_metadata_become_notes_and_metadata_again(tmp_path):
    net = Net()
    net.conv(4)
    path = net.save(tmp_path / "net.onnx", metadata={"author": "Émile", "cnn.classes": '["a", "b"]'})
    succeeds("save", path, tmp_path / "again.onnx")
    kept = {entry.key: entry.value for entry in onnx.load(str(tmp_path / "again.onnx")).metadata_props}
    assert kept == {"author": "Émile", "cnn.classes": '["a", "b"]'}


@pytest.mark.parametrize("name, wrong, right", [
    ("strides", 2, "a list of whole numbers"), ("strides", [1.5, 1.5], "a list of whole numbers"),
    ("auto_pad", 1, "text"), ("group", "1", "a whole number"), ("group", 1.0, "a whole number"),
])
def test_an_attribute_of_a_wrong_kind_is_refused_by_its_name(tmp_path, name, wrong, right):
    net = Net()
    net.conv(4)
    node = net.nodes[-1]
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, wrong)])
    net.refused(tmp_path, "Conv", f"attribute {name} is not {right}")


def test_an_attribute_that_says_another_type_than_it_holds_is_refused(tmp_path):
    net = Net()
    net.conv(4)
    net.add("LeakyRelu", alpha=0.2)
    net.nodes[-1].attribute[0].type = onnx.AttributeProto.INT
    net.refused(tmp_path, "LeakyRelu", "attribute alpha is not a number")


def test_attributes_without_a_type_are_read_as_what_they_hold(tmp_path):
    net = Net()
    net.conv(4, strides=[2, 1])
    net.add("LeakyRelu", alpha=0.2)
    for node in net.nodes:
        for attribute in node.attribute:
            attribute.ClearField("type")
    net.save(tmp_path / "old.onnx")
    succeeds("weights", tmp_path / "old.onnx")
