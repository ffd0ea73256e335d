"""Networks as they are described: graphs, layer by layer, and the networks that have names."""
from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any, Callable, Literal, NamedTuple, Optional, Sequence

from . import _abi as abi
from ._library import library
from ._numbers import array_for
from ._objects import Object, ref, text_of
from ._records import BatchNormOptions, Conv2dOptions, DenseOptions, NetOptions, Pool2dOptions
from ._structs import enum_value, struct_of
from .context import Context
from .errors import ShapeError

if TYPE_CHECKING:
    from typing_extensions import Unpack


def net_names() -> list[str]:
    """The names of the networks that net() builds.

    >>> "resnet18" in cnn.net_names()
    True
    """
    names: list[str] = []
    while (name := library.cnn_net_name(len(names))) is not None:
        names.append(name.decode())
    return names


def sides(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def shape_of(dims_of: Callable[..., int], *of: Any) -> tuple[int, ...]:
    dims = (ctypes.c_int64 * abi.CNN_MAX_RANK)()
    return tuple(dims[:dims_of(*of, dims, abi.CNN_MAX_RANK)])


class Layer(NamedTuple):
    """A node of a graph."""

    name: str
    type: str
    shape: tuple[int, ...]  # of its output, without the batch


class Graph(Object):
    """A network that is built layer by layer: each method adds a layer after node `x`, and returns its node. A layer that
    doesn't fit raises ShapeError, and the graph can't be used any more.

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
        """The network with this name; see net_names().

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
        """Names a layer, and returns its node."""
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
        """A fully connected layer."""
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

    def silu(self, x: int) -> int:
        """x sigmoid(x), or swish."""
        return self._node(library.cnn_silu(self, x))

    def hard_swish(self, x: int) -> int:
        """x min(max(x + 3, 0), 6) / 6."""
        return self._node(library.cnn_hard_swish(self, x))

    def hard_sigmoid(self, x: int, slope: float = 1 / 6, offset: float = 0.5) -> int:
        """min(max(slope x + offset, 0), 1)."""
        return self._node(library.cnn_hard_sigmoid(self, x, slope, offset))

    def gelu(self, x: int, form: Literal["exact", "tanh"] = "exact") -> int:
        """x (1 + erf(x / sqrt(2))) / 2, or its form by tanh."""
        return self._node(library.cnn_gelu(self, x, enum_value("cnn_gelu_form", form)))

    def elu(self, x: int, alpha: float = 1) -> int:
        """x where it is positive, else alpha (exp(x) - 1)."""
        return self._node(library.cnn_elu(self, x, alpha))

    def selu(self, x: int) -> int:
        """1.0507 ELU of the alpha 1.6733."""
        return self._node(library.cnn_selu(self, x))

    def softplus(self, x: int) -> int:
        """ln(1 + exp(x))."""
        return self._node(library.cnn_softplus(self, x))

    def clip(self, x: int, min: float = -math.inf, max: float = math.inf) -> int:
        """min(max(x, min), max)."""
        return self._node(library.cnn_clip(self, x, min, max))

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
        """Joins the channels of these nodes."""
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
        """Makes this node the network's output, in the place of the last one."""
        library.cnn_graph_set_output(self, x)

    def _told(self) -> str:
        layers = self.layers
        shapes = f"{sides(layers[0].shape)} to {sides(layers[-1].shape)}, " if layers else ""
        return f"{shapes}{len(layers)} layers"

    @property
    def layers(self) -> list[Layer]:
        """The layers, by their nodes."""
        return [Layer(library.cnn_graph_node_name(self, node).decode(),
                      library.cnn_graph_node_type(self, node).decode(),
                      shape_of(library.cnn_graph_node_dims, self, node))
                for node in range(library.cnn_graph_node_count(self))]
