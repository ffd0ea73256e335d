"""What the library reports, as exceptions: each has its sentence, which names the file, layer or value at fault."""
from __future__ import annotations

import errno
import os
import re
from typing import Union

from . import _abi as abi


class Error(Exception):
    """An error of the library: its text is a sentence for people, and each status has a subclass."""

    status = 0

    def __str__(self) -> str:  # of a FileError, too, which has an errno like any OSError
        return str(self.args[0]) if self.args else ""


class ArgumentError(Error, ValueError):
    """A value that isn't allowed: an option out of range, an unknown name."""

    status = abi.CNN_ERROR_ARGUMENT


class NotFittedError(ArgumentError, AttributeError):
    """The classifier hasn't been trained yet. scikit-learn's error of this name has the same base classes."""


class OutOfMemoryError(Error, MemoryError):
    """The system has no memory left, or the context's limit is reached."""

    status = abi.CNN_ERROR_OUT_OF_MEMORY


class FileError(Error, OSError):
    """A file can't be opened, read or written. It has the system's `errno`, and `filename`."""

    status = abi.CNN_ERROR_IO


class MissingFileError(FileError, FileNotFoundError):
    """A file or folder isn't there."""


class ForbiddenFileError(FileError, PermissionError):
    """A file may not be read or written."""


class FolderError(FileError, IsADirectoryError):
    """There is a folder in the place of a file."""


class FormatError(Error, ValueError):
    """The content of a file is broken, or of another format."""

    status = abi.CNN_ERROR_FORMAT


class UnsupportedError(Error, NotImplementedError):
    """The library, or this build of it, can't do this."""

    status = abi.CNN_ERROR_UNSUPPORTED


class LimitError(Error, ValueError):
    """Something is larger than a limit allows."""

    status = abi.CNN_ERROR_LIMIT


class ShapeError(Error, ValueError):
    """The shapes of arrays or layers don't fit each other."""

    status = abi.CNN_ERROR_SHAPE


class NotFiniteError(Error, ArithmeticError):
    """A value is NaN or infinite."""

    status = abi.CNN_ERROR_NOT_FINITE


class StoppedError(Error):
    """A callback asked to stop, or Context.cancel() was called."""

    status = abi.CNN_ERROR_STOPPED


class DataError(Error, ValueError):
    """A dataset can't be used: it has no images, only one class, or other labels."""

    status = abi.CNN_ERROR_DATA


class InUseError(ArgumentError, RuntimeError):
    """Another thread uses the object, or the call that a callback comes from does, and one of both changes it."""


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
