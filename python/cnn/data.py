"""Photographs, datasets and loaders."""
from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._core import (Context, DataError, Object, PathLike, ShapeError, defaults, enum_value, file_error, inner_struct,
                      library, readable, ref, strings, struct_of)
from .tensors import Tensor, tensor_of, view


def _take_pixels(pointer: Any) -> np.ndarray:
    return Tensor._made(pointer).numpy()


def _tensor_of_pixels(pixels: Any) -> Tensor:
    """Of bytes, and of nothing that would have to be rounded or scaled to be bytes."""
    if np.asarray(pixels).dtype != np.uint8:
        raise TypeError("images are arrays of uint8, with values from 0 to 255")
    return tensor_of(pixels, np.uint8)


def load_image(path: PathLike, **options: Any) -> np.ndarray:
    """A JPEG or PNG as H×W×3 bytes. `options`: cnn_image_options."""
    pointer = Tensor._place()
    library.cnn_image_load(None, os.fsencode(path), struct_of(abi.cnn_image_options, options), ref(pointer))
    return _take_pixels(pointer)


def decode_image(data: bytes, **options: Any) -> np.ndarray:
    """load_image, from a file's bytes."""
    pointer = Tensor._place()
    struct = struct_of(abi.cnn_image_options, options)
    library.cnn_image_decode(None, ctypes.cast(data, ctypes.c_void_p), len(data), None, struct, ref(pointer))
    return _take_pixels(pointer)


def resize(pixels: np.ndarray, width: int, height: int, fit: str = "stretch") -> np.ndarray:
    pointer = Tensor._place()
    library.cnn_image_resize(None, _tensor_of_pixels(pixels), width, height, enum_value("cnn_fit", fit), ref(pointer))
    return _take_pixels(pointer)


def preprocess(pixels: np.ndarray, augment: Any = None, *, seed: int = 0, epoch: int = 0, image: int = 0,
               **options: Any) -> np.ndarray:
    """One network input, height × width × 3 floats, augmented if `augment` is given ("flip,rotation=20", a dict or a
    struct): differently for each seed, epoch and image number. `options`: cnn_preprocess."""
    struct = struct_of(abi.cnn_preprocess, options)
    change = inner_struct(abi.cnn_augment, augment) if augment else None
    output = np.empty((struct.height, struct.width, 3), np.float32)
    place = output.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    library.cnn_augment_apply(None, _tensor_of_pixels(pixels), change, struct, seed, epoch, image, place)
    return output


def _class_indices(labels: Any, images: int) -> np.ndarray:
    indices = np.asarray(labels)
    if indices.shape != (images,):
        raise ShapeError(f"there are {images} images, and labels of shape {indices.shape}")
    if indices.dtype.kind not in "iub" or not np.array_equal(indices, indices.astype(np.int32)):
        raise TypeError(f"labels are the indices of classes, as whole numbers, not {indices.dtype}")
    return np.ascontiguousarray(indices, np.int32)


def check_files(paths: Sequence[PathLike]) -> None:
    """Raises what opening the first of them that is not there would, by the path that was given."""
    for path in map(os.fspath, paths):
        try:
            os.stat(path)
        except OSError as error:
            raise file_error(os.fsdecode(path), "can't be opened", error.errno) from None
        if os.path.isdir(path):
            raise file_error(os.fsdecode(path), "can't be opened", errno.EISDIR)
        if not os.access(path, os.R_OK):
            raise file_error(os.fsdecode(path), "can't be opened", errno.EACCES)


def _check_cells(paths: Sequence[PathLike], labels: Sequence[str]) -> None:
    """What a table of files can't hold is refused by its own name."""
    for path in paths:
        if readable(path) != os.fsdecode(path):
            raise DataError(f"{readable(path)}: the file's name is not UTF-8; predict_files takes it, a dataset doesn't")
    for label, path in zip(labels, paths):
        if not label or "\0" in label or readable(label) != label:
            raise DataError(f"{readable(path)}: the label is {label!r}; it must be a text in UTF-8 that is not empty")


class Dataset(Object):
    """Labelled photographs: a folder of class folders, a zip, a CSV file, ... (see dataset.h), or arrays.
    dataset[3] is (pixels, class index). `options`: cnn_dataset_options."""

    _type = "cnn_dataset"

    def __init__(self, path: PathLike, context: Optional[Context] = None, **options: Any):
        pointer, struct = self._place(), struct_of(abi.cnn_dataset_options, options)
        library.cnn_dataset_open(context, os.fsencode(path), struct, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def from_pixels(cls, images: Any, labels: Optional[Sequence[int]] = None, class_names: Sequence[str] = (),
                    context: Optional[Context] = None) -> Dataset:
        """Images in memory: an array N×H×W×3 of bytes, or a list of arrays H×W×3, with the class index of each."""
        tensors = [_tensor_of_pixels(image) for image in images]
        pointers = (ctypes.POINTER(abi.cnn_tensor) * max(len(tensors), 1))(
            *[tensor._as_parameter_._as_parameter_ for tensor in tensors])
        indices = None if labels is None else _class_indices(labels, len(tensors))
        place = None if indices is None else indices.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        pointer = cls._place()
        library.cnn_dataset_create_from_pixels(context, pointers, place, len(tensors), strings(class_names),
                                                len(class_names), ref(pointer))
        return cls._made(pointer, context, *tensors)

    @classmethod
    def from_files(cls, paths: Sequence[PathLike], labels: Optional[Sequence[str]] = None,
                   context: Optional[Context] = None) -> Dataset:
        """Files with the class name of each. The dataset is in the order of their absolute paths' bytes."""
        if labels is not None and len(paths) != len(labels):
            raise ShapeError(f"there are {len(paths)} files, and {len(labels)} labels")
        check_files(paths)
        _check_cells(paths, labels or [])
        columns = [[os.path.abspath(os.fspath(path)) for path in paths], labels or paths]
        rows = (",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in zip(*columns))
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "files.csv"
            table.write_bytes(os.fsencode("path,label\n" + "\n".join(rows)))
            return cls(table, context, unlabelled=labels is None)

    def __len__(self) -> int:
        return library.cnn_dataset_count(self)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        owner, pointer = self._as_parameter_, Tensor._place()
        count = library.cnn_dataset_count(owner)
        if not -count <= index < count:
            raise IndexError(index)
        library.cnn_dataset_decode(owner, index % count, None, ref(pointer))
        return Tensor._made(pointer, owner).numpy(), library.cnn_dataset_label(owner, index % count)

    @property
    def class_names(self) -> list[str]:
        count = library.cnn_dataset_class_count(self)
        return [os.fsdecode(library.cnn_dataset_class_name(self, index)) for index in range(count)]

    @property
    def labels(self) -> np.ndarray:
        """The class index of each image; −1: none."""
        return np.array([library.cnn_dataset_label(self, index) for index in range(len(self))], np.int32)

    @property
    def paths(self) -> list[str]:
        return [os.fsdecode(library.cnn_dataset_path(self, index)) for index in range(len(self))]

    def verify(self, find_duplicates: bool = False) -> list[tuple[str, str]]:
        """Removes images that can't be decoded. Gives what was found: (path, reason)."""
        found: list[tuple[str, str]] = []
        struct = struct_of(abi.cnn_verify_options, {"find_duplicates": find_duplicates})
        fields, callbacks = dict(struct._fields_), Callbacks()
        struct.bad_file = fields["bad_file"](
            lambda path, reason, _user: found.append((os.fsdecode(path), os.fsdecode(reason))))
        struct.progress = callbacks.make_stop(fields["progress"])
        with callbacks:
            library.cnn_dataset_verify(self, struct, None)
        return found

    def split(self, fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """The rest, and `fraction` of each class, chosen by `seed`."""
        rest, part, owner = self._place(), self._place(), self._as_parameter_
        library.cnn_dataset_split(owner, fraction, seed, ref(rest), ref(part))
        return self._made(rest, owner), self._made(part, owner)

    def align_classes(self, names: Sequence[str]) -> None:
        library.cnn_dataset_align_classes(self, strings(names), len(names))

    def batches(self, **options: Any) -> Loader:
        """A loader; `options`: cnn_loader_options."""
        return Loader(self, **options)


class Loader(Object):
    """A dataset's batches, prepared by threads ahead of their use. Each iteration is an epoch."""

    _type = "cnn_loader"

    def __init__(self, dataset: Dataset, context: Optional[Context] = None, **options: Any):
        struct, pointer, self._epoch = struct_of(abi.cnn_loader_options, options), self._place(), 0
        images = dataset._as_parameter_
        library.cnn_loader_create(context, images, struct, ref(pointer))
        self._own(pointer, images, context)

    def __len__(self) -> int:
        return library.cnn_loader_batch_count(self)

    def epoch(self, number: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Batches of (images, labels, indices into the dataset); copies, as the loader's own memory is filled anew."""
        owner, batch = self._as_parameter_, defaults(abi.cnn_batch)
        library.cnn_loader_start(owner, number)
        while library.cnn_loader_next(owner, batch) or batch.count:
            yield (view(batch.images, owner).copy(), np.ctypeslib.as_array(batch.labels, (batch.count,)).copy(),
                   np.ctypeslib.as_array(batch.indices, (batch.count,)).copy())

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        self._epoch += 1
        return self.epoch(self._epoch - 1)
