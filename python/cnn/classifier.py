"""The classifier of photographs, by scikit-learn's conventions."""
from __future__ import annotations

import ctypes
import inspect
import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._labels import LABELS_KEY, classes_of, label_text, labels_from_text, labels_to_text
from ._library import library
from ._objects import Borrowed, Object, Owner, ref, strings
from ._records import AugmentOptions, Epoch, OptimizerOptions, PathLike, PreprocessOptions, ScheduleOptions, TrainOptions
from ._structs import defaults, struct_of
from .context import Context
from .datasets import Dataset
from .errors import DataError, Error, NotFiniteError, NotFittedError, ShapeError, error_of, readable
from .metrics import Metrics
from .models import Graph, Model, read_bytes, written_bytes
from .training import OnEpoch, OnStep, train_options, trained

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Images = Union[PathLike, Dataset, Sequence[PathLike], "NDArray[Any]", Sequence["NDArray[Any]"]]


class Prediction(NamedTuple):
    """What predict_files() gives for a file."""

    label: Any  # None where there is an error
    confidence: float
    candidates: list[tuple[Any, float]]  # the likeliest classes and their probabilities
    error: Optional[Error]


class _Learned(NamedTuple):
    """What a training makes. It is exchanged as one, so that a call in another thread never sees half of it."""

    owner: Optional[Owner]  # None: closed
    classes: NDArray[Any]
    history: list[Epoch]


class Classifier(Object):
    """Tells classes of photographs apart, by scikit-learn's conventions: fit, predict, predict_proba, score.

    X is a folder, zip or CSV file, which brings its labels (a Dataset likewise); a list of files; an array N×H×W×3 of
    uint8; or a list of arrays H×W×3. `net` is a name of net_names(), or a Graph that ends in a logit for each class (one
    for two classes); `size` the height and width of a named net's input (0: its own). `pretrained`, in its place, is a
    model to begin with, or its file: a new head is trained for `head_epochs`, then all of it. `flip` averages over each
    photograph and its mirror image. `options` are further fields of cnn_train_options. After fit: `classes_`,
    `history_` (an Epoch each).

    >>> pets = cnn.Classifier("two_conv", size=48, epochs=12, augment="flip", seed=1)
    >>> pets.fit("PetImages")
    Classifier(size=48, epochs=12, seed=1, augment='flip')
    >>> pets.classes_.tolist(), len(pets.history_)
    (['Cat', 'Dog'], 12)
    >>> pets.predict(["photo.jpg", "other.jpg"]).shape
    (2,)
    >>> pets.save("pets.safetensors")
    """

    _type = "cnn_classifier"
    _estimator_type = "classifier"

    def __init__(self, net: Union[str, Graph] = "two_conv", *, size: int = 0, epochs: int = 10, batch_size: int = 32,
                 seed: int = 0, augment: Union[None, str, AugmentOptions] = None,
                 optimizer: Union[str, OptimizerOptions] = "adam", schedule: Union[str, ScheduleOptions] = "constant",
                 threshold: float = 0.5, flip: bool = False, preprocess: Optional[PreprocessOptions] = None,
                 pretrained: Union[None, PathLike, Model] = None, head_epochs: int = 5,
                 options: Optional[TrainOptions] = None, context: Optional[Context] = None) -> None:
        self.net, self.size, self.epochs, self.batch_size, self.seed = net, size, epochs, batch_size, seed
        self.augment, self.optimizer, self.schedule = augment, optimizer, schedule
        self.threshold, self.flip, self.preprocess = threshold, flip, preprocess
        self.pretrained, self.head_epochs, self.options, self.context = pretrained, head_epochs, options, context
        self._learned: Optional[_Learned] = None
        self._in_training: dict[int, _Learned] = {}  # by thread

    # scikit-learn's way to look at an estimator and copy it
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, as scikit-learn asks for them."""
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **values: Any) -> Classifier:
        """Changes parameters; the next fit() goes by them."""
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
        learned = self._learned_so_far()
        return learned is not None and learned.owner is not None

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = {name: value for name, value in self.get_params().items() if value is not defaults[name].default
                   and value != defaults[name].default}
        return f"Classifier({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def _learned_so_far(self) -> Optional[_Learned]:
        """In a callback of a training, what that has learned by then; elsewhere, what the last one left."""
        return self._in_training.get(threading.get_ident(), self._learned)

    def _fitted(self) -> _Learned:
        """What a call uses, from its beginning to its end, whoever fits or closes the classifier meanwhile."""
        learned = self._learned_so_far()
        if learned is None or learned.owner is None:
            raise NotFittedError("this Classifier is not fitted yet, or closed")
        return learned

    @property
    def _as_parameter_(self) -> Optional[Owner]:
        return self._fitted().owner

    def _told_by_training(self) -> _Learned:
        learned = self._learned_so_far()
        if learned is None:
            raise NotFittedError("this Classifier is not fitted yet")
        return learned

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes, in the order of the probabilities."""
        return self._told_by_training().classes

    @property
    def history_(self) -> list[Epoch]:
        """What each epoch of the training came to."""
        return self._told_by_training().history

    def close(self) -> None:
        """Frees the net. What was told of its training stays."""
        learned = self._learned_so_far()
        self._in_training.pop(threading.get_ident(), None)
        self._learned = learned and learned._replace(owner=None)

    def _created(self, classes: NDArray[Any]) -> Owner:
        """A classifier of C's, by the parameters."""
        net = struct_of(abi.cnn_net_options, {"size": self.size})
        struct = struct_of(abi.cnn_classifier_options, {"net": net, "preprocess": self.preprocess, "seed": self.seed,
                                                        "classes": len(classes)})
        pointer = self._place()
        if self.pretrained is not None:
            model = self.pretrained if isinstance(self.pretrained, Model) else Model.load(
                self.pretrained, context=self.context)
            library.cnn_classifier_create_from_model(self.context, model, struct, ref(pointer))
        elif isinstance(self.net, str):
            library.cnn_classifier_create(self.context, self.net.encode(), struct, ref(pointer))
        else:
            library.cnn_classifier_create_from_graph(self.context, self.net, struct, ref(pointer))
        owner = Owner(pointer, "cnn_classifier_destroy", (self.context,))
        _model_of(owner).set_metadata(LABELS_KEY, labels_to_text(classes))
        library.cnn_classifier_set_threshold(owner, self.threshold)
        library.cnn_classifier_set_flip(owner, self.flip)
        return owner

    def _labelled(self, X: Any, y: Any, classes: Optional[NDArray[Any]]) -> Dataset:
        """X and y as a dataset whose classes are in the order of these, and whose broken files are left out."""
        if isinstance(X, Dataset):
            return X
        if isinstance(X, (str, os.PathLike)):
            dataset = Dataset(X, context=self.context)
        elif y is None or classes is None:
            raise TypeError("arrays and lists of files need labels: y is missing")
        else:
            names, labels = [[label_text(label) for label in list_] for list_ in (classes, y)]
            if _is_files(X):
                dataset = Dataset.from_files(X, labels, context=self.context)
                dataset.align_classes(names)
            else:
                indices = {name: index for index, name in enumerate(names)}
                unknown = set(labels) - set(names)
                if unknown:
                    raise DataError(f"the classes {', '.join(sorted(unknown))} are none that the classifier knows")
                dataset = Dataset.from_pixels(X, [indices[label] for label in labels], names,
                                              context=self.context)
        for path, reason in dataset.verify():
            warnings.warn(f"{path}: is left out: {reason}")
        return dataset

    def fit(self, X: Images, y: Optional[ArrayLike] = None, *, validation: Any = None, on_step: Optional[OnStep] = None,
            on_epoch: Optional[OnEpoch] = None) -> Classifier:
        """Trains from the start. `validation`: as X, or a pair (X, y); None: a tenth is split off. A callback that
        gives something true stops the training; what was learned is kept, and so it is where a callback raises something,
        or Ctrl-C, after an epoch. A training that fails otherwise leaves the classifier as it was before.

        A callback sees what the training has learned by then, and may predict, evaluate and save it; other threads see
        the classifier as it was before, until the training ends.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=50)
        >>> pets = pets.fit("PetImages", on_epoch=lambda epoch: epoch.accuracy > 0.9 or epoch.epoch == 3)
        """
        if y is not None and np.size(y) == 0:
            raise DataError("there are no images to train on: y is empty")
        classes = None if y is None else classes_of(y)
        training = self._labelled(X, y, classes)
        if classes is None:
            classes = np.array(training.class_names)
        if validation is not None:
            others = validation if isinstance(validation, tuple) else (validation, None)
            validation = self._labelled(others[0], others[1], classes)
        options: dict[str, Any] = {"epochs": self.epochs, "batch_size": self.batch_size, "seed": self.seed,
                   "augment": self.augment or None, "optimizer": self.optimizer, "schedule": self.schedule,
                   **(self.options or {})}
        trainings: list[Any] = [(library.cnn_classifier_fit_with_history, (), *train_options(options, on_step, on_epoch))]
        if self.pretrained is not None and self.head_epochs:
            head = train_options({**options, "epochs": self.head_epochs}, on_step, on_epoch)
            trainings.insert(0, (library.cnn_classifier_fit_head, (None,), *head))
        learned, thread = _Learned(self._created(classes), classes, []), threading.get_ident()
        outer = self._in_training.get(thread)  # where a callback of a training fits again
        self._in_training[thread] = learned
        try:
            for function, layer, struct, callbacks in trainings:
                trained(callbacks, lambda history: function(learned.owner, *layer, training, validation, struct, history),
                        learned.history)
        except BaseException:
            self._end_training(thread, learned, outer, callbacks.error is not None and bool(learned.history))
            raise
        self._end_training(thread, learned, outer, True)
        return self

    def _end_training(self, thread: int, learned: _Learned, outer: Optional[_Learned], keep: bool) -> None:
        """Has what was learned take the place of what was there, unless a callback has closed or fitted the classifier."""
        if self._in_training.get(thread) is not learned:
            return
        del self._in_training[thread]
        if keep:
            self._learned = learned
        elif outer is not None:
            self._in_training[thread] = outer

    def _unlabelled(self, X: Any) -> tuple[Dataset, NDArray[np.intp]]:
        """X as a dataset, and where in X each of its images stands."""
        if _is_files(X):
            paths = [os.fsencode(os.path.abspath(os.fspath(path))) for path in X]
            dataset = Dataset.from_files(X, None, context=self.context)
            return dataset, np.array(sorted(range(len(X)), key=paths.__getitem__))
        if isinstance(X, (str, os.PathLike)):
            X = Dataset(X, context=self.context, unlabelled=True)
        elif not isinstance(X, Dataset):
            X = Dataset.from_pixels(X, context=self.context)
        return X, np.arange(len(X))

    def _probabilities(self, learned: _Learned, X: Any) -> NDArray[np.float64]:
        if not isinstance(X, (str, os.PathLike)) and len(X) == 0:
            return np.empty((0, len(learned.classes)))
        try:
            return _probabilities(learned.owner, *self._unlabelled(X))
        except Error as error:
            raise _by_given_path(error, X)

    def predict_proba(self, X: Images) -> NDArray[np.float64]:
        """N×classes probabilities, in the order of X (of a folder: of its files' paths)."""
        return self._probabilities(self._fitted(), X)

    def predict(self, X: Images) -> NDArray[Any]:
        """The class of each image, as it was named in y or by the data."""
        learned = self._fitted()
        probabilities = self._probabilities(learned, X)
        if len(learned.classes) > 2:
            chosen = probabilities.argmax(axis=1)
        else:
            chosen = (probabilities[:, 1] >= library.cnn_classifier_threshold(learned.owner)).astype(np.intp)
        return np.asarray(learned.classes[chosen])

    def predict_files(self, paths: Sequence[PathLike]) -> list[Prediction]:
        """Many files at once. One that can't be used has its error; the rest go on.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> for prediction in pets.predict_files(["photo.jpg", "README"]):
        ...     print(prediction.error or len(prediction.candidates))
        2
        README: is text, not JPEG or PNG
        """
        if isinstance(paths, (str, bytes, os.PathLike)):
            raise TypeError(f"predict_files takes a list of paths, not one: use [{paths!r}]")
        learned, found = self._fitted(), []
        with Callbacks() as signals:
            for first in range(0, max(len(paths), 1), _PART):
                part = [os.fspath(path) for path in paths[first:first + _PART]]
                probabilities = np.zeros((len(part), len(learned.classes)), np.float32)
                sentences = [ctypes.create_string_buffer(_SENTENCE) for _ in part]
                structs = (abi.cnn_prediction * max(len(part), 1))(defaults(abi.cnn_prediction))
                for struct, row, sentence in zip(structs, probabilities, sentences):
                    struct.probabilities = row.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
                    struct.probability_capacity = len(row)
                    struct.error, struct.error_capacity = ctypes.addressof(sentence), len(sentence)
                library.cnn_classifier_predict_files(learned.owner, strings(part), len(part), structs)
                found += [_prediction(struct, row, learned.classes) for struct, row in zip(structs, probabilities)]
                if signals.error:
                    break
        return found

    def score(self, X: Images, y: Optional[ArrayLike] = None) -> float:
        """The fraction that is classified rightly."""
        if y is None:
            return self.evaluate(X).accuracy
        labels, found = np.asarray(y), self.predict(X)
        if labels.shape != found.shape:
            raise ShapeError(f"there are {len(found)} images, and labels of shape {labels.shape}")
        if len(found) == 0:
            raise DataError("there are no images to score")
        return float(np.mean(found == labels))

    def evaluate(self, X: Images, y: Optional[ArrayLike] = None) -> Metrics:
        """Loss, accuracy, precision, recall, F1, AUC, calibration error and the confusion matrix.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> pets.evaluate("more/PetImages").confusion.sum().item()
        20
        """
        pointer, learned = ctypes.POINTER(abi.cnn_metrics)(), self._fitted()
        library.cnn_classifier_evaluate(learned.owner, self._labelled(X, y, learned.classes), ref(pointer))
        return Metrics(pointer)

    @property
    def model_(self) -> Model:
        """The model underneath; it lives as long as either is held."""
        return _model_of(self._as_parameter_)

    def calibrate(self, X: Images, y: Optional[ArrayLike] = None) -> float:
        """Fits confidence to data that it wasn't trained on; fit() does so with its validation data. Gives the
        temperature that logits are divided by."""
        learned = self._fitted()
        library.cnn_classifier_calibrate(learned.owner, self._labelled(X, y, learned.classes))
        return float(library.cnn_classifier_temperature(learned.owner))

    def resize(self, height: int, width: int) -> None:
        """Has photographs scaled to another size for the net."""
        library.cnn_classifier_resize(self, height, width)

    def __getstate__(self) -> dict[str, Any]:  # for copy and pickle: without the context, which stays in its process
        learned, file = self._learned_so_far(), None
        if learned and learned.owner:
            owner = learned.owner
            file = written_bytes(lambda path: library.cnn_classifier_save(owner, os.fsencode(path)))
        kept = {name: value for name, value in vars(self).items() if name not in ("_learned", "_in_training")}
        return {**kept, "context": None, "_learned": learned and learned._replace(owner=None), "_file": file}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("_file")
        vars(self).update({**state, "_in_training": {}})
        if data and self._learned:
            self._learned = self._learned._replace(owner=read_bytes(Classifier.load, data)._fitted().owner)

    def save(self, path: PathLike) -> None:
        """Writes a model file, which load(), catdog and C programs read."""
        library.cnn_classifier_save(self, os.fsencode(path))

    @classmethod
    def load(cls, path: PathLike, *, context: Optional[Context] = None) -> Classifier:
        """A classifier that catdog, a C program or save() wrote."""
        self, pointer = cls(context=context), cls._place()
        library.cnn_classifier_load(context, os.fsencode(path), ref(pointer))
        owner = Owner(pointer, "cnn_classifier_destroy", (context,))
        self.threshold = library.cnn_classifier_threshold(owner)
        self.flip = bool(library.cnn_classifier_flip(owner))
        names: list[str] = []
        while (name := library.cnn_classifier_class_name(owner, len(names))) is not None:
            names.append(os.fsdecode(name))
        self._learned = _Learned(owner, labels_from_text(_model_of(owner).metadata(LABELS_KEY), names), [])
        return self


_PART = 256  # files in a call that can't be interrupted
_CANDIDATES = 5
_SENTENCE = 1024  # bytes


def _prediction(struct: Any, probabilities: NDArray[np.float32], classes: NDArray[Any]) -> Prediction:
    if struct.status:
        return Prediction(None, float("nan"), [], error_of(struct.status, struct.error))
    likeliest = np.argsort(-probabilities, kind="stable")[:_CANDIDATES]
    candidates = [(classes[index], float(probabilities[index])) for index in likeliest]
    return Prediction(classes[struct.class_index], struct.confidence, candidates, None)


def _model_of(owner: Any) -> Model:
    model = Model.__new__(Model)
    model._owner = Borrowed(library.cnn_classifier_model(owner), owner)
    return model


def _probabilities(owner: Optional[Owner], dataset: Dataset, order: NDArray[np.intp]) -> NDArray[np.float64]:
    model = _model_of(owner)
    logits = np.empty((len(dataset),) + model.output_shape, np.float64)
    loader = dataset.batches(preprocess=library.cnn_classifier_preprocess(owner).contents)
    with Callbacks() as signals:
        for images, _labels, indices in loader.epoch(0):
            batch: NDArray[Any] = model.predict(images)
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
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _by_given_path(error: Error, X: Any) -> Error:
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
