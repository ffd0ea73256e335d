"""Contexts: threads, instruction set, and where messages go."""
from __future__ import annotations

from typing import Any, Callable, Optional

from . import _abi as abi
from ._library import library
from ._objects import Object, ref
from ._structs import struct_of
from .errors import readable


class Context(Object):
    """Threads, instruction set, and where messages go. What is made without one shares a context of the library's own.

    `threads`: how many work on a call; 0 or -1: as many as there are processors. `instruction_set`: "best", or a lesser
    one, to compare: "generic", "avx2", "avx512", ... `log`: called with a level and a message, from any thread.

    >>> with cnn.Context(threads=2, log=print) as context:
    ...     model = cnn.Model(cnn.Graph.net("two_conv"), context=context)
    >>> context.threads
    Traceback (most recent call last):
    ...
    ValueError: this Context is closed
    """

    _type = "cnn_context"

    def __init__(self, *, threads: int = 0, instruction_set: str = "best",
                 log: Optional[Callable[[str, str], Any]] = None) -> None:
        struct = struct_of(abi.cnn_context_options, {"threads": threads, "instruction_set": instruction_set})
        if log:
            levels = {value: name for name, value in abi.short_names("cnn_log_level").items()}
            struct.log = dict(struct._fields_)["log"](lambda level, text, _user: log(levels[level], readable(text)))
        pointer = self._place()
        library.cnn_context_create(struct, ref(pointer))
        self._own(pointer, struct)

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
        """The name of the one that its kernels are of."""
        return str(library.cnn_context_instruction_set(self).decode())
