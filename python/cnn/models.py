"""Networks: graphs, models, optimizers."""
from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional, Sequence

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._core import Context, Object, PathLike, ShapeError, defaults, enum_value, library, ref, struct_of, text_of
from ._numbers import array_for
from .tensors import Tensor, tensor_of, view


def written_bytes(save: Callable[[Path], Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def read_bytes(load: Callable[[Path], Any], data: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file").write_bytes(data)
        return load(Path(folder) / "file")


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(shape.dims[:shape.rank])


class Layer(NamedTuple):
    name: str
    type: str
    shape: tuple[int, ...]  # of its output, without the batch


class Graph(Object):
    """A network as it is built: each method adds a layer to node `x` and gives its node. A layer that doesn't fit
    raises ShapeError, and the graph is then of no more use."""

    _type = "cnn_graph"

    def __init__(self, context: Optional[Context] = None):
        pointer = self._place()
        library.cnn_graph_create(context, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def net(cls, name: str, **options: Any) -> Graph:
        """A net by name; see net_names(). `options`: cnn_net_options."""
        pointer = cls._place()
        library.cnn_graph_create_net(None, name.encode(), struct_of(abi.cnn_net_options, options), ref(pointer))
        return cls._made(pointer)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        pointer, data = cls._place(), text.encode()
        library.cnn_graph_from_json(None, data, len(data), ref(pointer))
        return cls._made(pointer)

    def to_json(self) -> str:
        return text_of(lambda place: library.cnn_graph_to_json(self, place))

    def __reduce__(self) -> Any:  # for copy and pickle
        return Graph.from_json, (self.to_json(),)

    def cut(self, layer: Optional[str] = None) -> Graph:
        """The layers that lead to `layer` (None: to the classifier's head), for transfer learning."""
        pointer = self._place()
        library.cnn_graph_cut(None, self, layer.encode() if layer else None, ref(pointer))
        return self._made(pointer)

    def _node(self, node: int) -> int:
        if node < 0:
            library.cnn_graph_status(self)
        return node

    def input(self, height: int, width: int, channels: int = 3) -> int:
        return self._node(library.cnn_input(self, height, width, channels))

    def name(self, x: int, name: str) -> int:
        return self._node(library.cnn_name(self, x, name.encode()))

    def conv2d(self, x: int, filters: int, **options: Any) -> int:
        """`options`: cnn_conv2d_options, such as kernel=5, stride=2, padding="same"."""
        return self._node(library.cnn_conv2d(self, x, filters, struct_of(abi.cnn_conv2d_options, options)))

    def max_pool2d(self, x: int, **options: Any) -> int:
        return self._node(library.cnn_max_pool2d(self, x, struct_of(abi.cnn_pool2d_options, options)))

    def avg_pool2d(self, x: int, **options: Any) -> int:
        return self._node(library.cnn_avg_pool2d(self, x, struct_of(abi.cnn_pool2d_options, options)))

    def dense(self, x: int, units: int, **options: Any) -> int:
        return self._node(library.cnn_dense(self, x, units, struct_of(abi.cnn_dense_options, options)))

    def batch_norm(self, x: int, **options: Any) -> int:
        return self._node(library.cnn_batch_norm(self, x, struct_of(abi.cnn_batch_norm_options, options)))

    def dropout(self, x: int, rate: float) -> int:
        return self._node(library.cnn_dropout(self, x, rate))

    def leaky_relu(self, x: int, slope: float) -> int:
        return self._node(library.cnn_leaky_relu(self, x, slope))

    def add(self, a: int, b: int) -> int:
        return self._node(library.cnn_add(self, a, b))

    def concat(self, *nodes: int) -> int:
        return self._node(library.cnn_concat(self, array_for(ctypes.c_int32, nodes, "cnn_concat: node"), len(nodes)))

    def rescale(self, x: int, scale: float, offset: float = 0) -> int:
        return self._node(library.cnn_rescale(self, x, scale, offset))

    def normalize(self, x: int, mean: Sequence[float], deviation: Sequence[float]) -> int:
        if len(mean) != len(deviation) or not 0 <= x < len(self.layers) or len(mean) != self.layers[x].shape[-1]:
            raise ShapeError("normalize wants a mean and a deviation for each of its input's channels")
        floats = [array_for(ctypes.c_float, values, f"normalize: {name}")
                  for values, name in ((mean, "mean"), (deviation, "deviation"))]
        return self._node(library.cnn_normalize(self, x, *floats))

    def output(self, x: int) -> None:
        library.cnn_output(self, x)

    @property
    def layers(self) -> list[Layer]:
        return [Layer(library.cnn_graph_node_name(self, node).decode(),
                      library.cnn_graph_node_type(self, node).decode(),
                      _shape(library.cnn_graph_node_shape(self, node)))
                for node in range(library.cnn_graph_node_count(self))]


def _add_simple_layers() -> None:
    for layer in ("relu", "relu6", "sigmoid", "tanh", "softmax", "flatten", "global_avg_pool"):
        def method(self: Graph, x: int, _function: str = f"cnn_{layer}") -> int:
            return self._node(getattr(library, _function)(self, x))
        method.__name__ = layer
        setattr(Graph, layer, method)


_add_simple_layers()


class Parameter(NamedTuple):
    """An array of weights; both arrays are views of the model's."""

    name: str
    value: np.ndarray
    gradient: Optional[np.ndarray]  # None: not trainable, or before the first backward
    trainable: bool
    decay: bool


_PART = 256  # images in a call that can't be interrupted


class Model(Object):
    """A graph with weights. Images are N×H×W×C, float32."""

    _type = "cnn_model"

    def __init__(self, graph: Graph, seed: int = 0, context: Optional[Context] = None):
        pointer = self._place()
        library.cnn_model_create(context, graph, seed, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def load(cls, path: PathLike, context: Optional[Context] = None) -> Model:
        pointer = cls._place()
        library.cnn_model_load(context, os.fsencode(path), ref(pointer))
        return cls._made(pointer, context)

    def save(self, path: PathLike, weights: str = "float32") -> None:
        """`weights` "bfloat16": half as large."""
        library.cnn_model_save_as(self, os.fsencode(path), enum_value("cnn_dtype", weights))

    @classmethod
    def load_onnx(cls, path: PathLike, context: Optional[Context] = None, **options: Any) -> Model:
        """A model that PyTorch, Keras or another exported. `options`: cnn_onnx_options."""
        pointer, struct = cls._place(), struct_of(abi.cnn_onnx_options, options)
        library.cnn_model_load_onnx(context, os.fsencode(path), struct, ref(pointer))
        return cls._made(pointer, context)

    def save_onnx(self, path: PathLike) -> None:
        library.cnn_model_save_onnx(self, os.fsencode(path))

    input_shape = property(lambda self: _shape(library.cnn_model_input_shape(self)))
    output_shape = property(lambda self: _shape(library.cnn_model_output_shape(self)))
    flops = property(lambda self: library.cnn_model_flops(self))
    weight_count = property(lambda self: library.cnn_model_weight_count(self, None))

    def summary(self) -> str:
        return text_of(lambda place: library.cnn_model_summary(self, place))

    def to_json(self) -> str:
        """The model's graph; Graph.from_json reads it."""
        owner = self._as_parameter_
        return text_of(lambda place: library.cnn_graph_to_json(library.cnn_model_graph(owner), place))

    def predict(self, images: np.ndarray) -> np.ndarray:
        images = tensor_of(images, np.float32).numpy()
        output = np.empty((images.shape[:1] or (1,)) + self.output_shape, np.float32)
        if len(output) <= _PART:
            library.cnn_model_predict(self, Tensor(images), Tensor(output))
        else:
            self._predict_in_parts(images, output)
        return output

    def _predict_in_parts(self, images: np.ndarray, output: np.ndarray) -> None:
        with Callbacks() as signals:
            for first in range(0, len(output), _PART):
                part = slice(first, first + _PART)
                library.cnn_model_predict(self, Tensor(images[part]), Tensor(output[part]))
                if signals.error:
                    break

    def forward(self, images: np.ndarray, seed: int = 0, step: int = 0) -> np.ndarray:
        """The output as training computes it. `images` must stay as they are until backward() is done."""
        self._input = tensor_of(images, np.float32)
        output, owner = Tensor._place(), self._as_parameter_
        library.cnn_model_forward(owner, self._input, seed, step, ref(output))
        return view(output, owner).copy()

    def backward(self, gradient: np.ndarray) -> None:
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
        library.cnn_model_changed(self)

    def copy_weights(self, source: Model) -> int:
        """Copies arrays of the same name and shape; gives their number."""
        copied = ctypes.c_int32()
        library.cnn_model_copy_weights(self, source, ref(copied))
        return copied.value

    def set_learning_rate_factor(self, layer: Optional[str], factor: float) -> None:
        """For the layers up to `layer` (None: all); 0 freezes them."""
        library.cnn_model_set_learning_rate_factor(self, layer.encode() if layer else None, factor)

    def note(self, key: str) -> Optional[str]:
        text = library.cnn_model_note(self, key.encode())
        return None if text is None else text.decode()

    def set_note(self, key: str, text: Optional[str]) -> None:
        library.cnn_model_set_note(self, key.encode(), None if text is None else text.encode())


class Optimizer(Object):
    """Changes a model's weights by their gradients. `options`: cnn_optimizer_options."""

    _type = "cnn_optimizer"

    def __init__(self, model: Model, kind: str = "adam", **options: Any):
        pointer, weights = self._place(), model._as_parameter_
        struct = struct_of(abi.cnn_optimizer_options, {"kind": kind, **options})
        library.cnn_optimizer_create(weights, struct, ref(pointer))
        self._own(pointer, weights)

    def step(self, learning_rate: float) -> None:
        library.cnn_optimizer_step(self, learning_rate)
