"""Networks with weights, and optimizers, which change these."""
from __future__ import annotations

import ctypes
import os
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, Optional, Sequence, cast

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._files import File, is_path, read_file, write_file
from ._library import library
from ._objects import Borrowed, Object, bytes_of, ref, strings, text_of
from ._records import OnnxOptions, OptimizerOptions, PathLike
from ._structs import defaults, enum_value, struct_of
from .context import Context
from .graphs import Graph, shape_of, sides
from .tensors import Tensor, tensor_of, view

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack


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
    def load(cls, file: File, *, context: Optional[Context] = None) -> Model:
        """Reads a model that save(), catdog or a C program wrote: from a path, or a binary file that is open. A path may
        be that of an ONNX file, too."""
        pointer = cls._place()
        if is_path(file):
            library.cnn_model_load(context, os.fsencode(cast(PathLike, file)), ref(pointer))
        else:
            read_file(cast("IO[bytes]", file),
                      lambda struct: library.cnn_model_load_from_callbacks(context, struct, ref(pointer)))
        return cls._made(pointer, context)

    @classmethod
    def from_bytes(cls, data: bytes, *, context: Optional[Context] = None) -> Model:
        """A model from the bytes of such a file."""
        pointer = cls._place()
        library.cnn_model_load_from_memory(context, bytes(data), len(data), ref(pointer))
        return cls._made(pointer, context)

    def to_bytes(self, *, weights: Literal["float32", "bfloat16"] = "float32") -> bytes:
        """The bytes of the file that save() writes.

        >>> model = cnn.Model(cnn.Graph.net("two_conv", size=48))
        >>> cnn.Model.from_bytes(model.to_bytes())
        <cnn.Model: 48×48×3 to 1, 448,449 weights>
        """
        kind = enum_value("cnn_dtype", weights)
        return bytes_of(lambda memory, size: library.cnn_model_save_to_memory(self, kind, memory, size))

    def save(self, file: File, *, weights: Literal["float32", "bfloat16"] = "float32") -> None:
        """Writes a model file: to a path, whole or not at all; or to a binary file that is open. With `weights`
        "bfloat16" it is half as large.

        >>> with zipfile.ZipFile("models.zip", "w") as models, models.open("net.safetensors", "w") as file:
        ...     cnn.Model(cnn.Graph.net("two_conv", size=48)).save(file)
        """
        kind = enum_value("cnn_dtype", weights)
        if is_path(file):
            library.cnn_model_save_as(self, os.fsencode(cast(PathLike, file)), kind)
        else:
            write_file(cast("IO[bytes]", file), lambda struct: library.cnn_model_save_to_callbacks(self, kind, struct))

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
        """The shape of one input image."""
        return shape_of(library.cnn_model_input_dims, self)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output for one image."""
        return shape_of(library.cnn_model_output_dims, self)

    @property
    def flops(self) -> int:
        """The number of multiplications and additions for one image."""
        return int(library.cnn_model_flops(self))

    @property
    def weight_count(self) -> int:
        """The number of its weights."""
        return int(library.cnn_model_weight_count(self, None))

    @property
    def trainable_weight_count(self) -> int:
        """How many of its weights an optimizer changes."""
        trainable = ctypes.c_uint64()
        library.cnn_model_weight_count(self, ref(trainable))
        return trainable.value

    @property
    def is_quantized(self) -> bool:
        """Whether it computes with 8-bit integers."""
        return bool(library.cnn_model_is_quantized(self))

    def _told(self) -> str:
        return f"{sides(self.input_shape)} to {sides(self.output_shape)}, {self.weight_count:,} weights"

    def summary(self) -> str:
        """A table of the layers, their shapes and weights."""
        return text_of(lambda place: library.cnn_model_summary(self, place))

    def graph(self) -> Graph:
        """A copy of the model's graph."""
        return Graph.from_json(self.to_json())

    def to_json(self) -> str:
        """The model's graph; Graph.from_json reads it."""
        owner = self._as_parameter_
        return text_of(lambda place: library.cnn_graph_to_json(library.cnn_model_graph(owner), place))

    def predict(self, images: ArrayLike) -> NDArray[np.float32]:
        """Computes the outputs for these images, N×H×W×C."""
        taken = tensor_of(images, np.float32).numpy()
        output = np.empty((taken.shape[:1] or (1,)) + self.output_shape, np.float32)
        if len(output) <= _PART:
            library.cnn_model_predict(self, Tensor(taken), Tensor(output))
        else:
            self._predict_in_parts(taken, output)
        return output

    def _predict_in_parts(self, images: NDArray[np.float32], output: NDArray[np.float32]) -> None:
        owner = self._as_parameter_
        with Callbacks().in_parts((owner.owner if isinstance(owner, Borrowed) else owner).context()) as signals:
            for first in range(0, len(output), _PART):
                part = slice(first, first + _PART)
                library.cnn_model_predict(owner, Tensor(images[part]), Tensor(output[part]))
                if signals.is_stopped():
                    break

    def forward(self, images: ArrayLike, *, seed: int = 0, step: int = 0) -> NDArray[np.float32]:
        """The output as training computes it. `images` must stay as they are until backward() is done."""
        self._input = tensor_of(images, np.float32)
        output, owner = Tensor._place(), self._as_parameter_
        library.cnn_model_forward(owner, self._input, seed, step, ref(output))
        return view(output, owner).copy()

    def predict_layers(self, images: ArrayLike, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The outputs of the layers with these names, in one pass. Experimental.

        >>> model = cnn.Model(cnn.Graph.net("two_conv", size=48))
        >>> values = model.predict_layers(np.zeros((2, 48, 48, 3)), ["max_pool2d_2", "dense_1"])
        >>> values["max_pool2d_2"].shape, values["dense_1"].shape
        ((2, 10, 10, 64), (2, 64))
        """
        if isinstance(layers, (str, bytes)):
            raise TypeError(f"predict_layers takes a list of names, not one: use [{layers!r}]")
        owner, names = self._as_parameter_, list(layers)
        pointers = (ctypes.POINTER(abi.cnn_tensor) * max(len(names), 1))()
        library.cnn_model_predict_layers(owner, tensor_of(images, np.float32), strings(names), len(names), pointers)
        return {name: Tensor._made(pointer, owner).numpy() for name, pointer in zip(names, pointers)}

    def heat_map(self, image: ArrayLike, class_index: int) -> NDArray[np.float32]:
        """Where in an input (H×W×C or 1×H×W×C) the network sees this class: a map of values from 0 to 1, as coarse as
        the network's last image. Classifier.explain does this for photographs."""
        owner, pointer, pixels = self._as_parameter_, Tensor._place(), np.asarray(image, np.float32)
        pixels = pixels[None] if pixels.ndim == 3 else pixels
        library.cnn_model_heat_map(owner, tensor_of(pixels, np.float32), class_index, ref(pointer))
        return Tensor._made(pointer, owner).numpy()

    def quantize(self, images: ArrayLike) -> Model:
        """A model that predicts with 8-bit integers. `images` are some hundreds of inputs such as it will meet.

        >>> model = cnn.Model(cnn.Graph.net("two_conv", size=48))
        >>> model.quantize(np.random.default_rng(0).normal(size=(8, 48, 48, 3))).is_quantized
        True
        """
        owner, pointer = self._as_parameter_, self._place()
        library.cnn_model_quantize(owner, tensor_of(images, np.float32), ref(pointer))
        return self._made(pointer, owner)  # whose context is this one's

    def prediction_memory(self, images: int = 1) -> int:
        """How many bytes a prediction of so many images takes, without the images and the output."""
        size = ctypes.c_uint64()
        library.cnn_model_prediction_memory(self, images, ref(size))
        return size.value

    def time_layers(self, images: ArrayLike) -> dict[str, float]:
        """Predicts the images, and measures the seconds that each layer takes, by name. Of layers that are computed
        together, the last has the time of all."""
        owner, layers = self._as_parameter_, self.graph().layers
        seconds = (ctypes.c_double * len(layers))()
        library.cnn_model_time_layers(owner, tensor_of(images, np.float32), seconds, len(layers))
        return {layer.name: time for layer, time in zip(layers, seconds)}

    def program(self, images: Optional[ArrayLike] = None, *, dot: bool = False) -> str:
        """What a prediction runs, as text for people; as a drawing in Graphviz's language if `dot` is true. With
        `images`, each operation is shown with its milliseconds."""
        function = library.cnn_model_program_dot if dot else library.cnn_model_program_text
        taken = None if images is None else tensor_of(images, np.float32)
        return text_of(lambda place: function(self, taken, place))

    def set_precision(self, precision: Literal["float32", "bfloat16"]) -> None:
        """What forward() and backward() compute with from now on; predictions don't change."""
        library.cnn_model_set_precision(self, enum_value("cnn_precision", precision))

    def backward(self, gradient: ArrayLike) -> None:
        """Sets the gradients of the parameters, from the loss's gradient by the output of forward()."""
        library.cnn_model_backward(self, tensor_of(gradient, np.float32))

    def parameters(self) -> dict[str, Parameter]:
        """The arrays of weights, by name. After writing to a value, call changed()."""
        found, owner = {}, self._as_parameter_
        for index in range(library.cnn_model_parameter_count(owner)):
            struct = defaults(abi.cnn_parameter)
            library.cnn_model_parameter(owner, index, struct)
            gradient = view(struct.gradient, owner) if struct.gradient else None
            name = struct.name.decode()
            value = view(struct.value, owner)
            if value.dtype != np.float32:  # a quantised model's
                value.flags.writeable = False
            found[name] = Parameter(name, value, gradient, bool(struct.trainable), bool(struct.decay))
        return found

    def __reduce__(self) -> Any:
        return Model.from_bytes, (self.to_bytes(),)

    def resize(self, height: int, width: int) -> None:
        """Changes the height and width of the input, and keeps the weights."""
        library.cnn_model_resize(self, height, width)

    def changed(self) -> None:
        """Call it after writing to weights, before the next prediction."""
        library.cnn_model_changed(self)

    def copy_weights(self, source: Model) -> int:
        """Copies the weights that have the same name and shape in both models. Returns the number of arrays."""
        copied = ctypes.c_int32()
        library.cnn_model_copy_weights(self, source, ref(copied))
        return copied.value

    def set_learning_rate_multiplier(self, layer: Optional[str], multiplier: float) -> None:
        """Multiplies the learning rate of the layers up to `layer` (None: of all); 0 freezes them."""
        library.cnn_model_set_learning_rate_multiplier(self, layer.encode() if layer else None, multiplier)

    def metadata(self, key: str) -> Optional[str]:
        """The text that the model has under this key; None: there is none."""
        text = library.cnn_model_metadata(self, key.encode())
        return None if text is None else str(text.decode())

    def set_metadata(self, key: str, text: Optional[str]) -> None:
        """Stores a text under this key in the model and its file; None removes it."""
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
        """Changes the weights by the gradients of the last backward()."""
        library.cnn_optimizer_step(self, learning_rate)
