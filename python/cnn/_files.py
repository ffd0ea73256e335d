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


def _taken(file: IO[bytes], chunk: memoryview) -> int:
    """How much of a chunk the file's write() took. One that tells nothing, as many writers of people's own, took all."""
    taken = file.write(chunk)
    if taken is not None and not 0 < taken <= len(chunk):
        raise OSError(f"{file!r}: its write() took {taken} of {len(chunk)} bytes")
    return len(chunk) if taken is None else taken


def write_file(file: IO[bytes], save: Callable[[Any], Any]) -> None:
    """Has `save` write to what has write(). What that raises is raised."""
    callbacks = Callbacks()
    struct, kinds = _struct_of(file)

    def write(memory: int, size: int, _user: Any) -> int:
        def run() -> int:
            left = memoryview(ctypes.string_at(memory, size))
            while left:
                left = left[_taken(file, left):]
            return 0
        return callbacks.guarded(run, 1)

    struct.write = kinds["write"](write)
    with callbacks:
        save(struct)


def _bytes_to_end(file: IO[bytes], start: int) -> int:
    """How many bytes lie behind `start`, which may itself be behind the end."""
    size = max(file.seek(0, os.SEEK_END) - start, 0)
    if size >= 1 << 63:
        raise OSError(f"{file!r}: its seek() gives an end at byte {start + size}, which no file has")
    return size


def _read(file: IO[bytes], size: int) -> bytes:
    """At most so many bytes, as the file's read() gives them."""
    data = file.read(size)
    if data is None:
        raise BlockingIOError(f"{file!r}: its read() has no bytes yet")
    if isinstance(data, str):
        raise TypeError(f"{file!r} is opened as text: open it with mode 'rb'")
    data = bytes(data)
    if len(data) > size:
        raise OSError(f"{file!r}: its read({size}) gave {len(data)} bytes")
    return data


def read_file(file: IO[bytes], load: Callable[[Any], Any]) -> None:
    """Has `load` read what has read() and seek(), from where it stands to its end."""
    callbacks = Callbacks()
    struct, kinds = _struct_of(file)
    start = file.tell()
    struct.size = _bytes_to_end(file, start)

    def read_at(offset: int, to: int, size: int, done: Any, _user: Any) -> int:
        def run() -> int:
            file.seek(start + offset)
            data = _read(file, size)
            ctypes.memmove(to, data, len(data))
            done[0] = len(data)
            return 0
        return callbacks.guarded(run, 1)

    struct.read_at = kinds["read_at"](read_at)
    with callbacks:
        load(struct)
