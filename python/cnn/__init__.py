"""libcnn in Python: trains and runs convolutional image classifiers, with NumPy arrays in and out.

    import cnn
    pets = cnn.Classifier("two_conv", epochs=10, augment="flip")
    pets.fit("PetImages")                       # a folder or zip of class folders; or arrays and labels
    print(pets.predict(["photo.jpg"]), pets.score("more/PetImages"))
    pets.save("pets.safetensors")

It needs NumPy and libcnn.so, which is looked for where the environment variable CNN_LIBRARY says, then where pkg-config
says, then where the system's loader looks.

Arrays aren't copied on their way in if they are contiguous, and are views of the library's memory on their way out; a
view keeps that memory alive. Options that are passed on by name (`**options`) are the fields of the C struct that is
named there, as the headers document them; strings stand for enum values ("same" for CNN_PADDING_SAME).
"""
from ._declarations import VERSION as __version__
from ._core import (ArgumentError, CnnError, Context, DataError, FileError, FolderError, ForbiddenFileError, FormatError,
                    LimitError, MissingFileError, NotFiniteError, OutOfMemoryError, ShapeError, StoppedError,
                    UnsupportedError, net_names, parse_augment, version)
from .classifier import Classifier, Prediction
from .data import Dataset, Loader, decode_image, load_image, preprocess, resize
from .models import Graph, Layer, Model, Optimizer, Parameter
from .tensors import Tensor
from .training import Epoch, Metrics, Progress, evaluate, loss, train, train_head
