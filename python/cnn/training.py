"""Training and measuring models."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, Optional

import numpy as np

from . import _abi as abi
from ._abi import cnn_epoch as Epoch, cnn_progress as Progress
from ._callbacks import Callbacks
from ._core import defaults, enum_value, library, ref, struct_of
from .data import Dataset
from .models import Model
from .tensors import Tensor, tensor_of


def loss(logits: np.ndarray, targets: np.ndarray, label_smoothing: float = 0,
         kind: str = "auto") -> tuple[float, np.ndarray]:
    """Cross-entropy of N×1 or N×K logits against probabilities of that shape: the mean, and its gradient."""
    value, gradient = ctypes.c_double(), np.empty(np.shape(logits), np.float32)
    library.cnn_loss_compute(enum_value("cnn_loss", kind), label_smoothing, tensor_of(logits, np.float32),
                              tensor_of(targets, np.float32), ref(value), Tensor(gradient))
    return value.value, gradient


def train_options(options: dict[str, Any], on_step: Any, on_epoch: Any) -> tuple[Any, Callbacks]:
    fields, callbacks = dict(abi.cnn_train_options._fields_), Callbacks()
    struct = struct_of(abi.cnn_train_options, options)
    struct.on_step = callbacks.make(fields["on_step"], on_step)
    struct.on_epoch = callbacks.make(fields["on_epoch"], on_epoch)
    return struct, callbacks


def trained(callbacks: Callbacks, work: Callable[[Any], Any], epochs: list[Epoch]) -> list[Epoch]:
    """Runs a training that gives a history, and adds that to `epochs`, however the training ends."""
    pointer = ctypes.POINTER(abi.cnn_history)()
    try:
        with callbacks:
            work(ref(pointer))
    finally:
        for index in range(library.cnn_history_count(pointer)):
            epochs.append(defaults(Epoch))
            library.cnn_history_get(pointer, index, epochs[-1])
        library.cnn_history_destroy(pointer)
    return epochs


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
    struct, callbacks = train_options(options, on_step, on_epoch)
    owner = model._as_parameter_  # until the history is destroyed, which is in the memory of the model's context
    return trained(callbacks, lambda history: library.cnn_train(owner, training, validation, struct, history), [])


def train_head(model: Model, training: Dataset, validation: Optional[Dataset] = None, *, layer: Optional[str] = None,
               on_step: Optional[Callable[[Progress], Any]] = None, on_epoch: Optional[Callable[[Epoch], Any]] = None,
               **options: Any) -> list[Epoch]:
    """Trains what follows `layer` (None: the last layer with weights), on values that are computed once."""
    struct, callbacks = train_options(options, on_step, on_epoch)
    name, owner = layer.encode() if layer else None, model._as_parameter_  # as in train()
    return trained(callbacks, lambda history: library.cnn_train_head(owner, name, training, validation, struct, history),
                   [])


def evaluate(model: Model, dataset: Dataset, **options: Any) -> Metrics:
    """`options`: cnn_evaluate_options."""
    pointer, owner = ctypes.POINTER(abi.cnn_metrics)(), model._as_parameter_  # as in train()
    library.cnn_evaluate(owner, dataset, struct_of(abi.cnn_evaluate_options, options), ref(pointer))
    return Metrics(pointer)
