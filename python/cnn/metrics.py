"""How good a classifier is."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from . import _abi as abi
from ._library import library
from ._numbers import array_for
from ._objects import ref
from ._records import ClassResult
from ._structs import defaults, record_of
from .errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Metrics:
    """How good a classifier is. `per_class` has the figures of each class. `confusion[label, predicted]` is the number of
    images of one class that were predicted as another.

    Of two classes, `precision`, `recall`, `f1` and `auc` are those of the second; of more, means over the classes.
    """

    classes: int
    images: int
    loss: float
    accuracy: float
    precision: float
    recall: float
    f1: float
    auc: float
    calibration_error: float
    per_class: list[ClassResult]
    confusion: NDArray[np.int64]

    def __init__(self, pointer: Any) -> None:
        try:
            result = defaults(abi.cnn_metrics_result)
            library.cnn_metrics_compute(pointer, result)
            vars(self).update(result.asdict())
            self.per_class = [self._of_class(pointer, index) for index in range(self.classes)]
            self.confusion = np.array([[library.cnn_metrics_confusion(pointer, label, predicted)
                                        for predicted in range(self.classes)] for label in range(self.classes)])
        finally:
            library.cnn_metrics_destroy(pointer)

    @classmethod
    def from_predictions(cls, labels: ArrayLike, probabilities: ArrayLike, predicted: Optional[ArrayLike] = None) -> Metrics:
        """Of predictions that were made elsewhere: the true class index of each image, the probability of each class (an
        array N×classes), and the predicted class index (None: the likeliest class).

        >>> cnn.Metrics.from_predictions([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]).confusion.tolist()
        [[1, 0], [1, 1]]
        """
        rows, true = np.atleast_2d(np.asarray(probabilities, np.float32)), np.asarray(labels)
        chosen = rows.argmax(axis=1) if predicted is None else np.asarray(predicted)
        if rows.ndim != 2 or true.shape != rows.shape[:1] or chosen.shape != true.shape:
            raise ShapeError(f"the shapes are {true.shape} of labels, {rows.shape} of probabilities, {chosen.shape} of "
                             "predicted classes; N, N×classes and N are wanted")
        pointer = ctypes.POINTER(abi.cnn_metrics)()
        library.cnn_metrics_create(None, rows.shape[1], ref(pointer))
        try:
            for label, row, one in zip(true.tolist(), rows.tolist(), chosen.tolist()):
                loss = -float(np.log(max(row[label], 1e-30))) if 0 <= label < len(row) else 0.0
                library.cnn_metrics_add(pointer, label, array_for(ctypes.c_float, row, "a probability"), one, loss)
        except BaseException:
            library.cnn_metrics_destroy(pointer)
            raise
        return cls(pointer)

    @staticmethod
    def _of_class(pointer: Any, index: int) -> ClassResult:
        result = defaults(abi.cnn_class_result)
        library.cnn_metrics_compute_class(pointer, index, result)
        return record_of(ClassResult, result)

    def __repr__(self) -> str:
        numbers = {name: value for name, value in vars(self).items() if name not in ("confusion", "per_class")}
        return f"Metrics({', '.join(f'{name}={value!r}' for name, value in numbers.items())})"
