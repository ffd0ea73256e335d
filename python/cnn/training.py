"""Training and measuring models."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Callable, Literal, Mapping, NamedTuple, Optional, Union

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._library import library
from ._objects import Owner, ref
from ._records import Epoch, EvaluateOptions, Progress, ScheduleOptions, TrainOptions
from ._structs import defaults, enum_value, inner_struct, record_of, struct_of
from .datasets import Dataset
from .errors import ArgumentError
from .metrics import Metrics
from .models import Model
from .tensors import Tensor, tensor_of, view

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack

OnStep = Callable[[Progress], Any]
OnEpoch = Callable[[Epoch], Any]
LossFunction = Callable[["NDArray[np.float32]", "NDArray[np.float32]"], tuple[float, "ArrayLike"]]


class TrainingBatch(NamedTuple):
    """A batch that a training is about to train on. What is written to `images` and `targets` is trained on."""

    epoch: int  # 1 is the first
    step: int  # of the whole training; 0 is the first
    images: NDArray[np.float32]  # N×H×W×3
    targets: NDArray[np.float32]  # N×1: the probability of class 1; or N×K: of each class
    labels: NDArray[np.int32]
    indices: NDArray[np.uint64]  # into the dataset


class SampleResult(NamedTuple):
    """The result for one image in an evaluation."""

    image: int  # its index in the dataset
    label: int
    predicted: int
    probabilities: NDArray[np.float32]
    loss: float


OnBatch = Callable[[TrainingBatch], Any]
OnImage = Callable[[SampleResult], Any]


def loss(logits: ArrayLike, targets: ArrayLike, *, label_smoothing: float = 0,
         kind: Literal["auto", "binary_cross_entropy", "categorical_cross_entropy"] = "auto"
         ) -> tuple[float, NDArray[np.float32]]:
    """The mean cross-entropy of logits, N×1 or N×K, against probabilities of the same shape; and its gradient.

    >>> value, gradient = cnn.loss([[0.0], [0.0]], [[0], [1]])
    >>> round(value, 4), gradient.tolist()
    (0.6931, [[0.25], [-0.25]])
    """
    value, gradient = ctypes.c_double(), np.empty(np.shape(logits), np.float32)
    library.cnn_loss_compute(enum_value("cnn_loss", kind), label_smoothing, tensor_of(logits, np.float32),
                             tensor_of(targets, np.float32), ref(value), Tensor(gradient))
    return value.value, gradient


def train_options(options: Mapping[str, Any], on_step: Optional[OnStep],
                  on_epoch: Optional[OnEpoch]) -> tuple[Any, Callbacks]:
    fields, callbacks = dict(abi.cnn_train_options._fields_), Callbacks()
    struct = struct_of(abi.cnn_train_options, options)
    struct.on_step = callbacks.make(fields["on_step"], Progress, on_step)
    struct.on_epoch = callbacks.make(fields["on_epoch"], Epoch, on_epoch)
    return struct, callbacks


def _set_hooks(struct: Any, callbacks: Callbacks, on_batch: Optional[OnBatch],
               loss_function: Optional[LossFunction]) -> None:
    """The hooks of a training. A hook's arrays are copies, which outlive the batch."""
    hooks = defaults(abi.cnn_train_hooks)
    fields = dict(hooks._fields_)

    def show(batch: Any, _user: Any) -> int:
        def run() -> int:
            b = batch.contents
            tensors = [view(b.images, None), view(b.targets, None)]
            shown = TrainingBatch(b.epoch, b.step, tensors[0].copy(), tensors[1].copy(),
                                  np.ctypeslib.as_array(b.labels, (b.count,)).copy(),
                                  np.ctypeslib.as_array(b.indices, (b.count,)).copy())
            stop = on_batch(shown) if on_batch else False
            tensors[0][...], tensors[1][...] = shown.images, shown.targets
            return int(bool(stop))
        return callbacks.guarded(run, 1)

    def compute(logits: Any, targets: Any, value: Any, gradient: Any, _user: Any) -> int:
        def run() -> int:
            assert loss_function
            z, t = view(logits, None).copy(), view(targets, None).copy()
            mean, slopes = loss_function(z, t)
            value[0], view(gradient, None)[...] = float(mean), np.broadcast_to(np.asarray(slopes, np.float32), z.shape)
            return int(abi.CNN_OK)
        return callbacks.guarded(run, int(abi.CNN_ERROR_STOPPED))

    if on_batch:
        hooks.on_batch = fields["on_batch"](show)
    if loss_function:
        hooks.loss = fields["loss"](compute)
    if on_batch or loss_function:
        struct.hooks = ctypes.pointer(hooks)


def trained(callbacks: Callbacks, work: Callable[[Any], Any], epochs: list[Epoch], model: Any,
            end: Callable[[Optional[BaseException]], None] = lambda error: None) -> Owner:
    """Runs a training that gives a history, in the memory of this model's context, and puts its epochs into `epochs`,
    however the training ends. `end` is called then, with what the training raises. A signal can interrupt neither."""
    pointer, struct = ctypes.POINTER(abi.cnn_history)(), defaults(abi.cnn_epoch)
    raised: Optional[BaseException] = None
    with callbacks:
        try:
            work(ref(pointer))
        except BaseException as error:
            raised = error
            raise
        finally:
            history = Owner(pointer, "cnn_history_destroy", (model,))
            found = []
            for index in range(library.cnn_history_count(pointer)):
                library.cnn_history_get(pointer, index, struct)
                found.append(record_of(Epoch, struct))
            epochs[:] = found or epochs
            end(callbacks.error or raised)
    return history


def train(model: Model, training: Dataset, validation: Optional[Dataset] = None, *, on_step: Optional[OnStep] = None,
          on_epoch: Optional[OnEpoch] = None, on_batch: Optional[OnBatch] = None,
          loss_function: Optional[LossFunction] = None, **options: Unpack[TrainOptions]) -> list[Epoch]:
    """Trains a model; Classifier is the short way. A callback that gives something true stops it; what was learned is
    kept. `on_batch` gets each batch before it is trained on, and may change it. `loss_function` takes logits and targets
    and gives the batch's mean loss and its gradient, in the place of cross-entropy. Both are experimental.

    >>> model = cnn.Model(cnn.Graph.net("two_conv", size=32))
    >>> history = cnn.train(model, cnn.Dataset("PetImages"), epochs=2, optimizer={"kind": "sgd", "momentum": 0.9})
    >>> [epoch.images for epoch in history]
    [20, 20]
    """
    struct, callbacks = train_options(options, on_step, on_epoch)
    _set_hooks(struct, callbacks, on_batch, loss_function)
    owner = model._as_parameter_
    epochs: list[Epoch] = []
    trained(callbacks, lambda history: library.cnn_train(owner, training, validation, struct, history), epochs, owner)
    return epochs


def train_head(model: Model, training: Dataset, validation: Optional[Dataset] = None, *, layer: Optional[str] = None,
               on_step: Optional[OnStep] = None, on_epoch: Optional[OnEpoch] = None,
               **options: Unpack[TrainOptions]) -> list[Epoch]:
    """Trains only the layers after `layer` (None: only the head), on values of that layer that are computed once."""
    struct, callbacks = train_options(options, on_step, on_epoch)
    name, owner = layer.encode() if layer else None, model._as_parameter_
    epochs: list[Epoch] = []
    trained(callbacks, lambda history: library.cnn_train_head(owner, name, training, validation, struct, history),
            epochs, owner)
    return epochs


def _evaluate_options(model: Model, options: Mapping[str, Any], on_image: Optional[OnImage]) -> tuple[Any, Callbacks]:
    struct, callbacks, classes = struct_of(abi.cnn_evaluate_options, options), Callbacks(), max(model.output_shape[0], 2)
    fields = dict(struct._fields_)

    def show(result: Any, _user: Any) -> int:
        def run() -> int:
            r = result.contents
            probabilities = np.ctypeslib.as_array(r.probabilities, (classes,)).copy()
            return int(bool(on_image and on_image(SampleResult(r.image, r.label, r.predicted, probabilities, r.loss))))
        return callbacks.guarded(run, 1)

    struct.progress = callbacks.make_stop(fields["progress"])
    if on_image:
        struct.on_image = fields["on_image"](show)
    return struct, callbacks


def evaluate(model: Model, dataset: Dataset, *, on_image: Optional[OnImage] = None,
             **options: Unpack[EvaluateOptions]) -> Metrics:
    """Measures a model on a dataset. `on_image` gets the result for each image; if it
    gives something true, the evaluation stops with StoppedError.

    >>> cnn.evaluate(cnn.Model(cnn.Graph.net("two_conv", size=32)), cnn.Dataset("PetImages")).confusion.sum().item()
    20
    """
    pointer, owner = ctypes.POINTER(abi.cnn_metrics)(), model._as_parameter_  # as in train()
    struct, callbacks = _evaluate_options(model, options, on_image)
    with callbacks:
        library.cnn_evaluate(owner, dataset, struct, ref(pointer))
    return Metrics(pointer)


def calibrate(model: Model, dataset: Dataset, **options: Unpack[EvaluateOptions]) -> float:
    """The temperature to divide the model's logits by, so that its probabilities are right on this dataset, which it
    wasn't trained on. A Classifier has it in calibrate().

    >>> cnn.calibrate(cnn.Model(cnn.Graph.net("two_conv", size=32)), cnn.Dataset("PetImages")) > 0
    True
    """
    temperature, owner = ctypes.c_float(), model._as_parameter_
    struct, callbacks = _evaluate_options(model, options, None)
    with callbacks:
        library.cnn_calibrate(owner, dataset, struct, ref(temperature))
    return temperature.value


def schedule_factor(schedule: Union[str, ScheduleOptions], progress: float, epochs: int) -> float:
    """What the optimizer's learning rate is multiplied by at a moment of a training of so many epochs; `progress` is the
    part of it that is done, 0 to 1.

    >>> cnn.schedule_factor("cosine", 0, 10), round(cnn.schedule_factor("cosine", 0.5, 10), 2)
    (1.0, 0.5)
    """
    struct = inner_struct(abi.cnn_schedule, schedule)
    factor = float(library.cnn_schedule_factor(struct, progress, epochs))
    if factor != factor:  # NaN: an option is out of range
        raise ArgumentError(library.cnn_last_error().decode() if progress >= 0 else f"the progress is {progress}")
    return factor
