"""libcnn in Python: trains and runs convolutional image classifiers, with NumPy arrays in and out.

    import cnn
    pets = cnn.Classifier("two_conv", epochs=10, augment="flip")
    pets.fit("PetImages")                       # a folder or zip of class folders; or arrays and labels
    print(pets.predict(["photo.jpg"]), pets.score("more/PetImages"))
    pets.save("pets.safetensors")

`Classifier` is the short way. Below it: `Dataset` and `Loader` for photographs, `Graph` and `Model` for nets, `train` and
`evaluate`, or `Model.forward`, `loss`, `Model.backward` and `Optimizer` for a training loop of one's own.

Arrays aren't copied on their way in if they are contiguous, and are views of the library's memory on their way out; a
view keeps that memory alive. Options that are passed on by name (`**options`) are the fields of the C struct that their
type names (`TrainOptions`: cnn_train_options), as the headers document them; strings stand for enum values ("same" for
CNN_PADDING_SAME).
"""
from ._declarations import VERSION as __version__
from ._library import has_feature, version
from ._records import (AugmentOptions, BatchNormOptions, ClassResult, Conv2dOptions, DatasetOptions, DenseOptions, Epoch,
                       EvaluateOptions, ImageOptions, LoaderOptions, NetOptions, OnnxOptions, OptimizerOptions,
                       Pool2dOptions, PreprocessOptions, Progress, ScheduleOptions, TrainOptions)
from .classifier import Classifier, Prediction
from .context import Context
from .datasets import Dataset, Loader
from .errors import (ArgumentError, DataError, Error, FileError, FolderError, ForbiddenFileError, FormatError, LimitError,
                     MissingFileError, NotFiniteError, NotFittedError, OutOfMemoryError, ShapeError, StoppedError,
                     UnsupportedError)
from .images import decode_image, load_image, parse_augment, preprocess, resize
from .metrics import Metrics
from .models import Graph, Layer, Model, Optimizer, Parameter, net_names
from .tensors import Tensor
from .training import evaluate, loss, train, train_head

__all__ = [
    "ArgumentError", "AugmentOptions", "BatchNormOptions", "ClassResult", "Classifier", "Context", "Conv2dOptions",
    "DataError", "Dataset", "DatasetOptions", "DenseOptions", "Epoch", "Error", "EvaluateOptions", "FileError",
    "FolderError", "ForbiddenFileError", "FormatError", "Graph", "ImageOptions", "Layer", "LimitError", "Loader",
    "LoaderOptions", "Metrics", "MissingFileError", "Model", "NetOptions", "NotFiniteError", "NotFittedError",
    "OnnxOptions", "Optimizer", "OptimizerOptions", "OutOfMemoryError", "Parameter", "Pool2dOptions", "Prediction",
    "PreprocessOptions", "Progress", "ScheduleOptions", "ShapeError", "StoppedError", "Tensor", "TrainOptions",
    "UnsupportedError", "__version__", "decode_image", "evaluate", "has_feature", "load_image", "loss", "net_names",
    "parse_augment", "preprocess", "resize", "train", "train_head", "version"]
