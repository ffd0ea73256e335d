"""Training and measuring models."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Callable, Literal, Mapping, Optional

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._library import library
from ._objects import ref
from ._records import Epoch, EvaluateOptions, Progress, TrainOptions
from ._structs import defaults, enum_value, record_of, struct_of
from .datasets import Dataset
from .metrics import Metrics
from .models import Model
from .tensors import Tensor, tensor_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack

OnStep = Callable[[Progress], Any]
OnEpoch = Callable[[Epoch], Any]


def loss(logits: ArrayLike, targets: ArrayLike, *, label_smoothing: float = 0,
         kind: Literal["auto", "binary_cross_entropy", "categorical_cross_entropy"] = "auto"
         ) -> tuple[float, NDArray[np.float32]]:
    """Cross-entropy of N×1 or N×K logits against probabilities of that shape: the mean, and its gradient.

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


def trained(callbacks: Callbacks, work: Callable[[Any], Any], epochs: list[Epoch]) -> list[Epoch]:
    """Runs a training that gives a history, and adds that to `epochs`, however the training ends."""
    pointer, struct = ctypes.POINTER(abi.cnn_history)(), defaults(abi.cnn_epoch)
    try:
        with callbacks:
            work(ref(pointer))
    finally:
        for index in range(library.cnn_history_count(pointer)):
            library.cnn_history_get(pointer, index, struct)
            epochs.append(record_of(Epoch, struct))
        library.cnn_history_destroy(pointer)
    return epochs


def train(model: Model, training: Dataset, validation: Optional[Dataset] = None, *, on_step: Optional[OnStep] = None,
          on_epoch: Optional[OnEpoch] = None, **options: Unpack[TrainOptions]) -> list[Epoch]:
    """Trains a model; Classifier is the short way. A callback that gives something true stops it; what was learned is
    kept.

    >>> model = cnn.Model(cnn.Graph.net("two_conv", size=32))
    >>> history = cnn.train(model, cnn.Dataset("PetImages"), epochs=2, optimizer={"kind": "sgd", "momentum": 0.9})
    >>> [epoch.images for epoch in history]
    [20, 20]
    """
    struct, callbacks = train_options(options, on_step, on_epoch)
    owner = model._as_parameter_  # until the history is destroyed, which is in the memory of the model's context
    return trained(callbacks, lambda history: library.cnn_train(owner, training, validation, struct, history), [])


def train_head(model: Model, training: Dataset, validation: Optional[Dataset] = None, *, layer: Optional[str] = None,
               on_step: Optional[OnStep] = None, on_epoch: Optional[OnEpoch] = None,
               **options: Unpack[TrainOptions]) -> list[Epoch]:
    """Trains what follows `layer` (None: the last layer with weights), on values that are computed once."""
    struct, callbacks = train_options(options, on_step, on_epoch)
    name, owner = layer.encode() if layer else None, model._as_parameter_  # as in train()
    return trained(callbacks, lambda history: library.cnn_train_head(owner, name, training, validation, struct, history),
                   [])


def evaluate(model: Model, dataset: Dataset, **options: Unpack[EvaluateOptions]) -> Metrics:
    """Predicts the images of a dataset, and compares with their classes.

    >>> cnn.evaluate(cnn.Model(cnn.Graph.net("two_conv", size=32)), cnn.Dataset("PetImages")).confusion.sum().item()
    20
    """
    pointer, owner = ctypes.POINTER(abi.cnn_metrics)(), model._as_parameter_  # as in train()
    library.cnn_evaluate(owner, dataset, struct_of(abi.cnn_evaluate_options, options), ref(pointer))
    return Metrics(pointer)
