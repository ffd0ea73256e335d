"""Datasets of photographs, and loaders that prepare their batches."""
from __future__ import annotations

import ctypes
import errno
import os
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Sequence

import numpy as np

from . import _abi as abi
from ._callbacks import Callbacks
from ._library import library
from ._objects import Object, bytes_of, ref, strings, using
from ._records import DatasetOptions, DatasetParts, ImageOptions, LoaderOptions, PathLike
from ._structs import defaults, record_of, struct_of
from .context import Context
from .errors import DataError, Error, ShapeError, file_error, readable
from .images import tensor_of_pixels
from .tensors import Tensor, view

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack

    Batch = tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.uint64]]


def _class_indices(labels: ArrayLike, images: int) -> NDArray[np.int32]:
    indices = np.asarray(labels)
    if indices.shape != (images,):
        raise ShapeError(f"there are {images} images, and labels of shape {indices.shape}")
    if indices.dtype.kind not in "iub" or not np.array_equal(indices, indices.astype(np.int32)):
        raise TypeError(f"labels are the indices of classes, as whole numbers, not {indices.dtype}")
    return np.ascontiguousarray(indices, np.int32)


def check_files(paths: Sequence[PathLike]) -> None:
    """Raises what opening the first of them that is not there would, by the path that was given."""
    for path in paths:
        try:
            os.stat(path)
        except OSError as error:
            raise file_error(os.fsdecode(path), "can't be opened", error.errno or errno.EIO) from None
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


class _Files:
    """A program's own files, as the library asks for them: each file's bytes are kept until it gives them back."""

    _lock = threading.Lock()  # of all of them, as one that a fork copied may be held by a thread that it didn't copy

    def __init__(self, read: Callable[[int], bytes]):
        fields = dict(abi.cnn_dataset_source._fields_)
        self._kept: dict[int, list[bytes]] = {}  # by address: a file may be in use more than once
        self.read, self.release = fields["read"](self._give), fields["release"](self._take_back)
        self.raised = threading.local()  # its `error`: what `read` raised last, on that thread
        self._read = read

    def _give(self, index: int, place: Any, size: Any, _user: Any) -> int:
        try:
            data = bytes(self._read(index))
        except BaseException as error:  # there is nobody to raise it to: the file counts as one that can't be read
            self.raised.error = error
            return 1
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        with _Files._lock:
            self._kept.setdefault(address, []).append(data)
        place[0], size[0] = address, len(data)
        return 0

    def _take_back(self, address: Optional[int], _user: Any) -> None:
        with _Files._lock:
            found = self._kept[address or 0]
            found.pop()
            if not found:
                del self._kept[address or 0]


def _renew_lock() -> None:
    _Files._lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


class Dataset(Object):
    """Labelled photographs: a folder of class folders, a zip, a CSV file, or another layout that dataset.h describes; or
    arrays.

    >>> photos = cnn.Dataset("PetImages")
    >>> photos
    <cnn.Dataset: 20 images, 2 classes (Cat, Dog)>
    >>> pixels, class_index = photos[3]
    >>> pixels.shape, photos.class_names[class_index]
    ((180, 180, 3), 'Cat')
    """

    _type = "cnn_dataset"
    _files: Optional[_Files] = None

    def __init__(self, path: PathLike, *, context: Optional[Context] = None,
                 **options: Unpack[DatasetOptions]) -> None:
        pointer, struct = self._place(), struct_of(abi.cnn_dataset_options, options)
        library.cnn_dataset_open(context, os.fsencode(path), struct, ref(pointer))
        self._own(pointer, context)

    @classmethod
    def from_pixels(cls, images: Any, labels: Optional[ArrayLike] = None, class_names: Sequence[str] = (), *,
                    context: Optional[Context] = None) -> Dataset:
        """Images in memory, an array N×H×W×3 of uint8 or a list of arrays H×W×3, with the class index of each.

        >>> cnn.Dataset.from_pixels(np.zeros((4, 32, 32, 3), np.uint8), [0, 1, 0, 1], ["Cat", "Dog"])
        <cnn.Dataset: 4 images, 2 classes (Cat, Dog)>
        """
        tensors = [tensor_of_pixels(image) for image in images]
        pointers = (ctypes.POINTER(abi.cnn_tensor) * max(len(tensors), 1))(
            *[tensor._as_parameter_._as_parameter_ for tensor in tensors])
        indices = None if labels is None else _class_indices(labels, len(tensors))
        place = None if indices is None else indices.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        pointer = cls._place()
        library.cnn_dataset_create_from_pixels(context, pointers, place, len(tensors), strings(class_names),
                                                len(class_names), ref(pointer))
        return cls._made(pointer, context, *tensors)

    @classmethod
    def from_files(cls, paths: Sequence[PathLike], labels: Optional[Sequence[str]] = None, *,
                   context: Optional[Context] = None) -> Dataset:
        """Files, with the name of each file's class. The images are in the order of the files' absolute paths."""
        if labels is not None and len(paths) != len(labels):
            raise ShapeError(f"there are {len(paths)} files, and {len(labels)} labels")
        check_files(paths)
        _check_cells(paths, labels or [])
        columns: list[Sequence[Any]] = [[os.path.abspath(os.fspath(path)) for path in paths], labels or paths]
        rows = (",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in zip(*columns))
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "files.csv"
            table.write_bytes(os.fsencode("path,label\n" + "\n".join(rows)))
            return cls(table, context=context, unlabelled=labels is None)

    @classmethod
    def from_source(cls, read: Callable[[int], bytes], count: int, labels: Optional[ArrayLike] = None,
                    class_names: Sequence[str] = (), *, names: Optional[Sequence[str]] = None,
                    context: Optional[Context] = None) -> Dataset:
        """Files that the program itself reads, from a database or a network, say: `read` gives the bytes of the file of
        that index. It is called from several threads at once; if it raises something, the file counts as one that can't
        be read, and what dataset[index] then raises has it as its cause. `labels` are class indices, `names` what
        messages call the files. Experimental.

        >>> files = [path.read_bytes() for path in sorted(pathlib.Path("PetImages").rglob("*.jpg"))]
        >>> cnn.Dataset.from_source(files.__getitem__, 20, [0] * 10 + [1] * 10, ["Cat", "Dog"])
        <cnn.Dataset: 20 images, 2 classes (Cat, Dog)>
        """
        if names is not None and len(names) != count:
            raise ShapeError(f"there are {count} files, and {len(names)} names")
        indices = None if labels is None else _class_indices(labels, count)
        files, pointer = _Files(read), cls._place()
        texts = [strings(class_names), None if names is None else strings(names)]
        struct = struct_of(abi.cnn_dataset_source, {"class_count": len(class_names), "count": count})
        struct.read, struct.release = files.read, files.release
        struct.class_names = ctypes.cast(texts[0], ctypes.POINTER(ctypes.c_char_p))
        struct.names = ctypes.cast(texts[1], ctypes.POINTER(ctypes.c_char_p))
        if indices is not None:
            struct.labels = indices.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        library.cnn_dataset_create_from_source(context, struct, ref(pointer))
        made = cls._made(pointer, context, files)
        made._files = files
        return made

    def __len__(self) -> int:
        return int(library.cnn_dataset_count(self))

    def _told(self) -> str:
        names = self.class_names
        shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        return f"{len(self)} images, {len(names)} classes{shown and f' ({shown})'}"

    def _place_of(self, owner: Any, index: int) -> int:
        """Of an image that is counted from the end, too."""
        count = int(library.cnn_dataset_count(owner))
        if not -count <= index < count:
            raise IndexError(index)
        return index % count

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], int]:
        owner = self._as_parameter_
        place = self._place_of(owner, index)
        return self._decoded(owner, place, None), library.cnn_dataset_label(owner, place)

    @contextmanager
    def _with_cause(self) -> Iterator[None]:
        """Says what a program's own function raised, where the library says that it can't read the image. What is no
        error, such as KeyboardInterrupt, goes on its way."""
        raised = self._files.raised if self._files else threading.local()
        raised.error = None
        try:
            yield
        except Error as error:
            if raised.error is not None and not isinstance(raised.error, Exception):
                raise raised.error
            raise error from raised.error
        finally:
            raised.error = None

    def _decoded(self, owner: Any, place: int, options: Any) -> NDArray[np.uint8]:
        pointer = Tensor._place()
        with self._with_cause():
            library.cnn_dataset_decode(owner, place, options, ref(pointer))
        return Tensor._made(pointer, owner).numpy()

    def decode(self, index: int, **options: Unpack[ImageOptions]) -> NDArray[np.uint8]:
        """The pixels of an image, H×W×3 bytes. dataset[index] gives them with the class index, and without options.

        >>> cnn.Dataset("PetImages").decode(0, min_width=64, min_height=64).shape
        (90, 90, 3)
        """
        owner = self._as_parameter_
        return self._decoded(owner, self._place_of(owner, index), struct_of(abi.cnn_image_options, options))

    def read(self, index: int) -> bytes:
        """The bytes of an image's file."""
        owner = self._as_parameter_
        place = self._place_of(owner, index)
        with self._with_cause():
            return bytes_of(lambda memory, size: library.cnn_dataset_read(owner, place, memory, size))

    @property
    def parts(self) -> DatasetParts:
        """How many images the training, validation and test parts have, whichever of them was opened.

        >>> cnn.Dataset("PetImages").parts
        DatasetParts(divided=0, training=20, validation=0, test=0)
        """
        struct = defaults(abi.cnn_dataset_parts)
        library.cnn_dataset_get_parts(self, struct)
        return record_of(DatasetParts, struct)

    @property
    def class_names(self) -> list[str]:
        """The names of the classes, by their indices."""
        count = library.cnn_dataset_class_count(self)
        return [os.fsdecode(library.cnn_dataset_class_name(self, index)) for index in range(count)]

    @property
    def labels(self) -> NDArray[np.int32]:
        """The class index of each image; −1: none."""
        return np.array([library.cnn_dataset_label(self, index) for index in range(len(self))], np.int32)

    @property
    def paths(self) -> list[str]:
        """The path of each image."""
        return [os.fsdecode(library.cnn_dataset_path(self, index)) for index in range(len(self))]

    def verify(self, *, find_duplicates: bool = False) -> list[tuple[str, str]]:
        """Removes images that can't be decoded. Returns (path, reason) for each. With `find_duplicates`, equal files and
        files with another format's name are reported, too, and stay.

        >>> cnn.Dataset("PetImages").verify()
        []
        """
        found: list[tuple[str, str]] = []
        struct = struct_of(abi.cnn_verify_options, {"find_duplicates": find_duplicates})
        owner = self._as_parameter_
        struct.bad_file = dict(struct._fields_)["bad_file"](
            lambda path, reason, _user: found.append((os.fsdecode(path), os.fsdecode(reason))))
        with Callbacks(owner.context()) as signals:
            signals.finish(lambda: library.cnn_dataset_verify(owner, struct, None))
        return found

    def find_duplicates(self, among: Optional[Dataset] = None) -> list[tuple[int, int]]:
        """Images whose files are the same: for each image that is also in `among`, its index and that of the first equal
        one there. None: each image is compared with those before it.

        >>> cnn.Dataset("PetImages").find_duplicates()
        []
        """
        found: list[tuple[int, int]] = []
        owner = self._as_parameter_
        others = owner if among is None else among._as_parameter_

        def note(index: int, equal: int, _user: Any) -> int:
            found.append((index, equal))
            return 0

        with Callbacks(owner.context()) as signals:
            signals.finish(lambda: library.cnn_dataset_find_duplicates(owner, others,
                                                                       abi.TYPES["cnn_duplicate_callback"](note), None))
        return found

    def split(self, fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Splits off a fraction of each class, chosen by `seed`. Returns the rest, and the part that was split off.

        >>> training, validation = cnn.Dataset("PetImages").split(0.2)
        >>> len(training), len(validation)
        (16, 4)
        """
        rest, part, owner = self._place(), self._place(), self._as_parameter_
        library.cnn_dataset_split(owner, fraction, seed, ref(rest), ref(part))
        return self._made(rest, owner), self._made(part, owner)

    def align_classes(self, names: Sequence[str]) -> None:
        """Numbers the classes in the order of these names."""
        library.cnn_dataset_align_classes(self, strings(names), len(names))

    def batches(self, **options: Unpack[LoaderOptions]) -> Loader:
        """A loader that makes batches of these images."""
        return Loader(self, **options)


class Loader(Object):
    """Makes batches of a dataset. Its threads prepare them before they are needed. Each iteration is an epoch.

    >>> loader = cnn.Dataset("PetImages").batches(batch_size=8, shuffle=True, preprocess={"width": 64, "height": 64})
    >>> [images.shape for images, labels, indices in loader]
    [(8, 64, 64, 3), (8, 64, 64, 3), (4, 64, 64, 3)]
    """

    _type = "cnn_loader"

    def __init__(self, dataset: Dataset, *, context: Optional[Context] = None,
                 **options: Unpack[LoaderOptions]) -> None:
        struct, pointer, self._epoch = struct_of(abi.cnn_loader_options, options), self._place(), 0
        self._running: object = None
        images = dataset._as_parameter_
        library.cnn_loader_create(context, images, struct, ref(pointer))
        self._own(pointer, images, context)

    def __len__(self) -> int:
        return int(library.cnn_loader_batch_count(self))

    def _told(self) -> str:
        return f"{len(self)} batches"

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of (images, labels, indices into the dataset); copies, as the loader's own memory is filled anew.

        A loader runs one epoch at a time: when another begins, an iterator that isn't at its end raises RuntimeError.
        """
        owner, batch = self._as_parameter_, defaults(abi.cnn_batch)
        with using(owner, "epoch", changes=True):
            library.cnn_loader_start(owner, number)
            self._running = running = object()
        while (copies := self._next(owner, running, batch)) is not None:
            yield copies

    def _next(self, owner: Any, running: object, batch: Any) -> Optional[Batch]:
        with using(owner, "next", changes=True):
            if self._running is not running:
                raise RuntimeError("another epoch of this loader has begun: make a loader for each iterator")
            library.cnn_loader_next(self, batch)
            if not batch.count:
                return None
            return (view(batch.images, owner).copy(), np.ctypeslib.as_array(batch.labels, (batch.count,)).copy(),
                    np.ctypeslib.as_array(batch.indices, (batch.count,)).copy())

    def __iter__(self) -> Iterator[Batch]:
        self._epoch += 1
        return self.epoch(self._epoch - 1)
