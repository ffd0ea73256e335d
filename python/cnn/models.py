"""Networks: graphs, models, optimizers."""
from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Literal, NamedTuple, Optional, Sequence, TypeVar

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._library import library
from ._numbers import array_for
from ._objects import Object, ref, text_of
from ._records import (BatchNormOptions, Conv2dOptions, DenseOptions, NetOptions, OnnxOptions, OptimizerOptions, PathLike,
                       Pool2dOptions)
from ._structs import defaults, enum_value, struct_of
from .context import Context
from .errors import ShapeError
from .tensors import Tensor, tensor_of, view

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack

R = TypeVar("R")


def net_names() -> list[str]:
    """The nets that go by a name.

    >>> "resnet18" in cnn.net_names()
    True
    """
    names: list[str] = []
    while (name := library.cnn_net_name(len(names))) is not None:
        names.append(name.decode())
    return names


def written_bytes(save: Callable[[Path], Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def read_bytes(load: Callable[[Path], R], data: bytes) -> R:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file").write_bytes(data)
        return load(Path(folder) / "file")


def _sides(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _shape(dims_of: Callable[..., int], *of: Any) -> tuple[int, ...]:
    dims = (ctypes.c_int64 * abi.CNN_MAX_RANK)()
    return tuple(dims[:dims_of(*of, dims, abi.CNN_MAX_RANK)])


class Layer(NamedTuple):
    """A node of a graph."""

    name: str
    type: str
    shape: tuple[int, ...]  # of its output, without the batch


class Graph(Object):
    """A network as it is built: each method adds a layer to node `x` and gives its node. A layer that doesn't fit
    raises ShapeError, and the graph is then of no more use.

    >>> g = cnn.Graph()
    >>> x = g.input(32, 32, 3)
    >>> x = g.max_pool2d(g.relu(g.conv2d(x, 16, kernel=3, padding="same")))
    >>> x = g.dense(g.flatten(x), 1)
    >>> g.layers[x]
    Layer(name='dense_1', type='dense', shape=(1,))
    """

    _type = "cnn_graph"

    def __init__(self, *, context: Optional[Context] = None) -> None:
        pointer = self._place()
        library.cnn_graph_create(context, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def net(cls, name: str, **options: Unpack[NetOptions]) -> Graph:
        """A net by name; see net_names().

        >>> cnn.Graph.net("two_conv", size=48, outputs=3)
        <cnn.Graph: 48×48×3 to 3, 11 layers>
        """
        pointer = cls._place()
        library.cnn_graph_create_net(None, name.encode(), struct_of(abi.cnn_net_options, options), ref(pointer))
        return cls._made(pointer)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """What to_json() wrote."""
        pointer, data = cls._place(), text.encode()
        library.cnn_graph_from_json(None, data, len(data), ref(pointer))
        return cls._made(pointer)

    def to_json(self) -> str:
        """The graph as text, for from_json() and files."""
        return text_of(lambda place: library.cnn_graph_to_json(self, place))

    def __reduce__(self) -> Any:  # for copy and pickle
        return Graph.from_json, (self.to_json(),)

    def truncate(self, layer: Optional[str] = None) -> Graph:
        """The layers that lead to `layer` (None: to the classifier's head), for transfer learning."""
        pointer = self._place()
        library.cnn_graph_truncate(None, self, layer.encode() if layer else None, ref(pointer))
        return self._made(pointer)

    def _node(self, node: int) -> int:
        if node < 0:
            library.cnn_graph_status(self)
        return node

    def input(self, height: int, width: int, channels: int = 3) -> int:
        """The input; the first layer of every graph."""
        return self._node(library.cnn_input(self, height, width, channels))

    def name(self, x: int, name: str) -> int:
        """Gives a node another name."""
        return self._node(library.cnn_graph_set_name(self, x, name.encode()))

    def conv2d(self, x: int, filters: int, **options: Unpack[Conv2dOptions]) -> int:
        """A convolution."""
        return self._node(library.cnn_conv2d(self, x, filters, struct_of(abi.cnn_conv2d_options, options)))

    def max_pool2d(self, x: int, **options: Unpack[Pool2dOptions]) -> int:
        """The largest value of each window."""
        return self._node(library.cnn_max_pool2d(self, x, struct_of(abi.cnn_pool2d_options, options)))

    def avg_pool2d(self, x: int, **options: Unpack[Pool2dOptions]) -> int:
        """The mean of each window."""
        return self._node(library.cnn_avg_pool2d(self, x, struct_of(abi.cnn_pool2d_options, options)))

    def dense(self, x: int, units: int, **options: Unpack[DenseOptions]) -> int:
        """A layer in which all inputs go to all units."""
        return self._node(library.cnn_dense(self, x, units, struct_of(abi.cnn_dense_options, options)))

    def batch_norm(self, x: int, **options: Unpack[BatchNormOptions]) -> int:
        """Batch normalisation."""
        return self._node(library.cnn_batch_norm(self, x, struct_of(abi.cnn_batch_norm_options, options)))

    def global_avg_pool(self, x: int) -> int:
        """The mean of each channel."""
        return self._node(library.cnn_global_avg_pool(self, x))

    def flatten(self, x: int) -> int:
        """All values as one dimension."""
        return self._node(library.cnn_flatten(self, x))

    def relu(self, x: int) -> int:
        """max(x, 0)."""
        return self._node(library.cnn_relu(self, x))

    def relu6(self, x: int) -> int:
        """min(max(x, 0), 6)."""
        return self._node(library.cnn_relu6(self, x))

    def sigmoid(self, x: int) -> int:
        """1 / (1 + exp(-x))."""
        return self._node(library.cnn_sigmoid(self, x))

    def tanh(self, x: int) -> int:
        """The hyperbolic tangent."""
        return self._node(library.cnn_tanh(self, x))

    def softmax(self, x: int) -> int:
        """Probabilities over the last dimension."""
        return self._node(library.cnn_softmax(self, x))

    def dropout(self, x: int, rate: float) -> int:
        """In training, sets this fraction of the values to 0."""
        return self._node(library.cnn_dropout(self, x, rate))

    def leaky_relu(self, x: int, slope: float) -> int:
        """x where it is positive, else slope x."""
        return self._node(library.cnn_leaky_relu(self, x, slope))

    def add(self, a: int, b: int) -> int:
        """The sum of two nodes of one shape."""
        return self._node(library.cnn_add(self, a, b))

    def concat(self, *nodes: int) -> int:
        """The channels of all these nodes."""
        return self._node(library.cnn_concat(self, array_for(ctypes.c_int32, nodes, "cnn_concat: node"), len(nodes)))

    def rescale(self, x: int, scale: float, offset: float = 0) -> int:
        """scale x + offset."""
        return self._node(library.cnn_rescale(self, x, scale, offset))

    def normalize(self, x: int, mean: Sequence[float], deviation: Sequence[float]) -> int:
        """(x - mean) / deviation, by channel."""
        if len(mean) != len(deviation) or not 0 <= x < len(self.layers) or len(mean) != self.layers[x].shape[-1]:
            raise ShapeError("normalize wants a mean and a deviation for each of its input's channels")
        floats = [array_for(ctypes.c_float, values, f"normalize: {name}")
                  for values, name in ((mean, "mean"), (deviation, "deviation"))]
        return self._node(library.cnn_normalize(self, x, *floats))

    def output(self, x: int) -> None:
        """Has the net end in this node, where that isn't the last one."""
        library.cnn_graph_set_output(self, x)

    def _told(self) -> str:
        layers = self.layers
        shapes = f"{_sides(layers[0].shape)} to {_sides(layers[-1].shape)}, " if layers else ""
        return f"{shapes}{len(layers)} layers"

    @property
    def layers(self) -> list[Layer]:
        """What has been added, by node."""
        return [Layer(library.cnn_graph_node_name(self, node).decode(),
                      library.cnn_graph_node_type(self, node).decode(),
                      _shape(library.cnn_graph_node_dims, self, node))
                for node in range(library.cnn_graph_node_count(self))]


class Parameter(NamedTuple):
    """An array of weights; both arrays are views of the model's."""

    name: str
    value: NDArray[np.float32]
    gradient: Optional[NDArray[np.float32]]  # None: not trainable, or before the first backward
    trainable: bool
    decay: bool


_PART = 256  # images in a call that can't be interrupted


class Model(Object):
    """A graph with weights. Images are N×H×W×C, float32.

    >>> model = cnn.Model(cnn.Graph.net("two_conv", size=48), seed=1)
    >>> model
    <cnn.Model: 48×48×3 to 1, 448,449 weights>
    >>> model.predict(np.zeros((2, 48, 48, 3))).shape
    (2, 1)
    """

    _type = "cnn_model"

    def __init__(self, graph: Graph, *, seed: int = 0, context: Optional[Context] = None) -> None:
        pointer = self._place()
        library.cnn_model_create(context, graph, seed, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def load(cls, path: PathLike, *, context: Optional[Context] = None) -> Model:
        """A model that save(), catdog or a C program wrote."""
        pointer = cls._place()
        library.cnn_model_load(context, os.fsencode(path), ref(pointer))
        return cls._made(pointer, context)

    def save(self, path: PathLike, *, weights: Literal["float32", "bfloat16"] = "float32") -> None:
        """Writes a model file. `weights` "bfloat16": half as large."""
        library.cnn_model_save_as(self, os.fsencode(path), enum_value("cnn_dtype", weights))

    @classmethod
    def load_onnx(cls, path: PathLike, *, context: Optional[Context] = None, **options: Unpack[OnnxOptions]) -> Model:
        """A model that PyTorch, Keras or another exported."""
        pointer, struct = cls._place(), struct_of(abi.cnn_onnx_options, options)
        library.cnn_model_load_onnx(context, os.fsencode(path), struct, ref(pointer))
        return cls._made(pointer, context)

    def save_onnx(self, path: PathLike) -> None:
        """Writes an ONNX file, for other runtimes."""
        library.cnn_model_save_onnx(self, os.fsencode(path))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one image."""
        return _shape(library.cnn_model_input_dims, self)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of the output for one image."""
        return _shape(library.cnn_model_output_dims, self)

    @property
    def flops(self) -> int:
        """Multiplications and additions for one image."""
        return int(library.cnn_model_flops(self))

    @property
    def weight_count(self) -> int:
        """How many numbers its weights are."""
        return int(library.cnn_model_weight_count(self, None))

    def _told(self) -> str:
        return f"{_sides(self.input_shape)} to {_sides(self.output_shape)}, {self.weight_count:,} weights"

    def summary(self) -> str:
        """A table of the layers, their shapes and weights."""
        return text_of(lambda place: library.cnn_model_summary(self, place))

    def to_json(self) -> str:
        """The model's graph; Graph.from_json reads it."""
        owner = self._as_parameter_
        return text_of(lambda place: library.cnn_graph_to_json(library.cnn_model_graph(owner), place))

    def predict(self, images: ArrayLike) -> NDArray[np.float32]:
        """The net's outputs for these images."""
        taken = tensor_of(images, np.float32).numpy()
        output = np.empty((taken.shape[:1] or (1,)) + self.output_shape, np.float32)
        if len(output) <= _PART:
            library.cnn_model_predict(self, Tensor(taken), Tensor(output))
        else:
            self._predict_in_parts(taken, output)
        return output

    def _predict_in_parts(self, images: NDArray[np.float32], output: NDArray[np.float32]) -> None:
        with Callbacks() as signals:
            for first in range(0, len(output), _PART):
                part = slice(first, first + _PART)
                library.cnn_model_predict(self, Tensor(images[part]), Tensor(output[part]))
                if signals.error:
                    break

    def forward(self, images: ArrayLike, *, seed: int = 0, step: int = 0) -> NDArray[np.float32]:
        """The output as training computes it. `images` must stay as they are until backward() is done."""
        self._input = tensor_of(images, np.float32)
        output, owner = Tensor._place(), self._as_parameter_
        library.cnn_model_forward(owner, self._input, seed, step, ref(output))
        return view(output, owner).copy()

    def backward(self, gradient: ArrayLike) -> None:
        """From the loss's gradient by the output to that of each parameter."""
        library.cnn_model_backward(self, tensor_of(gradient, np.float32))

    def parameters(self) -> dict[str, Parameter]:
        """By name. After writing to a value, call changed()."""
        found, owner = {}, self._as_parameter_
        for index in range(library.cnn_model_parameter_count(owner)):
            struct = defaults(abi.cnn_parameter)
            library.cnn_model_parameter(owner, index, struct)
            gradient = view(struct.gradient, owner) if struct.gradient else None
            name = struct.name.decode()
            found[name] = Parameter(name, view(struct.value, owner), gradient, bool(struct.trainable),
                                    bool(struct.decay))
        return found

    def __reduce__(self) -> Any:
        return read_bytes, (Model.load, written_bytes(self.save))

    def resize(self, height: int, width: int) -> None:
        """Has the same weights compute images of another size."""
        library.cnn_model_resize(self, height, width)

    def changed(self) -> None:
        """Says that weights have been written to."""
        library.cnn_model_changed(self)

    def copy_weights(self, source: Model) -> int:
        """Copies arrays of the same name and shape; gives their number."""
        copied = ctypes.c_int32()
        library.cnn_model_copy_weights(self, source, ref(copied))
        return copied.value

    def set_learning_rate_multiplier(self, layer: Optional[str], multiplier: float) -> None:
        """For the layers up to `layer` (None: all); 0 freezes them."""
        library.cnn_model_set_learning_rate_multiplier(self, layer.encode() if layer else None, multiplier)

    def metadata(self, key: str) -> Optional[str]:
        """A text that the model's file keeps under this key."""
        text = library.cnn_model_metadata(self, key.encode())
        return None if text is None else str(text.decode())

    def set_metadata(self, key: str, text: Optional[str]) -> None:
        """Keeps a text in the model and its file; None removes it."""
        library.cnn_model_set_metadata(self, key.encode(), None if text is None else text.encode())


class Optimizer(Object):
    """Changes a model's weights by their gradients.

    >>> model = cnn.Model(cnn.Graph.net("two_conv", size=32), seed=1)
    >>> optimizer = cnn.Optimizer(model, "adamw", weight_decay=0.01)
    >>> value, gradient = cnn.loss(model.forward(np.zeros((2, 32, 32, 3))), [[0], [1]])
    >>> model.backward(gradient)
    >>> optimizer.step(1e-3)
    """

    _type = "cnn_optimizer"

    def __init__(self, model: Model, kind: Literal["adam", "adamw", "sgd", "rmsprop", "sgdw"] = "adam", /,
                 **options: Unpack[OptimizerOptions]) -> None:
        pointer, weights = self._place(), model._as_parameter_
        struct = struct_of(abi.cnn_optimizer_options, {"kind": kind, **options})
        library.cnn_optimizer_create(weights, struct, ref(pointer))
        self._own(pointer, weights)

    def step(self, learning_rate: float) -> None:
        """Changes the weights by the gradients that backward() left."""
        library.cnn_optimizer_step(self, learning_rate)
