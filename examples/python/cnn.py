"""libcnn in Python: trains and runs convolutional image classifiers, with NumPy arrays in and out.

    import cnn
    pets = cnn.Classifier("two_conv", epochs=10, augment="flip")
    pets.fit("PetImages")                       # a folder or zip of class folders; or arrays and labels
    print(pets.predict(["photo.jpg"]), pets.score("more/PetImages"))
    pets.save("pets.safetensors")

This file, cnn_core.py and cnn_abi.py are all there is: they need NumPy and libcnn.so, which is looked for where the
environment variable CNN_LIBRARY says, then where pkg-config says, then where the system's loader looks.

Arrays aren't copied on their way in if they are contiguous, and are views of the library's memory on their way out; a
view keeps that memory alive. Options that are passed on by name (`**options`) are the fields of the C struct that is
named there, as the headers document them; strings stand for enum values ("same" for CNN_PADDING_SAME).
"""
from __future__ import annotations

import ctypes
import inspect
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple, Optional, Sequence, Union

import numpy as np

import cnn_abi as abi
from cnn_abi import cnn_epoch as Epoch, cnn_progress as Progress
from cnn_core import (ArgumentError, Borrowed, Callbacks, CnnError, Context, DataError, FileError, FormatError,
                      LimitError, NotFiniteError, Object, OutOfMemoryError, PathLike, ShapeError, StoppedError, Tensor,
                      UnsupportedError, defaults, enum_value, error_of, inner_struct, library, net_names,
                      parse_augment, ref, strings, struct_of, tensor_of, text_of, version, view)


# --- photographs ---


def _take_pixels(pointer: Any) -> np.ndarray:
    return Tensor._made(pointer).numpy()


def load_image(path: PathLike, **options: Any) -> np.ndarray:
    """A JPEG or PNG as H×W×3 bytes. `options`: cnn_image_options."""
    pointer = Tensor._place()
    library.cnn_image_load(None, os.fsencode(path), struct_of(abi.cnn_image_options, options), ref(pointer))
    return _take_pixels(pointer)


def decode_image(data: bytes, **options: Any) -> np.ndarray:
    """load_image, from a file's bytes."""
    pointer = Tensor._place()
    struct = struct_of(abi.cnn_image_options, options)
    library.cnn_image_decode(None, ctypes.cast(data, ctypes.c_void_p), len(data), None, struct, ref(pointer))
    return _take_pixels(pointer)


def resize(pixels: np.ndarray, width: int, height: int, fit: str = "stretch") -> np.ndarray:
    pointer = Tensor._place()
    library.cnn_image_resize(None, tensor_of(pixels, np.uint8), width, height, enum_value("cnn_fit", fit), ref(pointer))
    return _take_pixels(pointer)


def preprocess(pixels: np.ndarray, augment: Any = None, *, seed: int = 0, epoch: int = 0, image: int = 0,
               **options: Any) -> np.ndarray:
    """One network input, height × width × 3 floats, augmented if `augment` is given ("flip,rotation=20", a dict or a
    struct): differently for each seed, epoch and image number. `options`: cnn_preprocess."""
    struct = struct_of(abi.cnn_preprocess, options)
    change = inner_struct(abi.cnn_augment, augment) if augment else None
    output = np.empty((struct.height, struct.width, 3), np.float32)
    place = output.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    library.cnn_augment_apply(None, tensor_of(pixels, np.uint8), change, struct, seed, epoch, image, place)
    return output


# --- datasets ---


class Dataset(Object):
    """Labelled photographs: a folder of class folders, a zip, a CSV file, ... (see dataset.h), or arrays.
    dataset[3] is (pixels, class index). `options`: cnn_dataset_options."""

    _type = "cnn_dataset"

    def __init__(self, path: PathLike, context: Optional[Context] = None, **options: Any):
        pointer, struct = self._place(), struct_of(abi.cnn_dataset_options, options)
        library.cnn_dataset_open(context, os.fsencode(path), struct, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def from_pixels(cls, images: Any, labels: Optional[Sequence[int]] = None, class_names: Sequence[str] = (),
                    context: Optional[Context] = None) -> Dataset:
        """Images in memory: an array N×H×W×3 of bytes, or a list of arrays H×W×3, with the class index of each."""
        arrays = images if isinstance(images, (list, tuple)) else [images]
        if any(np.asarray(array).dtype != np.uint8 for array in arrays):
            raise TypeError("images are arrays of uint8, with values from 0 to 255")
        tensors = [tensor_of(image, np.uint8) for image in images]
        pointers = (ctypes.POINTER(abi.cnn_tensor) * max(len(tensors), 1))(*[t._as_parameter_ for t in tensors])
        indices = None if labels is None else np.ascontiguousarray(labels, np.int32)
        if indices is not None and indices.shape != (len(tensors),):
            raise ShapeError(f"there are {len(tensors)} images, and labels of shape {indices.shape}")
        place = None if indices is None else indices.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        pointer = cls._place()
        library.cnn_dataset_create_from_pixels(context, pointers, place, len(tensors), strings(class_names),
                                                len(class_names), ref(pointer))
        return cls._made(pointer, context, [tensor._array for tensor in tensors])

    @classmethod
    def from_files(cls, paths: Sequence[PathLike], labels: Optional[Sequence[str]] = None,
                   context: Optional[Context] = None) -> Dataset:
        """Files with the class name of each. The dataset is in the order of their absolute paths' bytes."""
        if labels is not None and len(paths) != len(labels):
            raise ShapeError(f"there are {len(paths)} files, and {len(labels)} labels")
        columns = [[os.path.abspath(os.fspath(path)) for path in paths], labels or paths]
        rows = (",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in zip(*columns))
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "files.csv"
            table.write_bytes(os.fsencode("path,label\n" + "\n".join(rows)))
            return cls(table, context, unlabelled=labels is None)

    def __len__(self) -> int:
        return library.cnn_dataset_count(self)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(index)
        pointer, index = Tensor._place(), index % count
        library.cnn_dataset_decode(self, index, None, ref(pointer))
        return Tensor._made(pointer, self._owner).numpy(), library.cnn_dataset_label(self, index)

    @property
    def class_names(self) -> list[str]:
        count = library.cnn_dataset_class_count(self)
        return [os.fsdecode(library.cnn_dataset_class_name(self, index)) for index in range(count)]

    @property
    def labels(self) -> np.ndarray:
        """The class index of each image; −1: none."""
        return np.array([library.cnn_dataset_label(self, index) for index in range(len(self))], np.int32)

    @property
    def paths(self) -> list[str]:
        return [os.fsdecode(library.cnn_dataset_path(self, index)) for index in range(len(self))]

    def verify(self, find_duplicates: bool = False) -> list[tuple[str, str]]:
        """Removes images that can't be decoded. Gives what was found: (path, reason)."""
        found: list[tuple[str, str]] = []
        struct = struct_of(abi.cnn_verify_options, {"find_duplicates": find_duplicates})
        report = dict(struct._fields_)["bad_file"]
        struct.bad_file = report(lambda path, reason, _user: found.append((os.fsdecode(path), os.fsdecode(reason))))
        library.cnn_dataset_verify(self, struct, None)
        return found

    def split(self, fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """The rest, and `fraction` of each class, chosen by `seed`."""
        rest, part = self._place(), self._place()
        library.cnn_dataset_split(self, fraction, seed, ref(rest), ref(part))
        return self._made(rest, self._owner), self._made(part, self._owner)

    def align_classes(self, names: Sequence[str]) -> None:
        library.cnn_dataset_align_classes(self, strings(names), len(names))

    def batches(self, **options: Any) -> Loader:
        """A loader; `options`: cnn_loader_options."""
        return Loader(self, **options)


class Loader(Object):
    """A dataset's batches, prepared by threads ahead of their use. Each iteration is an epoch."""

    _type = "cnn_loader"

    def __init__(self, dataset: Dataset, context: Optional[Context] = None, **options: Any):
        struct, pointer, self._epoch = struct_of(abi.cnn_loader_options, options), self._place(), 0
        library.cnn_loader_create(context, dataset, struct, ref(pointer))
        self._own(pointer, dataset._owner, context)

    def __len__(self) -> int:
        return library.cnn_loader_batch_count(self)

    def epoch(self, number: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Batches of (images, labels, indices into the dataset); copies, as the loader's own memory is filled anew."""
        library.cnn_loader_start(self, number)
        batch = defaults(abi.cnn_batch)
        while library.cnn_loader_next(self, batch) or batch.count:
            yield (view(batch.images, self._owner).copy(), np.ctypeslib.as_array(batch.labels, (batch.count,)).copy(),
                   np.ctypeslib.as_array(batch.indices, (batch.count,)).copy())

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        self._epoch += 1
        return self.epoch(self._epoch - 1)


# --- networks ---


def _written_bytes(save: Callable[[Path], Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def _read_bytes(load: Callable[[Path], Any], data: bytes) -> Any:
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
        return self._node(library.cnn_concat(self, (ctypes.c_int32 * len(nodes))(*nodes), len(nodes)))

    def rescale(self, x: int, scale: float, offset: float = 0) -> int:
        return self._node(library.cnn_rescale(self, x, scale, offset))

    def normalize(self, x: int, mean: Sequence[float], deviation: Sequence[float]) -> int:
        if len(mean) != len(deviation) or not 0 <= x < len(self.layers) or len(mean) != self.layers[x].shape[-1]:
            raise ShapeError("normalize wants a mean and a deviation for each of its input's channels")
        floats = ctypes.c_float * len(mean)
        return self._node(library.cnn_normalize(self, x, floats(*mean), floats(*deviation)))

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
        return text_of(lambda place: library.cnn_graph_to_json(library.cnn_model_graph(self), place))

    def predict(self, images: np.ndarray) -> np.ndarray:
        images = np.ascontiguousarray(images, np.float32)
        output = np.empty((images.shape[:1] or (1,)) + self.output_shape, np.float32)
        library.cnn_model_predict(self, Tensor(images), Tensor(output))
        return output

    def forward(self, images: np.ndarray, seed: int = 0, step: int = 0) -> np.ndarray:
        """The output as training computes it. `images` must stay as they are until backward() is done."""
        self._input = tensor_of(images, np.float32)
        output = Tensor._place()
        library.cnn_model_forward(self, self._input, seed, step, ref(output))
        return view(output, self._owner).copy()

    def backward(self, gradient: np.ndarray) -> None:
        """From the loss's gradient by the output to that of each parameter."""
        library.cnn_model_backward(self, tensor_of(gradient, np.float32))

    def parameters(self) -> dict[str, Parameter]:
        """By name. After writing to a value, call changed()."""
        found = {}
        for index in range(library.cnn_model_parameter_count(self)):
            struct = defaults(abi.cnn_parameter)
            library.cnn_model_parameter(self, index, struct)
            gradient = view(struct.gradient, self._owner) if struct.gradient else None
            name = struct.name.decode()
            found[name] = Parameter(name, view(struct.value, self._owner), gradient, bool(struct.trainable),
                                    bool(struct.decay))
        return found

    def __reduce__(self) -> Any:
        return _read_bytes, (Model.load, _written_bytes(self.save))

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
        pointer = self._place()
        struct = struct_of(abi.cnn_optimizer_options, {"kind": kind, **options})
        library.cnn_optimizer_create(model, struct, ref(pointer))
        self._own(pointer, model._owner)

    def step(self, learning_rate: float) -> None:
        library.cnn_optimizer_step(self, learning_rate)


def loss(logits: np.ndarray, targets: np.ndarray, label_smoothing: float = 0,
         kind: str = "auto") -> tuple[float, np.ndarray]:
    """Cross-entropy of N×1 or N×K logits against probabilities of that shape: the mean, and its gradient."""
    value, gradient = ctypes.c_double(), np.empty(np.shape(logits), np.float32)
    library.cnn_loss_compute(enum_value("cnn_loss", kind), label_smoothing, tensor_of(logits, np.float32),
                              tensor_of(targets, np.float32), ref(value), Tensor(gradient))
    return value.value, gradient


def _train_options(options: dict[str, Any], on_step: Any, on_epoch: Any) -> tuple[Any, Callbacks]:
    fields, callbacks = dict(abi.cnn_train_options._fields_), Callbacks()
    struct = struct_of(abi.cnn_train_options, options)
    struct.on_step = callbacks.make(fields["on_step"], on_step)
    struct.on_epoch = callbacks.make(fields["on_epoch"], on_epoch)
    return struct, callbacks


def _trained(callbacks: Callbacks, work: Callable[[Any], Any]) -> list[Epoch]:
    """Runs a training that gives a history."""
    pointer = ctypes.POINTER(abi.cnn_history)()
    try:
        work(ref(pointer))
        callbacks.check()
        epochs = [defaults(Epoch) for _ in range(library.cnn_history_count(pointer))]
        for index, epoch in enumerate(epochs):
            library.cnn_history_get(pointer, index, epoch)
        return epochs
    finally:
        library.cnn_history_destroy(pointer)


class Metrics:
    """How good a classifier is: the fields of cnn_metrics_result, those of cnn_class_result for each class in
    `per_class`, and `confusion[class, decided]`."""

    def __init__(self, pointer: Any):
        try:
            result = defaults(abi.cnn_metrics_result)
            library.cnn_metrics_compute(pointer, result)
            vars(self).update(result.asdict())
            classes = range(result.classes)
            self.per_class = [defaults(abi.cnn_class_result) for _ in classes]
            for index, one in enumerate(self.per_class):
                library.cnn_metrics_compute_class(pointer, index, one)
            self.confusion = np.array([[library.cnn_metrics_confusion(pointer, label, decided) for decided in classes]
                                       for label in classes])
        finally:
            library.cnn_metrics_destroy(pointer)

    def __repr__(self) -> str:
        numbers = {name: value for name, value in vars(self).items() if name not in ("confusion", "per_class")}
        return f"Metrics({', '.join(f'{name}={value!r}' for name, value in numbers.items())})"


def train(model: Model, training: Dataset, validation: Optional[Dataset] = None, *,
          on_step: Optional[Callable[[Progress], Any]] = None, on_epoch: Optional[Callable[[Epoch], Any]] = None,
          **options: Any) -> list[Epoch]:
    """Trains a model; Classifier is the short way. A callback that gives something true stops it; what was learned is
    kept. `options`: cnn_train_options."""
    struct, callbacks = _train_options(options, on_step, on_epoch)
    return _trained(callbacks, lambda history: library.cnn_train(model, training, validation, struct, history))


def train_head(model: Model, training: Dataset, validation: Optional[Dataset] = None, *, layer: Optional[str] = None,
               on_step: Optional[Callable[[Progress], Any]] = None, on_epoch: Optional[Callable[[Epoch], Any]] = None,
               **options: Any) -> list[Epoch]:
    """Trains what follows `layer` (None: the last layer with weights), on values that are computed once."""
    struct, callbacks = _train_options(options, on_step, on_epoch)
    name = layer.encode() if layer else None
    return _trained(callbacks, lambda history: library.cnn_train_head(model, name, training, validation, struct, history))


def evaluate(model: Model, dataset: Dataset, **options: Any) -> Metrics:
    """`options`: cnn_evaluate_options."""
    pointer = ctypes.POINTER(abi.cnn_metrics)()
    library.cnn_evaluate(model, dataset, struct_of(abi.cnn_evaluate_options, options), ref(pointer))
    return Metrics(pointer)


# --- the short way ---


class Prediction(NamedTuple):
    label: Any  # None where there is an error
    confidence: float
    candidates: list[tuple[Any, float]]  # the likeliest classes and their probabilities
    error: Optional[CnnError]


class Classifier(Object):
    """Tells classes of photographs apart, by scikit-learn's conventions: fit, predict, predict_proba, score.

    X is a folder, zip or CSV file, which brings its labels (a Dataset likewise); a list of files; an array N×H×W×3 of
    uint8; or a list of arrays H×W×3. `net` is a name of net_names(), or a Graph that ends in a logit for each class (one
    for two classes); `size` the height and width of a named net's input (0: its own). `pretrained`, in its place, is a
    model to begin with, or its file: a new head is trained for `head_epochs`, then all of it. `flip` averages over each
    photograph and its mirror image. `options` are further fields of cnn_train_options. After fit: `classes_`,
    `history_` (an Epoch each).
    """

    _type = "cnn_classifier"
    _estimator_type = "classifier"

    def __init__(self, net: Union[str, Graph] = "two_conv", *, size: int = 0, epochs: int = 10, batch_size: int = 32,
                 seed: int = 0, augment: Any = None, optimizer: Any = "adam", schedule: Any = "constant",
                 threshold: float = 0.5, flip: bool = False, preprocess: Optional[dict] = None,
                 pretrained: Union[None, PathLike, Model] = None, head_epochs: int = 5,
                 options: Optional[dict] = None, context: Optional[Context] = None):
        self.net, self.size, self.epochs, self.batch_size, self.seed = net, size, epochs, batch_size, seed
        self.augment, self.optimizer, self.schedule = augment, optimizer, schedule
        self.threshold, self.flip, self.preprocess = threshold, flip, preprocess
        self.pretrained, self.head_epochs, self.options, self.context = pretrained, head_epochs, options, context

    # scikit-learn's way to look at an estimator and copy it
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **values: Any) -> Classifier:
        unknown = set(values) - set(self.get_params())
        if unknown:
            raise ValueError(f"a Classifier has no parameter {', '.join(sorted(unknown))}")
        vars(self).update(values)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags
        return Tags(estimator_type="classifier", target_tags=TargetTags(required=True), transformer_tags=None,
                    regressor_tags=None, classifier_tags=ClassifierTags(), input_tags=InputTags(two_d_array=False))

    def __sklearn_is_fitted__(self) -> bool:
        return getattr(self, "_owner", None) is not None

    def _create(self) -> None:
        net = struct_of(abi.cnn_net_options, {"size": self.size})
        struct = struct_of(abi.cnn_classifier_options, {"net": net, "preprocess": self.preprocess, "seed": self.seed,
                                                        "classes": len(self.classes_)})
        pointer = self._place()
        if self.pretrained is not None:
            model = self.pretrained if isinstance(self.pretrained, Model) else Model.load(self.pretrained, self.context)
            library.cnn_classifier_create_from_model(self.context, model, struct, ref(pointer))
        elif isinstance(self.net, str):
            library.cnn_classifier_create(self.context, self.net.encode(), struct, ref(pointer))
        else:
            library.cnn_classifier_create_from_graph(self.context, self.net, struct, ref(pointer))
        self._own(pointer, self.context)
        library.cnn_classifier_set_threshold(self, self.threshold)
        library.cnn_classifier_set_flip(self, self.flip)

    def _labelled(self, X: Any, y: Any) -> Dataset:
        """X and y as a dataset whose classes are in the order of classes_, and whose broken files are left out."""
        if isinstance(X, Dataset):
            return X
        if isinstance(X, (str, os.PathLike)):
            dataset = Dataset(X, self.context)
        elif y is None:
            raise TypeError("arrays and lists of files need labels: y is missing")
        else:
            names, labels = [str(label) for label in self.classes_], [str(label) for label in y]
            if _is_files(X):
                dataset = Dataset.from_files(X, labels, self.context)
                dataset.align_classes(names)
            else:
                indices = {name: index for index, name in enumerate(names)}
                unknown = set(labels) - set(names)
                if unknown:
                    raise DataError(f"the classes {', '.join(sorted(unknown))} are none that the classifier knows")
                dataset = Dataset.from_pixels(X, [indices[label] for label in labels], names, self.context)
        for path, reason in dataset.verify():
            warnings.warn(f"{path}: is left out: {reason}")
        return dataset

    def fit(self, X: Any, y: Any = None, *, validation: Any = None, on_step: Optional[Callable[[Progress], Any]] = None,
            on_epoch: Optional[Callable[[Epoch], Any]] = None) -> Classifier:
        """Trains from the start. `validation`: as X, or a pair (X, y); None: a tenth is split off. A callback that
        gives something true stops the training; what was learned is kept."""
        if y is not None:
            self.classes_ = np.unique(np.asarray(y))
        training = self._labelled(X, y)
        if y is None:
            self.classes_ = np.array(training.class_names)
        if validation is not None:
            validation = self._labelled(*(validation if isinstance(validation, tuple) else (validation, None)))
        options = {"epochs": self.epochs, "batch_size": self.batch_size, "seed": self.seed,
                   "augment": self.augment or None, "optimizer": self.optimizer, "schedule": self.schedule,
                   **(self.options or {})}
        self._create()
        self.history_ = []
        if self.pretrained is not None and self.head_epochs:
            struct, callbacks = _train_options({**options, "epochs": self.head_epochs}, on_step, on_epoch)
            self.history_ += _trained(callbacks, lambda history: library.cnn_classifier_fit_head(
                self, None, training, validation, struct, history))
        struct, callbacks = _train_options(options, on_step, on_epoch)
        self.history_ += _trained(callbacks, lambda history: library.cnn_classifier_fit_with_history(
            self, training, validation, struct, history))
        return self

    def _unlabelled(self, X: Any) -> tuple[Dataset, np.ndarray]:
        """X as a dataset, and where in X each of its images stands."""
        if _is_files(X):
            paths = [os.fsencode(os.path.abspath(os.fspath(path))) for path in X]
            return Dataset.from_files(X, None, self.context), np.array(sorted(range(len(X)), key=paths.__getitem__))
        if isinstance(X, (str, os.PathLike)):
            X = Dataset(X, self.context, unlabelled=True)
        elif not isinstance(X, Dataset):
            X = Dataset.from_pixels(X, context=self.context)
        return X, np.arange(len(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """N×classes probabilities, in the order of X (of a folder: of its files' paths)."""
        if not self.__sklearn_is_fitted__():
            raise ValueError("this Classifier is not fitted yet, or closed")
        dataset, order = self._unlabelled(X)
        model = self.model_
        logits = np.empty((len(dataset),) + model.output_shape, np.float64)
        loader = dataset.batches(preprocess=library.cnn_classifier_preprocess(self).contents)
        for images, _labels, indices in loader.epoch(0):
            batch = model.predict(images)
            if library.cnn_classifier_flip(self):
                batch = (batch + model.predict(images[:, :, ::-1])) / 2
            logits[order[indices]] = batch / library.cnn_classifier_temperature(self)
        if logits.shape[1] == 1:  # one logit tells two classes apart: 0 stands for the first
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each image, as it was named in y or by the data."""
        probabilities = self.predict_proba(X)
        if len(self.classes_) > 2:
            return self.classes_[probabilities.argmax(axis=1)]
        return self.classes_[(probabilities[:, 1] >= library.cnn_classifier_threshold(self)).astype(int)]

    def predict_files(self, paths: Sequence[PathLike]) -> list[Prediction]:
        """Many files at once. One that can't be used has its error; the rest go on."""
        structs = (abi.cnn_prediction * max(len(paths), 1))(defaults(abi.cnn_prediction))
        library.cnn_classifier_predict_files(self, strings([os.fspath(path) for path in paths]), len(paths), structs)
        return [self._prediction(struct) for struct in structs[:len(paths)]]

    def _prediction(self, struct: Any) -> Prediction:
        if struct.status:
            return Prediction(None, float("nan"), [], error_of(struct.status, struct.error.decode()))
        candidates = [(self.classes_[c.class_index], c.probability) for c in struct.candidates if c.class_index >= 0]
        return Prediction(self.classes_[struct.class_index], struct.confidence, candidates, None)

    def score(self, X: Any, y: Any = None) -> float:
        """The fraction that is classified rightly."""
        if y is None:
            return self.evaluate(X).accuracy
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def evaluate(self, X: Any, y: Any = None) -> Metrics:
        """Loss, accuracy, precision, recall, F1, AUC, calibration error and the confusion matrix."""
        pointer = ctypes.POINTER(abi.cnn_metrics)()
        library.cnn_classifier_evaluate(self, self._labelled(X, y), ref(pointer))
        return Metrics(pointer)

    @property
    def model_(self) -> Model:
        """The model underneath; it lives as long as either is held."""
        model = Model.__new__(Model)
        model._owner = Borrowed(library.cnn_classifier_model(self), self._owner)
        return model

    def calibrate(self, X: Any, y: Any = None) -> float:
        """Fits confidence to data that it wasn't trained on; fit() does so with its validation data. Gives the
        temperature that logits are divided by."""
        library.cnn_classifier_calibrate(self, self._labelled(X, y))
        return library.cnn_classifier_temperature(self)

    def resize(self, height: int, width: int) -> None:
        """Has photographs scaled to another size for the net."""
        library.cnn_classifier_resize(self, height, width)

    def __getstate__(self) -> dict[str, Any]:  # for copy and pickle: without the context, which stays in its process
        state = {name: value for name, value in vars(self).items() if name != "_owner"}
        return {**state, "context": None, "_file": _written_bytes(self.save) if self.__sklearn_is_fitted__() else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("_file")
        vars(self).update(state)
        if data:
            self._owner = _read_bytes(Classifier.load, data)._owner

    def save(self, path: PathLike) -> None:
        library.cnn_classifier_save(self, os.fsencode(path))

    @classmethod
    def load(cls, path: PathLike, context: Optional[Context] = None) -> Classifier:
        """A classifier that catdog, a C program or save() wrote."""
        self, pointer, names = cls(context=context), cls._place(), []
        library.cnn_classifier_load(context, os.fsencode(path), ref(pointer))
        self._own(pointer, context)
        self.threshold = library.cnn_classifier_threshold(self)
        self.flip = bool(library.cnn_classifier_flip(self))
        while (name := library.cnn_classifier_class_name(self, len(names))) is not None:
            names.append(os.fsdecode(name))
        self.classes_ = np.array(names)
        return self


def _is_files(X: Any) -> bool:
    """Whether these are paths, rather than one path, pixels or a dataset."""
    if isinstance(X, (str, os.PathLike, Dataset)) or len(X) == 0:
        return False
    return isinstance(next(iter(X)), (str, os.PathLike))
