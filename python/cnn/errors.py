"""What the library reports, as exceptions: each has its sentence, which names the file, layer or value at fault."""
from __future__ import annotations

import errno
import os
import re
from typing import Union

from . import _abi as abi


class Error(Exception):
    """What the library reports: a sentence, and the status by which there are subclasses."""

    status = 0

    def __str__(self) -> str:  # of a FileError, too, which has an errno like any OSError
        return str(self.args[0]) if self.args else ""


class ArgumentError(Error, ValueError):
    """A value that can't be: an option out of its range, a name that is none."""

    status = abi.CNN_ERROR_ARGUMENT


class NotFittedError(ArgumentError, AttributeError):
    """What a classifier knows only once it has been trained; scikit-learn's error of that name has the same bases."""


class OutOfMemoryError(Error, MemoryError):
    """There is not enough memory, or not within the context's limit."""

    status = abi.CNN_ERROR_OUT_OF_MEMORY


class FileError(Error, OSError):
    """A file can't be opened, read or written. It has the system's `errno`, and `filename`."""

    status = abi.CNN_ERROR_IO


class MissingFileError(FileError, FileNotFoundError):
    """A file or folder isn't there."""


class ForbiddenFileError(FileError, PermissionError):
    """A file may not be read or written."""


class FolderError(FileError, IsADirectoryError):
    """A folder is where a file should be."""


class FormatError(Error, ValueError):
    """A file isn't what it should be, or is broken."""

    status = abi.CNN_ERROR_FORMAT


class UnsupportedError(Error, NotImplementedError):
    """A file is sound, but uses what the library can't do; or the library was built without it."""

    status = abi.CNN_ERROR_UNSUPPORTED


class LimitError(Error, ValueError):
    """Something is larger than a limit that is set for it."""

    status = abi.CNN_ERROR_LIMIT


class ShapeError(Error, ValueError):
    """Arrays or layers whose shapes don't fit each other."""

    status = abi.CNN_ERROR_SHAPE


class NotFiniteError(Error, ArithmeticError):
    """Training or a prediction came to NaN or infinity."""

    status = abi.CNN_ERROR_NOT_FINITE


class StoppedError(Error):
    """A callback asked to stop."""

    status = abi.CNN_ERROR_STOPPED


class DataError(Error, ValueError):
    """A dataset that can't be used: no images, a single class, labels that don't fit."""

    status = abi.CNN_ERROR_DATA


_FILE_ERRORS: dict[int, type[FileError]] = {
    errno.ENOENT: MissingFileError, errno.EACCES: ForbiddenFileError, errno.EPERM: ForbiddenFileError,
    errno.EISDIR: FolderError}


def readable(text: Union[str, bytes, os.PathLike[str]]) -> str:
    """A sentence or path as it can be printed, whatever the names in it are made of."""
    return (text if isinstance(text, bytes) else os.fsencode(text)).decode(errors="replace")


def file_error(path: str, what: str, number: int) -> FileError:
    """The sentence that the library has for the system's error of that number."""
    error = _FILE_ERRORS.get(number, FileError)(f"{readable(path)}: {what}: {os.strerror(number)}")
    error.errno, error.strerror, error.filename = number, os.strerror(number), path
    return error


def _file_error_of(message: bytes) -> FileError:
    """By the reason at the sentence's end: a path may hold colons, too."""
    text, not_regular = os.fsdecode(message), ": is not a regular file"
    numbers = {os.strerror(number): number for number in _FILE_ERRORS}
    found = re.match(f"(.*): ([^:]*): ({'|'.join(map(re.escape, numbers))})(;|$)", text, re.DOTALL)
    if found:
        error = file_error(found[1], found[2], numbers[found[3]])
    elif text.endswith(not_regular) and os.path.isdir(text[:-len(not_regular)]):
        error = file_error(text[:-len(not_regular)], "is not a regular file", errno.EISDIR)
    else:
        return FileError(readable(message))
    error.args = (readable(message),)
    return error


def error_of(status: int, message: bytes) -> Error:
    if status == FileError.status:
        return _file_error_of(message)
    for kind in Error.__subclasses__():
        if kind.status == status:
            return kind(readable(message))
    error = Error(readable(message))
    error.status = status
    return error
