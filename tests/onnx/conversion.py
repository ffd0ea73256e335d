"""Runs models in onnxruntime and, by way of onnx_tool, in the library."""
import os
import subprocess

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

TOOL = os.environ.get("CNN_ONNX_TOOL", "onnx_tool")


def tool(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, errors="replace", timeout=300)


def succeeds(*arguments):
    done = tool(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ours(path, images):
    """The library's output for images as N × height × width × channels."""
    source, target = f"{path}.in", f"{path}.out"
    numpy.ascontiguousarray(images, numpy.float32).tofile(source)
    succeeds("predict", path, source, target)
    return numpy.fromfile(target, numpy.float32).reshape(len(images), -1)


def theirs(path, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: inputs.astype(numpy.float32)})[0]


def images(count, height, width, channels=3, seed=0):
    return numpy.random.default_rng(seed).standard_normal((count, height, width, channels)).astype(numpy.float32)


def to_channels_first(values):
    return numpy.ascontiguousarray(values.transpose(0, 3, 1, 2))


def assert_close(mine, other):
    """Within 1e-4 of the largest value. A map of height × width is compared as our layout has it."""
    if other.ndim == 4:
        other = other.transpose(0, 2, 3, 1)
    other = other.reshape(len(other), -1)
    assert mine.shape == other.shape
    assert numpy.isfinite(mine).all()
    assert numpy.abs(mine - other).max() <= 1e-4 * numpy.abs(other).max()


def assert_same(path, size, count=2, channels=3, seed=0, channels_last=False):
    """The model at `path` gives the same here as in onnxruntime."""
    batch = images(count, *size, channels=channels, seed=seed)
    assert_close(ours(path, batch), theirs(path, batch if channels_last else to_channels_first(batch)))


class Net:
    """An ONNX graph in the making: values have names, constants are random unless given."""

    def __init__(self, shape=("n", 3, 9, 8), opset=17, seed=1):
        self.rng = numpy.random.default_rng(seed)
        self.nodes, self.constants, self.opset, self.shape = [], [], opset, shape
        self.last = "x"

    def constant(self, value):
        value = numpy.asarray(value)
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def weights(self, *shape, scale=0.5):
        return self.constant((self.rng.standard_normal(shape) * scale).astype(numpy.float32))

    def add(self, kind, *inputs, of=None, outputs=1, **attributes):
        """Appends a node whose first input is `of`, or what was appended last."""
        name = f"v{len(self.nodes)}"
        names = [name] + [f"{name}_{i}" for i in range(1, outputs)]
        first = [] if of is False else [of or self.last]
        self.nodes.append(helper.make_node(kind, first + list(inputs), names, name=f"{kind}_{name}", **attributes))
        self.last = name
        return name

    def conv(self, filters, kernel=3, channels=3, groups=1, bias=True, of=None, **attributes):
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        inputs = [self.weights(filters, channels // groups, *size)] + ([self.weights(filters)] if bias else [])
        return self.add("Conv", *inputs, of=of, group=groups, **attributes)

    def model(self, outputs=None, domain=None, metadata=None):
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs or [self.last]]
        graph = helper.make_graph(self.nodes, "g", inputs, ends, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        for key, value in (metadata or {}).items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value
        return model

    def save(self, path, **more):
        onnx.save(self.model(**more), str(path))
        return path

    def assert_same(self, tmp_path, **more):
        shape = [d if isinstance(d, int) else 2 for d in self.shape]
        last = more.pop("channels_last", False)
        height, width, channels = shape[1:] if last else (shape[2], shape[3], shape[1])
        path = self.save(tmp_path / "net.onnx")
        assert_same(path, (height, width), channels=channels, count=shape[0], channels_last=last, **more)

    def refused(self, tmp_path, *sentence, **more):
        done = tool("weights", self.save(tmp_path / "net.onnx", **more))
        assert done.returncode == 1
        for part in sentence:
            assert part in done.stderr, done.stderr
