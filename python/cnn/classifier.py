"""The classifier of photographs, by scikit-learn's conventions."""
from __future__ import annotations

import ctypes
import inspect
import os
import threading
import warnings
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Optional, Sequence, Union, cast

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._files import File, is_path, read_file, write_file
from ._labels import LABELS_KEY, classes_of, label_text, labels_from_text, labels_to_text
from ._library import library
from ._objects import Object, Owner, bytes_of, ref, strings
from ._predictions import (Explanation, Prediction, by_given_path, is_files, model_of, predicted_in_parts, prediction_of,
                           prediction_place, probabilities_of)
from ._records import AugmentOptions, Epoch, OptimizerOptions, PathLike, PreprocessOptions, ScheduleOptions, TrainOptions
from ._structs import struct_of
from .context import Context
from .datasets import Dataset
from .errors import DataError, Error, NotFittedError, ShapeError, StoppedError
from .graphs import Graph
from .images import tensor_of_pixels
from .metrics import Metrics
from .models import Model
from .tensors import Tensor
from .training import OnEpoch, OnStep, train_options, trained

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Images = Union[PathLike, Dataset, Sequence[PathLike], "NDArray[Any]", Sequence["NDArray[Any]"]]


class _Learned(NamedTuple):
    """What a training makes. It is exchanged as one, so that a call in another thread never sees half of it."""

    owner: Optional[Owner]  # None: closed
    classes: NDArray[Any]
    history: list[Epoch]


class Classifier(Object):
    """Classifies photographs. It follows scikit-learn's conventions: fit, predict, predict_proba, score.

    X is a folder, a zip, a CSV file or a Dataset, which has the labels; or, with labels y, a list of files, an array
    N×H×W×3 of uint8, or a list of arrays H×W×3. `net` is a name of net_names(), or a Graph that ends in one logit for two
    classes, else in one for each class. `size` is the height and width of a named network's input; 0: its own. To begin
    with a trained network, give `pretrained` instead, a Model or its file: a new head is trained for `head_epochs`, then
    the whole network. With `flip`, predictions average over each photograph and its mirror image. `options` are further
    fields of cnn_train_options. After fit(), `classes_` has the classes and `history_` an Epoch for each epoch.

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
        """The parameters by name, as scikit-learn wants them."""
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **values: Any) -> Classifier:
        """Changes parameters; the next fit() uses them."""
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
        """The figures of each epoch of the training."""
        return self._told_by_training().history

    def close(self) -> None:
        """Frees the network; classes_ and history_ stay."""
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
        model_of(owner).set_metadata(LABELS_KEY, labels_to_text(classes))
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
            if is_files(X):
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
        gives something true stops the training, and what was learned is kept. If a callback, Ctrl-C or Context.cancel()
        makes it raise something, what was learned is kept, too, once an epoch is done. A training that fails otherwise
        leaves the classifier as it was before.

        A callback sees what the training has learned by then, and may predict, evaluate and save it; other threads see
        the classifier as it was before, until the training ends.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=50)
        >>> pets = pets.fit("PetImages", on_epoch=lambda epoch: epoch.accuracy > 0.9 or epoch.epoch == 3)
        """
        if y is not None and np.size(y) == 0:
            raise DataError("there are no images to train on: y is empty")
        options: dict[str, Any] = {"epochs": self.epochs, "batch_size": self.batch_size, "seed": self.seed,
                   "augment": self.augment or None, "optimizer": self.optimizer, "schedule": self.schedule,
                   **(self.options or {})}
        trainings: list[Any] = [(library.cnn_classifier_fit_with_history, (), *train_options(options, on_step, on_epoch))]
        if self.pretrained is not None and self.head_epochs:
            head = train_options({**options, "epochs": self.head_epochs}, on_step, on_epoch)
            trainings.insert(0, (library.cnn_classifier_fit_head, (None,), *head))
        classes = None if y is None else classes_of(y)
        training = self._labelled(X, y, classes)
        if classes is None:
            classes = np.array(training.class_names)
        if validation is not None:
            others = validation if isinstance(validation, tuple) else (validation, None)
            validation = self._labelled(others[0], others[1], classes)
        learned, thread = _Learned(self._created(classes), classes, []), threading.get_ident()
        outer = self._in_training.get(thread)  # where a callback of a training fits again
        self._in_training[thread] = learned
        earlier: Optional[Owner] = None
        last = trainings[-1][-1]

        def end(error: Optional[BaseException]) -> None:
            stopped = callbacks.error is not None or isinstance(error, StoppedError)  # by Context.cancel()
            if error is not None or callbacks is last:
                self._end_training(thread, learned, outer, error is None or (stopped and bool(learned.history)))

        try:
            for function, layer, struct, callbacks in trainings:
                struct.earlier = earlier and earlier._as_parameter_
                earlier = trained(
                    callbacks, lambda history: function(learned.owner, *layer, training, validation, struct, history),
                    learned.history, learned.owner, end)
        except BaseException as error:
            end(error)
            raise
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
        if is_files(X):
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
            return probabilities_of(cast(Owner, learned.owner), *self._unlabelled(X))
        except Error as error:
            raise by_given_path(error, X)

    def predict_proba(self, X: Images) -> NDArray[np.float64]:
        """The probability of each class for each image, an array N×classes, in the order of X. The images of a folder are
        in the order of their paths."""
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
        """Predicts many files at once. If a file can't be used, its prediction has the error.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> for prediction in pets.predict_files(["photo.jpg", "README"]):
        ...     print(prediction.error or len(prediction.candidates))
        2
        README: is text, not JPEG or PNG
        """
        if isinstance(paths, (str, bytes, os.PathLike)):
            raise TypeError(f"predict_files takes a list of paths, not one: use [{paths!r}]")
        learned = self._fitted()

        def predict(part: Any, structs: Any) -> None:
            library.cnn_classifier_predict_files(learned.owner, strings(part), len(part), structs)

        return predicted_in_parts([os.fspath(path) for path in paths], learned, predict)

    def predict_bytes(self, files: Sequence[bytes]) -> list[Prediction]:
        """Predicts the bytes of many files at once, as predict_files() does the files.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> [prediction.error is None for prediction in pets.predict_bytes([pathlib.Path("photo.jpg").read_bytes(), b"?"])]
        [True, False]
        """
        if isinstance(files, (str, bytes, bytearray)):
            raise TypeError("predict_bytes takes a list of files' bytes, not those of one: use [data]")
        learned = self._fitted()

        def predict(part: Any, structs: Any) -> None:
            pointers = ctypes.cast((ctypes.c_char_p * max(len(part), 1))(*part), ctypes.POINTER(ctypes.c_void_p))
            sizes = (ctypes.c_size_t * max(len(part), 1))(*map(len, part))
            library.cnn_classifier_predict_memories(learned.owner, pointers, sizes, len(part), structs)

        return predicted_in_parts([bytes(data) for data in files], learned, predict)

    def explain(self, image: Union[PathLike, bytes, NDArray[Any]], label: Any = None) -> Explanation:
        """Predicts one photograph (a file, its bytes, or pixels H×W×3), and says where in it the network sees the class
        with this label; None: the predicted class.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> prediction, heat = pets.explain("photo.jpg", "Cat")
        >>> heat.shape
        (10, 10)
        """
        learned, pointer = self._fitted(), Tensor._place()
        index = -1 if label is None else self._index_of(learned.classes, label)
        struct, row, sentence = prediction_place(len(learned.classes))
        if isinstance(image, bytes):
            library.cnn_classifier_explain_memory(learned.owner, image, len(image), index, struct, ref(pointer))
        elif isinstance(image, (str, os.PathLike)):
            library.cnn_classifier_explain_file(learned.owner, os.fsencode(image), index, struct, ref(pointer))
        else:
            library.cnn_classifier_explain_pixels(learned.owner, tensor_of_pixels(image), index, struct, ref(pointer))
        return Explanation(prediction_of(struct, row, learned.classes), Tensor._made(pointer, learned.owner).numpy())

    @staticmethod
    def _index_of(classes: NDArray[Any], label: Any) -> int:
        found = np.flatnonzero(classes == label)
        if len(found) != 1:
            raise DataError(f"{label!r} is no class of the classifier; it has {', '.join(map(str, classes.tolist()))}")
        return int(found[0])

    def score(self, X: Images, y: Optional[ArrayLike] = None) -> float:
        """The fraction of the images that is classified correctly."""
        if y is None:
            return self.evaluate(X).accuracy
        labels, found = np.asarray(y), self.predict(X)
        if labels.shape != found.shape:
            raise ShapeError(f"there are {len(found)} images, and labels of shape {labels.shape}")
        if len(found) == 0:
            raise DataError("there are no images to score")
        return float(np.mean(found == labels))

    def evaluate(self, X: Images, y: Optional[ArrayLike] = None) -> Metrics:
        """Measures it: loss, accuracy, precision, recall, F1, AUC, calibration error and the confusion matrix.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> pets.evaluate("more/PetImages").confusion.sum().item()
        20
        """
        pointer, learned = ctypes.POINTER(abi.cnn_metrics)(), self._fitted()
        dataset = self._labelled(X, y, learned.classes)
        with Callbacks(self.context) as signals:
            signals.finish(lambda: library.cnn_classifier_evaluate(learned.owner, dataset, ref(pointer)))
        return Metrics(pointer)

    @property
    def model_(self) -> Model:
        """The classifier's model. It stays valid when the classifier is closed."""
        return model_of(self._as_parameter_)

    def calibrate(self, X: Images, y: Optional[ArrayLike] = None) -> float:
        """Makes confidence right on this data, which it wasn't trained on; fit() does so with its validation data.
        Returns the temperature by which logits are divided."""
        learned = self._fitted()
        dataset = self._labelled(X, y, learned.classes)
        with Callbacks(self.context) as signals:
            signals.finish(lambda: library.cnn_classifier_calibrate(learned.owner, dataset))
        return float(library.cnn_classifier_temperature(learned.owner))

    @property
    def temperature_(self) -> float:
        """What logits are divided by for the probabilities; see calibrate()."""
        return float(library.cnn_classifier_temperature(self))

    @property
    def preprocess_(self) -> PreprocessOptions:
        """How photographs become the network's input: width, height, fit, mean and scale."""
        struct = library.cnn_classifier_preprocess(self._as_parameter_).contents
        fits = {value: name for name, value in abi.short_names("cnn_fit").items()}
        return cast(PreprocessOptions, {**struct.asdict(), "fit": fits[struct.fit], "mean": list(struct.mean),
                                        "scale": list(struct.scale)})

    def set_threshold(self, threshold: float) -> None:
        """Of two classes, has the second predicted from this probability on, 0 to 1; now, and by the next fit()."""
        library.cnn_classifier_set_threshold(self, threshold)
        self.threshold = threshold

    def set_flip(self, flip: bool) -> None:
        """Whether predictions average over each photograph and its mirror image; now, and by the next fit()."""
        library.cnn_classifier_set_flip(self, flip)
        self.flip = flip

    def quantize(self, X: Images, *, images: int = 0, seed: int = 0) -> Classifier:
        """A classifier that predicts with 8-bit integers, is a quarter as large and faster. `images` photographs of X,
        drawn by `seed`, show it the range of its values; 0: 500.

        >>> pets = cnn.Classifier("two_conv", size=48, epochs=1).fit("PetImages")
        >>> small = pets.quantize("PetImages")
        >>> len(small.to_bytes()) < len(pets.to_bytes()) / 3
        True
        """
        learned, pointer, callbacks = self._fitted(), self._place(), Callbacks()
        struct = struct_of(abi.cnn_quantize_options, {"images": images, "seed": seed})
        struct.progress = callbacks.make_stop(dict(struct._fields_)["progress"])
        with callbacks:
            library.cnn_classifier_quantize(learned.owner, self._unlabelled(X)[0], struct, ref(pointer))
        small = type(self)(**self.get_params())
        small._learned = _Learned(Owner(pointer, "cnn_classifier_destroy", (learned.owner,)), learned.classes, [])
        return small

    def resize(self, height: int, width: int) -> None:
        """Changes the height and width to which photographs are scaled for the network."""
        library.cnn_classifier_resize(self, height, width)

    def __getstate__(self) -> dict[str, Any]:  # for copy and pickle: without the context, which stays in its process
        learned, file = self._learned_so_far(), None
        if learned and learned.owner:
            file = _file_of(learned.owner)
        kept = {name: value for name, value in vars(self).items() if name not in ("_learned", "_in_training")}
        return {**kept, "context": None, "_learned": learned and learned._replace(owner=None), "_file": file}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("_file")
        vars(self).update({**state, "_in_training": {}})
        if data and self._learned:
            self._learned = self._learned._replace(owner=Classifier.from_bytes(data)._fitted().owner)

    def save(self, file: File) -> None:
        """Writes a model file, which load(), catdog and C programs read: to a path, whole or not at all; or to a binary
        file that is open."""
        if is_path(file):
            library.cnn_classifier_save(self, os.fsencode(cast(PathLike, file)))
        else:
            write_file(cast("IO[bytes]", file), lambda struct: library.cnn_classifier_save_to_callbacks(self, struct))

    @classmethod
    def load(cls, file: File, *, context: Optional[Context] = None) -> Classifier:
        """Reads a classifier that catdog, a C program or save() wrote: from a path, or a binary file that is open."""
        pointer = cls._place()
        if is_path(file):
            library.cnn_classifier_load(context, os.fsencode(cast(PathLike, file)), ref(pointer))
        else:
            read_file(cast("IO[bytes]", file),
                      lambda struct: library.cnn_classifier_load_from_callbacks(context, struct, ref(pointer)))
        return cls._loaded(pointer, context)

    def to_bytes(self) -> bytes:
        """The bytes of the file that save() writes."""
        return _file_of(self._as_parameter_)

    @classmethod
    def from_bytes(cls, data: bytes, *, context: Optional[Context] = None) -> Classifier:
        """A classifier from the bytes of such a file."""
        pointer = cls._place()
        library.cnn_classifier_load_from_memory(context, bytes(data), len(data), ref(pointer))
        return cls._loaded(pointer, context)

    @classmethod
    def _loaded(cls, pointer: Any, context: Optional[Context]) -> Classifier:
        self, owner = cls(context=context), Owner(pointer, "cnn_classifier_destroy", (context,))
        self.threshold = library.cnn_classifier_threshold(owner)
        self.flip = bool(library.cnn_classifier_flip(owner))
        names: list[str] = []
        while (name := library.cnn_classifier_class_name(owner, len(names))) is not None:
            names.append(os.fsdecode(name))
        self._learned = _Learned(owner, labels_from_text(model_of(owner).metadata(LABELS_KEY), names), [])
        return self


def _file_of(owner: Optional[Owner]) -> bytes:
    return bytes_of(lambda memory, size: library.cnn_classifier_save_to_memory(owner, memory, size))
