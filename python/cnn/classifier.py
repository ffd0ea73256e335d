"""The classifier of photographs, by scikit-learn's conventions."""
from __future__ import annotations

import ctypes
import inspect
import os
import warnings
from typing import Any, Callable, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._core import (Borrowed, CnnError, Context, DataError, NotFiniteError, Object, Owner, PathLike, ShapeError, defaults,
                    error_of, library, readable, ref, strings, struct_of)
from ._labels import LABELS_NOTE, classes_of, label_text, labels_from_note, labels_to_note
from .data import Dataset
from .models import Graph, Model, read_bytes, written_bytes
from .training import Epoch, Metrics, Progress, train_options, trained


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

    @property
    def _as_parameter_(self) -> Any:
        if not self.__sklearn_is_fitted__():
            raise ValueError("this Classifier is not fitted yet, or closed")
        return super()._as_parameter_

    def _created(self, classes: np.ndarray) -> Owner:
        """A classifier of C's, by the parameters."""
        net = struct_of(abi.cnn_net_options, {"size": self.size})
        struct = struct_of(abi.cnn_classifier_options, {"net": net, "preprocess": self.preprocess, "seed": self.seed,
                                                        "classes": len(classes)})
        pointer = self._place()
        if self.pretrained is not None:
            model = self.pretrained if isinstance(self.pretrained, Model) else Model.load(self.pretrained, self.context)
            library.cnn_classifier_create_from_model(self.context, model, struct, ref(pointer))
        elif isinstance(self.net, str):
            library.cnn_classifier_create(self.context, self.net.encode(), struct, ref(pointer))
        else:
            library.cnn_classifier_create_from_graph(self.context, self.net, struct, ref(pointer))
        owner = Owner(pointer, "cnn_classifier_destroy", (self.context,))
        _model_of(owner).set_note(LABELS_NOTE, labels_to_note(classes))
        library.cnn_classifier_set_threshold(owner, self.threshold)
        library.cnn_classifier_set_flip(owner, self.flip)
        return owner

    def _labelled(self, X: Any, y: Any, classes: Optional[np.ndarray]) -> Dataset:
        """X and y as a dataset whose classes are in the order of these, and whose broken files are left out."""
        if isinstance(X, Dataset):
            return X
        if isinstance(X, (str, os.PathLike)):
            dataset = Dataset(X, self.context)
        elif y is None:
            raise TypeError("arrays and lists of files need labels: y is missing")
        else:
            names, labels = [[label_text(label) for label in list_] for list_ in (classes, y)]
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
        gives something true stops the training; what was learned is kept, and so it is where a callback raises something,
        or Ctrl-C, after an epoch. A training that fails otherwise leaves the classifier as it was before."""
        if y is not None and len(y) == 0:
            raise DataError("there are no images to train on: y is empty")
        classes = None if y is None else classes_of(y)
        training = self._labelled(X, y, classes)
        if classes is None:
            classes = np.array(training.class_names)
        if validation is not None:
            validation = validation if isinstance(validation, tuple) else (validation, None)
            validation = self._labelled(*validation, classes)
        options = {"epochs": self.epochs, "batch_size": self.batch_size, "seed": self.seed,
                   "augment": self.augment or None, "optimizer": self.optimizer, "schedule": self.schedule,
                   **(self.options or {})}
        trainings = [(library.cnn_classifier_fit_with_history, (), *train_options(options, on_step, on_epoch))]
        if self.pretrained is not None and self.head_epochs:
            head = train_options({**options, "epochs": self.head_epochs}, on_step, on_epoch)
            trainings.insert(0, (library.cnn_classifier_fit_head, (None,), *head))
        owner, before = self._created(classes), dict(vars(self))
        self._owner, self.classes_, self.history_ = owner, classes, []
        epochs = self.history_
        try:
            for function, layer, struct, callbacks in trainings:
                trained(callbacks, lambda history: function(owner, *layer, training, validation, struct, history), epochs)
        except BaseException:
            if self._owner is owner and not (callbacks.error and epochs):
                self._restore(before)
            raise
        return self

    def _restore(self, before: dict[str, Any]) -> None:
        """Has again what a training sets, or has it not."""
        for name in ("classes_", "history_", "_owner"):
            if name in before:
                setattr(self, name, before[name])
            else:
                vars(self).pop(name, None)

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
        owner = self._as_parameter_
        if not isinstance(X, (str, os.PathLike)) and len(X) == 0:
            return np.empty((0, len(self.classes_)))
        try:
            return _probabilities(owner, *self._unlabelled(X))
        except CnnError as error:
            raise _by_given_path(error, X)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each image, as it was named in y or by the data."""
        probabilities = self.predict_proba(X)
        if len(self.classes_) > 2:
            return self.classes_[probabilities.argmax(axis=1)]
        return self.classes_[(probabilities[:, 1] >= library.cnn_classifier_threshold(self)).astype(int)]

    def predict_files(self, paths: Sequence[PathLike]) -> list[Prediction]:
        """Many files at once. One that can't be used has its error; the rest go on."""
        if isinstance(paths, (str, bytes, os.PathLike)):
            raise TypeError(f"predict_files takes a list of paths, not one: use [{paths!r}]")
        owner, found = self._as_parameter_, []
        with Callbacks() as signals:
            for first in range(0, max(len(paths), 1), _PART):
                part = [os.fspath(path) for path in paths[first:first + _PART]]
                structs = (abi.cnn_prediction * max(len(part), 1))(defaults(abi.cnn_prediction))
                library.cnn_classifier_predict_files(owner, strings(part), len(part), structs)
                found += [self._prediction(struct) for struct in structs[:len(part)]]
                if signals.error:
                    break
        return found

    def _prediction(self, struct: Any) -> Prediction:
        if struct.status:
            return Prediction(None, float("nan"), [], error_of(struct.status, struct.error))
        candidates = [(self.classes_[c.class_index], c.probability) for c in struct.candidates if c.class_index >= 0]
        return Prediction(self.classes_[struct.class_index], struct.confidence, candidates, None)

    def score(self, X: Any, y: Any = None) -> float:
        """The fraction that is classified rightly."""
        if y is None:
            return self.evaluate(X).accuracy
        labels, found = np.asarray(y), self.predict(X)
        if labels.shape != found.shape:
            raise ShapeError(f"there are {len(found)} images, and labels of shape {labels.shape}")
        if len(found) == 0:
            raise DataError("there are no images to score")
        return float(np.mean(found == labels))

    def evaluate(self, X: Any, y: Any = None) -> Metrics:
        """Loss, accuracy, precision, recall, F1, AUC, calibration error and the confusion matrix."""
        pointer = ctypes.POINTER(abi.cnn_metrics)()
        owner = self._as_parameter_
        library.cnn_classifier_evaluate(owner, self._labelled(X, y, self.classes_), ref(pointer))
        return Metrics(pointer)

    @property
    def model_(self) -> Model:
        """The model underneath; it lives as long as either is held."""
        return _model_of(self._as_parameter_)

    def calibrate(self, X: Any, y: Any = None) -> float:
        """Fits confidence to data that it wasn't trained on; fit() does so with its validation data. Gives the
        temperature that logits are divided by."""
        owner = self._as_parameter_
        library.cnn_classifier_calibrate(owner, self._labelled(X, y, self.classes_))
        return library.cnn_classifier_temperature(owner)

    def resize(self, height: int, width: int) -> None:
        """Has photographs scaled to another size for the net."""
        library.cnn_classifier_resize(self, height, width)

    def __getstate__(self) -> dict[str, Any]:  # for copy and pickle: without the context, which stays in its process
        state = {name: value for name, value in vars(self).items() if name != "_owner"}
        return {**state, "context": None, "_file": written_bytes(self.save) if self.__sklearn_is_fitted__() else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("_file")
        vars(self).update(state)
        if data:
            self._owner = read_bytes(Classifier.load, data)._owner

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
        self.classes_ = labels_from_note(self.model_.note(LABELS_NOTE), names)
        return self


_PART = 256  # files in a call that can't be interrupted


def _model_of(owner: Any) -> Model:
    model = Model.__new__(Model)
    model._owner = Borrowed(library.cnn_classifier_model(owner), owner)
    return model


def _probabilities(owner: Owner, dataset: Dataset, order: np.ndarray) -> np.ndarray:
    model = _model_of(owner)
    logits = np.empty((len(dataset),) + model.output_shape, np.float64)
    loader = dataset.batches(preprocess=library.cnn_classifier_preprocess(owner).contents)
    with Callbacks() as signals:
        for images, _labels, indices in loader.epoch(0):
            batch = model.predict(images)
            if library.cnn_classifier_flip(owner):
                batch = (batch + model.predict(images[:, :, ::-1])) / 2
            logits[order[indices]] = batch / library.cnn_classifier_temperature(owner)
            if signals.error:
                break
    if not np.isfinite(logits).all():
        wrong = int(np.argmin(np.isfinite(logits).all(axis=1)))
        raise NotFiniteError(f"the model's output for image {wrong} is not finite")
    if logits.shape[1] == 1:  # one logit tells two classes apart: 0 stands for the first
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _by_given_path(error: CnnError, X: Any) -> CnnError:
    """The error of a file, by the path that was given for it."""
    for path in X if _is_files(X) else ():
        absolute = readable(os.path.abspath(path))
        if str(error).startswith(absolute + ": "):
            error.args = (readable(path) + str(error)[len(absolute):],)
    return error


def _is_files(X: Any) -> bool:
    """Whether these are paths, rather than one path, pixels or a dataset."""
    if isinstance(X, (str, os.PathLike, Dataset)) or len(X) == 0:
        return False
    return isinstance(next(iter(X)), (str, os.PathLike))
