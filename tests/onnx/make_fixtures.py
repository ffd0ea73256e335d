"""Writes the small models of tests/unit/formats/onnx, which hold an input and what onnxruntime makes of it as metadata.

Usage: python tests/onnx/make_fixtures.py"""
import json
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper

from conversion import Net, theirs

FOLDER = Path(__file__).parents[1] / "unit/formats/onnx"


def finish(net, name, channels_last=False):
    shape = [dim if isinstance(dim, int) else 1 for dim in net.shape]
    path = FOLDER / f"{name}.onnx"
    values = numpy.random.default_rng(3).integers(-20, 20, shape).astype(numpy.float32) / 10
    output = theirs(net.save(path), values).flatten()
    image = values if channels_last else values.transpose(0, 2, 3, 1)
    net.save(path, metadata={"input": json.dumps([round(float(v), 1) for v in image.flatten()]),
                             "output": json.dumps([float(v) for v in output])})


def residual():
    """Channels first, as PyTorch writes it."""
    net = Net(("n", 3, 6, 5), opset=17)
    x = net.conv(4, strides=[2, 2], pads=[0, 0, 1, 1], bias=False)
    variance = net.constant(numpy.float32([1, 0.5, 2, 1.5]))
    net.add("BatchNormalization", net.weights(4), net.weights(4), net.weights(4), variance)
    x = net.add("Clip", net.constant(numpy.float32(0)), net.constant(numpy.float32(6)))
    net.conv(4, channels=4, groups=4, pads=[1, 1, 1, 1])
    net.add("Relu", of=net.add("Add", net.last, of=x))
    net.add("MaxPool", kernel_shape=[2, 2], strides=[1, 1])
    net.add("Flatten")
    net.add("Gemm", net.weights(3, 8), net.weights(3), transB=1)
    finish(net, "residual")


def channels_last():
    """As tf2onnx writes Keras's networks."""
    net = Net(("n", 6, 5, 3), opset=15)
    net.add("Sub", net.constant(numpy.float32([0.1, 0.2, 0.3])))
    net.add("Transpose", perm=[0, 3, 1, 2])
    net.add("Pad", net.constant(numpy.int64([0, 0, 1, 0, 0, 0, 0, 2])))
    net.conv(4, bias=False)
    net.add("Relu", of=net.add("Add", net.weights(1, 4, 1, 1)))
    net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("Reshape", net.constant(numpy.int64([-1, 100])))
    net.add("Add", net.weights(2), of=net.add("MatMul", net.weights(100, 2)))
    finish(net, "channels_last", channels_last=True)


def traced():
    """Opset 9, a flatten that computes its shape, weights in half precision and as lists of numbers."""
    net = Net(("n", 3, 6, 5), opset=9)
    x = net.conv(4, 2)
    batch = net.add("Gather", net.constant(numpy.int64(0)), of=net.add("Shape"))
    shape = net.add("Concat", net.constant(numpy.int64([-1])), of=net.add("Unsqueeze", axes=[0]), axis=0)
    net.add("Reshape", shape, of=x)
    net.add("Gemm", net.weights(80, 2), net.weights(2))
    finish(net, "traced")
    model = onnx.load(str(FOLDER / "traced.onnx"))
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        tensor.CopyFrom(helper.make_tensor(tensor.name, tensor.data_type, values.shape, values.flatten()))
    onnx.save(model, str(FOLDER / "traced.onnx"))


def open_size():
    """A convolution for images of any size, and its weights in half precision."""
    net = Net(("n", 3, "height", "width"))
    weight = numpy.float32(numpy.arange(27).reshape(1, 3, 3, 3) / 8)
    net.constants.append(helper.make_tensor("w", TensorProto.FLOAT16, weight.shape, weight.flatten()))
    net.add("Conv", net.add("Cast", to=TensorProto.FLOAT, of="w"), of="x")
    net.add("GlobalAveragePool")
    net.save(FOLDER / "open_size.onnx")


def mixed():
    """For the fuzzer: quantisation, constants that are computed, and what else the others lack."""
    net = Net(("n", 3, 6, 5))
    step = [net.constant(numpy.float32(0.02)), net.constant(numpy.uint8(0))]
    whole = [net.constant(numpy.int64(values)) for values in ([6], [-9], [0], [-1], [3, 0, -1, 2], [4], [4, -1, 1], [2])]
    net.add("DequantizeLinear", *step, of=net.add("QuantizeLinear", *step))
    net.add("Mul", net.weights(1, 4, 1, 1), of=net.conv(4, bias=False))
    x = net.add("DequantizeLinear", *step, of=net.add("QuantizeLinear", *step))
    gathered = net.add("Gather", whole[4], of=net.add("Slice", *whole[:4], of=net.weights(9)))
    ones = net.add("ConstantOfShape", of=whole[5], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0]))
    bias = net.add("Reshape", whole[6], of=net.add("Add", ones, of=gathered))
    pooled = net.add("AveragePool", of=net.add("Add", bias, of=x), kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)
    net.add("ReduceMean", of=net.add("Concat", pooled, of=x, axis=1), axes=[2, 3], keepdims=0)
    net.add("Squeeze", whole[7], of=net.add("Unsqueeze", whole[7]))
    net.add("Softmax", of=net.add("MatMul", net.weights(8, 3)))
    net.save(FOLDER / "mixed.onnx")


def without_data():
    """A constant of as many floats as have 2^32 bytes, and none of them: 0, to a processor of 32 bits that adds up."""
    net = Net(("n", 3, 6, 5))
    net.constants.append(TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[1 << 30], raw_data=b""))
    net.add("Flatten", of=net.add("Add", "c", of="x"))
    net.save(FOLDER / "without_data.onnx")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for make in (residual, channels_last, traced, open_size, mixed, without_data):
        make()
