"""Files that Python has open, as the library reads and writes them."""
from __future__ import annotations

import ctypes
import os
from typing import IO, Any, Callable, Union

from . import _abi as abi
from ._callbacks import Callbacks
from ._records import PathLike
from ._structs import defaults

File = Union[PathLike, IO[bytes]]


def is_path(file: Any) -> bool:
    return isinstance(file, (str, bytes, os.PathLike))


def _struct_of(file: IO[bytes]) -> tuple[Any, dict[str, Any]]:
    """The struct for a file, and the types of its callbacks."""
    struct, name = defaults(abi.cnn_file_callbacks), getattr(file, "name", None)
    struct.name = os.fsencode(name) if isinstance(name, str) and "\0" not in name else None
    return struct, dict(struct._fields_)


def write_file(file: IO[bytes], save: Callable[[Any], Any]) -> None:
    """Has `save` write to what has write(). What that raises is raised."""
    callbacks = Callbacks()
    struct, kinds = _struct_of(file)

    def write(memory: int, size: int, _user: Any) -> int:
        def run() -> int:
            left = memoryview(ctypes.string_at(memory, size))
            while left:
                left = left[file.write(left):]
            return 0
        return callbacks.guarded(run, 1)

    struct.write = kinds["write"](write)
    with callbacks:
        save(struct)


def read_file(file: IO[bytes], load: Callable[[Any], Any]) -> None:
    """Has `load` read what has read() and seek(), from where it stands to its end."""
    callbacks = Callbacks()
    struct, kinds = _struct_of(file)
    start = file.tell()
    struct.size = file.seek(0, os.SEEK_END) - start

    def read_at(offset: int, to: int, size: int, done: Any, _user: Any) -> int:
        def run() -> int:
            file.seek(start + offset)
            data = file.read(size)
            ctypes.memmove(to, data, len(data))
            done[0] = len(data)
            return 0
        return callbacks.guarded(run, 1)

    struct.read_at = kinds["read_at"](read_at)
    with callbacks:
        load(struct)
