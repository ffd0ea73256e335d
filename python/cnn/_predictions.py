"""What a classifier says of photographs, and how it is had from the library."""
from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Sequence

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._library import library
from ._objects import Borrowed, Owner, using
from ._structs import defaults
from .datasets import Dataset
from .errors import Error, NotFiniteError, error_of, readable
from .models import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PART = 256  # files in a call that can't be interrupted
_CANDIDATES = 5
_SENTENCE = 1024  # bytes


class Prediction(NamedTuple):
    """What a classifier says of one photograph."""

    label: Any  # None where there is an error
    confidence: float
    candidates: list[tuple[Any, float]]  # the likeliest classes and their probabilities
    error: Optional[Error]


class Explanation(NamedTuple):
    """What explain() gives: the prediction, and where the network sees the class."""

    prediction: Prediction
    heat_map: NDArray[np.float32]  # height × width, from 0 to 1; it covers what the network sees of the photograph


def prediction_place(classes: int) -> tuple[Any, NDArray[np.float32], Any]:
    """A struct of C's for a prediction, and the memory that it points to: probabilities and the error's sentence."""
    struct, row = defaults(abi.cnn_prediction), np.zeros(classes, np.float32)
    sentence = ctypes.create_string_buffer(_SENTENCE)
    _point_to(struct, row, sentence)
    return struct, row, sentence


def _point_to(struct: Any, row: NDArray[np.float32], sentence: Any) -> None:
    struct.probabilities = row.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    struct.probability_capacity = len(row)
    struct.error, struct.error_capacity = ctypes.addressof(sentence), len(sentence)


def predicted_in_parts(images: Sequence[Any], learned: Any, predict: Callable[[Any, Any], Any]) -> list[Prediction]:
    """Calls `predict` with some images at a time, and an array of structs for their predictions."""
    classes = learned.classes
    found: list[Prediction] = []
    with Callbacks().in_parts(learned.owner.context()) as signals:
        for first in range(0, max(len(images), 1), _PART):
            part = images[first:first + _PART]
            probabilities = np.zeros((len(part), len(classes)), np.float32)
            sentences = [ctypes.create_string_buffer(_SENTENCE) for _ in part]
            structs = (abi.cnn_prediction * max(len(part), 1))(defaults(abi.cnn_prediction))
            for struct, row, sentence in zip(structs, probabilities, sentences):
                _point_to(struct, row, sentence)
            predict(part, structs)
            found += [prediction_of(struct, row, classes) for struct, row in zip(structs, probabilities)]
            if signals.is_stopped():
                break
    return found


def prediction_of(struct: Any, probabilities: NDArray[np.float32], classes: NDArray[Any]) -> Prediction:
    if struct.status:
        return Prediction(None, float("nan"), [], error_of(struct.status, struct.error))
    likeliest = np.argsort(-probabilities, kind="stable")[:_CANDIDATES]
    candidates = [(classes[index], float(probabilities[index])) for index in likeliest]
    return Prediction(classes[struct.class_index], struct.confidence, candidates, None)


def model_of(owner: Any) -> Model:
    model = Model.__new__(Model)
    model._owner = Borrowed(library.cnn_classifier_model(owner), owner)
    return model


def probabilities_of(owner: Owner, dataset: Dataset, order: NDArray[np.intp]) -> NDArray[np.float64]:
    with using(owner, "predict", changes=False):
        logits = _logits_of(owner, dataset, order)
    if not np.isfinite(logits).all():
        wrong = int(np.argmin(np.isfinite(logits).all(axis=1)))
        raise NotFiniteError(f"the model's output for image {wrong} is not finite")
    if logits.shape[1] == 1:  # one logit tells two classes apart: 0 stands for the first
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _logits_of(owner: Owner, dataset: Dataset, order: NDArray[np.intp]) -> NDArray[np.float64]:
    model = model_of(owner)
    logits = np.empty((len(dataset),) + model.output_shape, np.float64)
    loader = dataset.batches(preprocess=library.cnn_classifier_preprocess(owner).contents)
    with Callbacks().in_parts(owner.context()) as signals:
        for images, _labels, indices in loader.epoch(0):
            batch: NDArray[Any] = model.predict(images)
            if library.cnn_classifier_flip(owner):
                batch = (batch + model.predict(images[:, :, ::-1])) / 2
            logits[order[indices]] = batch / library.cnn_classifier_temperature(owner)
            if signals.is_stopped():
                break
    return logits


def by_given_path(error: Error, X: Any) -> Error:
    """The error of a file, by the path that was given for it."""
    for path in X if is_files(X) else ():
        absolute = readable(os.path.abspath(path))
        if str(error).startswith(absolute + ": "):
            error.args = (readable(path) + str(error)[len(absolute):],)
    return error


def is_files(X: Any) -> bool:
    """Whether these are paths, rather than one path, pixels or a dataset."""
    if isinstance(X, (str, os.PathLike, Dataset)) or len(X) == 0:
        return False
    return isinstance(next(iter(X)), (str, os.PathLike))
