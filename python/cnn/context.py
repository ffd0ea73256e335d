"""Contexts: threads, memory, messages, and stopping what runs."""
from __future__ import annotations

import contextlib
from typing import Any, Callable, Iterator, Optional

from . import _abi as abi
from ._library import library
from ._objects import Borrowed, Object, Owner, cancels_of, ref
from ._structs import struct_of
from .errors import readable

Log = Callable[[str, str], Any]


def _log_callback(log: Optional[Log]) -> Any:
    levels = {value: name for name, value in abi.short_names("cnn_log_level").items()}
    kind = abi.TYPES["cnn_log_callback"]
    return kind(lambda level, text, _user: log(levels.get(level, str(level)), readable(text))) if log else kind()


_kept: list[Any] = []  # the callbacks of the default context


class Context(Object):
    """Owns the threads, the limits on memory, and the choice of instruction set. What is made without a context uses
    the library's own: see default().

    `threads`: how many work on one call; 0 or -1: as many as there are processors. `instruction_set`: "best", or a
    lesser family, to compare: "generic", "avx2", "avx512" or "neon". `log`: called with a level and a message, from any thread.
    `memory_limit`: bytes that may be in use at one time; 0: no limit. `image_memory_limit` and `image_operation_limit`:
    what a model may cost for one image. `max_pixels`: the largest photograph. context.h has the details.

    >>> with cnn.Context(threads=2, log=print) as context:
    ...     model = cnn.Model(cnn.Graph.net("two_conv"), context=context)
    >>> context.threads
    Traceback (most recent call last):
    ...
    ValueError: this Context is closed
    """

    _type = "cnn_context"

    def __init__(self, *, threads: int = 0, instruction_set: str = "best", log: Optional[Log] = None,
                 memory_limit: int = 0, image_memory_limit: int = 0, image_operation_limit: int = 0,
                 max_pixels: int = 0) -> None:
        struct = struct_of(abi.cnn_context_options, {
            "threads": threads, "instruction_set": instruction_set, "memory_limit": memory_limit, "max_pixels": max_pixels,
            "image_memory_limit": image_memory_limit, "image_operation_limit": image_operation_limit})
        struct.log = _log_callback(log)
        pointer = self._place()
        library.cnn_context_create(struct, ref(pointer))
        self._own(pointer, struct)

    @classmethod
    def default(cls) -> Context:
        """The library's own context, which is used where none is given.

        >>> cnn.Context.default().threads > 0
        True
        """
        self = cls.__new__(cls)
        self._owner = Borrowed(cls._place(), None)  # NULL, which stands for it
        return self

    def __deepcopy__(self, _memo: Any) -> Context:  # scikit-learn copies an estimator's parameters
        return self

    def _told(self) -> str:
        return f"{self.threads} threads, {self.instruction_set}"

    @property
    def threads(self) -> int:
        """How many threads work on a call."""
        return int(library.cnn_context_threads(self))

    @property
    def instruction_set(self) -> str:
        """The name of the instruction set in use, as CNN_CPU in the environment takes it: "generic", "avx2",
        "avx512_vnni", ... It says more than the family that was chosen.

        >>> cnn.Context(instruction_set="generic").instruction_set
        'generic'
        """
        return str(library.cnn_context_instruction_set(self).decode())

    @property
    def memory_in_use(self) -> int:
        """How many bytes are allocated through the context now."""
        return int(library.cnn_context_memory_in_use(self))

    @property
    def memory_peak(self) -> int:
        """The largest number of bytes that were allocated at one time."""
        return int(library.cnn_context_memory_peak(self))

    def set_log(self, log: Optional[Log]) -> None:
        """Sends messages to another function; None: they are dropped. Call it before other threads use the context."""
        owner, callback = self._as_parameter_, _log_callback(log)
        library.cnn_context_set_log(owner, callback, None)
        if isinstance(owner, Owner):  # one that is in use stays
            owner.keep += (callback,)
        else:
            _kept.append(callback)

    def cancel(self) -> None:
        """Stops the long calls that are running with this context: they raise StoppedError in their threads. A training
        keeps what it has learned. Call it from another thread, or from a signal's handler."""
        owner = self._as_parameter_
        cancels_of(owner if isinstance(owner, Owner) else None).cancels += 1
        library.cnn_context_cancel(owner)


@contextlib.contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Limits the number of threads that work on the calling thread's calls, within a `with`. Results don't change.
    Experimental.

    >>> with cnn.limit_threads(1):
    ...     pixels = cnn.load_image("photo.jpg")
    """
    before = library.cnn_limit_threads(threads)
    try:
        yield
    finally:
        library.cnn_limit_threads(before)
