"""How good a classifier is."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _abi as abi
from ._library import library
from ._records import ClassResult
from ._structs import defaults, record_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Metrics:
    """How good a classifier is: numbers over all images, each class's in `per_class`, and how often each class was
    predicted for each in `confusion[class, predicted]`.

    `precision`, `recall`, `f1` and `auc` are of the second class where there are two, else means over the classes.
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

    @staticmethod
    def _of_class(pointer: Any, index: int) -> ClassResult:
        result = defaults(abi.cnn_class_result)
        library.cnn_metrics_compute_class(pointer, index, result)
        return record_of(ClassResult, result)

    def __repr__(self) -> str:
        numbers = {name: value for name, value in vars(self).items() if name not in ("confusion", "per_class")}
        return f"Metrics({', '.join(f'{name}={value!r}' for name, value in numbers.items())})"
