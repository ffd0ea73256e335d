"""libcnn in Python: trains and runs convolutional image classifiers, with NumPy arrays in and out.

    import cnn
    pets = cnn.Classifier("two_conv", epochs=10, augment="flip")
    pets.fit("PetImages")                       # a folder or zip of class folders; or arrays and labels
    print(pets.predict(["photo.jpg"]), pets.score("more/PetImages"))
    pets.save("pets.safetensors")

`Classifier` is the short way. Below it are `Dataset` and `Loader` for photographs, and `Graph` and `Model` for networks.
`train` and `evaluate` work with these; `Model.forward`, `loss`, `Model.backward` and `Optimizer` make a training loop of
your own. `Context` has the threads and the limits.

An array that is passed in is copied only if it isn't contiguous. An array that comes out is a view of the library's
memory, and keeps that memory alive. Options (`**options`) are the fields of a C struct, which the headers document:
`TrainOptions` has those of cnn_train_options. Strings stand for enum values: "same" for CNN_PADDING_SAME.
"""
from ._declarations import VERSION as __version__
from ._library import features, has_feature, version
from ._predictions import Explanation, Prediction
from ._records import (AugmentOptions, BatchNormOptions, ClassResult, Conv2dOptions, DatasetOptions, DatasetParts,
                       DenseOptions, Epoch, EvaluateOptions, ImageOptions, LoaderOptions, NetOptions, OnnxOptions,
                       OptimizerOptions, Pool2dOptions, PreprocessOptions, Progress, ScheduleOptions, TrainOptions)
from .classifier import Classifier
from .context import Context, limit_threads
from .datasets import Dataset, Loader
from .errors import (ArgumentError, DataError, Error, FileError, FolderError, ForbiddenFileError, FormatError, InUseError,
                     LimitError, MissingFileError, NotFiniteError, NotFittedError, OutOfMemoryError, ShapeError,
                     StoppedError, UnsupportedError)
from .graphs import Graph, Layer, net_names
from .images import ImageInfo, decode_image, load_image, parse_augment, preprocess, probe_image, resize
from .metrics import Metrics
from .models import Model, Optimizer, Parameter
from .tensors import Tensor
from .training import (SampleResult, TrainingBatch, calibrate, evaluate, loss, schedule_factor, train, train_head)

__all__ = [
    "ArgumentError", "AugmentOptions", "BatchNormOptions", "ClassResult", "Classifier", "Context", "Conv2dOptions",
    "DataError", "Dataset", "DatasetOptions", "DatasetParts", "DenseOptions", "Epoch", "Error", "EvaluateOptions",
    "Explanation", "FileError", "FolderError", "ForbiddenFileError", "FormatError", "Graph", "ImageInfo",
    "ImageOptions", "InUseError", "Layer", "LimitError", "Loader", "LoaderOptions", "Metrics", "MissingFileError", "Model",
    "NetOptions", "NotFiniteError", "NotFittedError", "OnnxOptions", "Optimizer", "OptimizerOptions",
    "OutOfMemoryError", "Parameter", "Pool2dOptions", "Prediction", "PreprocessOptions", "Progress", "SampleResult",
    "ScheduleOptions", "ShapeError", "StoppedError", "Tensor", "TrainOptions", "TrainingBatch", "UnsupportedError",
    "__version__", "calibrate", "decode_image", "evaluate", "features", "has_feature", "limit_threads",
    "load_image", "loss", "net_names", "parse_augment", "preprocess", "probe_image", "resize", "schedule_factor",
    "train", "train_head", "version"]
