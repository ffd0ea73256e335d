"""What the rest of libcnn's Python is made of: errors, the library, its objects and their lifetime, structs of options,
and contexts."""
from __future__ import annotations

import ctypes
import errno
import os
import re
import threading
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np

from . import _abi as abi
from ._library import load_library
from ._numbers import number_for, without_nul

PathLike = Union[str, os.PathLike]

# --- errors ---


class CnnError(Exception):
    """What the library reports: a sentence, and the status by which there are subclasses."""

    status = 0

    def __str__(self) -> str:  # of a FileError, too, which has an errno like any OSError
        return str(self.args[0]) if self.args else ""


class ArgumentError(CnnError, ValueError):
    status = abi.CNN_ERROR_ARGUMENT


class OutOfMemoryError(CnnError, MemoryError):
    status = abi.CNN_ERROR_OUT_OF_MEMORY


class FileError(CnnError, OSError):
    status = abi.CNN_ERROR_IO


class MissingFileError(FileError, FileNotFoundError):
    pass


class ForbiddenFileError(FileError, PermissionError):
    pass


class FolderError(FileError, IsADirectoryError):
    """A folder is where a file should be."""


class FormatError(CnnError, ValueError):
    status = abi.CNN_ERROR_FORMAT


class UnsupportedError(CnnError, NotImplementedError):
    status = abi.CNN_ERROR_UNSUPPORTED


class LimitError(CnnError, ValueError):
    status = abi.CNN_ERROR_LIMIT


class ShapeError(CnnError, ValueError):
    status = abi.CNN_ERROR_SHAPE


class NotFiniteError(CnnError, ArithmeticError):
    status = abi.CNN_ERROR_NOT_FINITE


class StoppedError(CnnError):
    status = abi.CNN_ERROR_STOPPED


class DataError(CnnError, ValueError):
    status = abi.CNN_ERROR_DATA


_FILE_ERRORS: dict[int, type[FileError]] = {
    errno.ENOENT: MissingFileError, errno.EACCES: ForbiddenFileError, errno.EPERM: ForbiddenFileError,
    errno.EISDIR: FolderError}


def readable(text: Union[str, bytes]) -> str:
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


def error_of(status: int, message: bytes) -> CnnError:
    if status == FileError.status:
        return _file_error_of(message)
    for kind in CnnError.__subclasses__():
        if kind.status == status:
            return kind(readable(message))
    error = CnnError(readable(message))
    error.status = status
    return error


def check(status: int) -> None:
    if status:
        raise error_of(status, library.cnn_last_error())


# --- the library, and what it makes ---


library = abi.Library(load_library(), check)


def version() -> str:
    return library.cnn_version().decode()


def net_names() -> list[str]:
    """The nets that go by a name."""
    names = []
    while (name := library.cnn_net_name(len(names))) is not None:
        names.append(name.decode())
    return names


class Owner:
    """Frees what the library made once nothing holds it any more, and nothing that was made with it is left. (The
    latter is counted here, as Python's collector ends the members of a cycle in any order.)"""

    _lock = threading.RLock()  # a collection may begin while it is held

    def __init__(self, pointer: Any, destroy: str, keep: tuple):
        self._as_parameter_, self.users, self._held, self._freed = pointer, 0, True, False
        self._destroy = getattr(library, destroy)
        self.keep = tuple(kept._as_parameter_ if isinstance(kept, Object) else kept for kept in keep)
        with Owner._lock:
            for owner in self._owners():
                owner.users += 1

    def _owners(self) -> list[Owner]:
        owners = (kept.owner if isinstance(kept, Borrowed) else kept for kept in self.keep)
        return [owner for owner in owners if isinstance(owner, Owner)]

    def __del__(self) -> None:
        with self._lock:
            self._held = False
            self._free_if_unused()

    def _free_if_unused(self) -> None:
        if self._held or self.users or self._freed:
            return
        self._freed = True
        self._destroy(self._as_parameter_)
        for owner in self._owners():
            owner.users -= 1
            owner._free_if_unused()


class Borrowed:
    """An Owner's place for what belongs to something else, which it keeps."""

    def __init__(self, pointer: Any, owner: Any):
        self._as_parameter_, self.owner = pointer, owner


def _renew_lock() -> None:
    Owner._lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)  # a thread that isn't there any more may have held it


class Object:
    """Something of the library's, freed by close(), at the end of a `with`, or with its last reference. Views of its
    memory keep it alive past close(), and so does a call that uses it, in a callback or another thread."""

    _type: str  # the C type's name

    def _own(self, pointer: Any, *keep: Any) -> None:
        self._owner: Optional[Owner] = Owner(pointer, f"{self._type}_destroy", keep)

    @classmethod
    def _made(cls, pointer: Any, *keep: Any) -> Any:
        self = cls.__new__(cls)
        self._own(pointer, *keep)
        return self

    @classmethod
    def _place(cls) -> Any:
        return ctypes.POINTER(getattr(abi, cls._type))()

    @property
    def _as_parameter_(self) -> Any:
        """The owner, which ctypes passes in the object's place. What makes several calls asks for it once, so that
        all of them are of one object of C's, whoever closes or changes this one meanwhile."""
        owner = getattr(self, "_owner", None)
        if owner is None:
            raise ValueError(f"this {type(self).__name__} is closed")
        return owner

    def close(self) -> None:
        self._owner = None

    def __getstate__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled: make another where it is needed")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_exception: Any) -> None:
        self.close()


def ref(pointer: Any) -> Any:
    return ctypes.byref(pointer)


def text_of(make: Callable[[Any], Any]) -> str:
    """The text that a function gives by `char **`."""
    text = ctypes.c_char_p()
    make(ref(text))
    try:
        return text.value.decode()
    finally:
        library.cnn_text_free(text)


def strings(values: Sequence[str]) -> Any:
    return (ctypes.c_char_p * len(values))(*[without_nul(os.fsencode(value), "a text") for value in values])


# --- structs of options ---


def short_names(enum: str) -> dict[str, int]:
    """"same" for CNN_PADDING_SAME, "adam" for CNN_ADAM."""
    members = abi.ENUMS[enum]
    prefix = os.path.commonprefix(list(members)).rpartition("_")[0] + "_"
    return {name[len(prefix):].lower(): value for name, value in members.items()}


def enum_value(enum: str, value: Any) -> int:
    names = short_names(enum)
    if isinstance(value, str) and value.lower() in names:
        return names[value.lower()]
    if not isinstance(value, str) and value in names.values():
        return int(value)
    raise ArgumentError(f"{value!r} is none of {', '.join(names)}")


def defaults(kind: Any) -> Any:
    """A struct as its _init function, which is C's alone, fills it."""
    struct = kind()
    struct.struct_size = ctypes.sizeof(kind)
    if kind is abi.cnn_preprocess:
        struct.mean[:], struct.scale[:] = [127.5] * 3, [1 / 127.5] * 3
    return struct


def struct_of(kind: Any, options: dict[str, Any]) -> Any:
    """A struct of options with these fields set. A dict becomes the struct that the field points to."""
    struct = defaults(kind)
    fields = dict(kind._fields_)
    for name, value in options.items():
        if name not in fields or name == "struct_size":
            raise TypeError(f"{kind.__name__} has no field {name!r}; it has {', '.join(list(fields)[1:])}")
        if value is not None:
            setattr(struct, name, _field_value(kind, name, fields[name], value))
    return struct


def _field_value(kind: Any, name: str, field: Any, value: Any) -> Any:
    if name in kind.enums:
        return enum_value(kind.enums[name], value)
    if name in ("threads", "workers") and np.ndim(value) == 0 and value == -1:  # scikit-learn's "all processors"
        return 0
    if issubclass(field, ctypes.Array):
        return _array_value(name, field, value if np.iterable(value) else [value] * field._length_)
    if field is ctypes.c_char_p:
        return without_nul(os.fsencode(value), name)
    if issubclass(field, ctypes._Pointer):
        return ctypes.pointer(inner_struct(field._type_, value))
    return number_for(field, value, name)


def _array_value(name: str, field: Any, values: Any) -> Any:
    if len(values) != field._length_:
        raise ArgumentError(f"{name} has {len(values)} numbers; it must have {field._length_}")
    return field(*[number_for(field._type_, value, name) for value in values])


def inner_struct(kind: Any, value: Any) -> Any:
    """The struct that a field points to, from what people write: "adam", "flip,rotation=20", a dict, a struct."""
    if isinstance(value, kind):
        return value
    if isinstance(value, dict):
        return struct_of(kind, value)
    if kind is abi.cnn_augment:
        return parse_augment(value)
    if isinstance(value, str) and "kind" in kind.enums:
        return struct_of(kind, {"kind": value})
    raise TypeError(f"{kind.__name__}: a dict is wanted, not {value!r}")


def parse_augment(words: str) -> Any:
    """"flip,rotation=20,zoom=0.2" as a struct with the fields of cnn_augment."""
    augment = defaults(abi.cnn_augment)
    library.cnn_augment_parse(words.encode(), augment)
    return augment


class Context(Object):
    """Threads, instruction set, and where messages go: log("warning", "..."), called from any thread."""

    _type = "cnn_context"

    def __init__(self, threads: int = 0, instruction_set: str = "best",
                 log: Optional[Callable[[str, str], Any]] = None):
        struct = struct_of(abi.cnn_context_options, {"threads": threads, "instruction_set": instruction_set})
        if log:
            levels = {value: name for name, value in short_names("cnn_log_level").items()}
            struct.log = dict(struct._fields_)["log"](lambda level, text, _user: log(levels[level], readable(text)))
        pointer = self._place()
        library.cnn_context_create(struct, ref(pointer))
        self._own(pointer, struct)

    def __deepcopy__(self, _memo: Any) -> Context:  # scikit-learn copies an estimator's parameters
        return self

    threads = property(lambda self: library.cnn_context_threads(self))
    instruction_set = property(lambda self: library.cnn_context_instruction_set(self).decode())
