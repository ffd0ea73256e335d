"""Python functions that the library calls, and signals that arrive meanwhile."""
from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal wraps: as fast as a prediction of one image needs it
import signal
import threading
from typing import Any, Callable, Optional, TypeVar

from ._library import library
from ._structs import record_of

R = TypeVar("R")

_SIGNALS = tuple(int(number) for number in signal.valid_signals())


class Callbacks:
    """Python functions that the library calls, and the time in which it works (`with callbacks:`). An exception in one
    stops the work, and is raised at the end of the `with`.

    So is one that a signal's handler raises, such as KeyboardInterrupt. Python runs handlers where it comes to run at
    all, which is then at the very beginning of a callback, before its `try`, or of a __del__: the exception would be
    printed and dropped there. Hence the handlers are wrapped for that time. Work in several parts looks at `error`;
    work that can't be told to stop otherwise is cancelled by its context."""

    def __init__(self, *contexts: Any) -> None:
        self.error: Optional[BaseException] = None
        self._contexts = contexts
        self._catching = False
        self._handlers: dict[int, Callable[..., Any]] = {}

    def make(self, kind: Any, record: Callable[..., R], function: Optional[Callable[[R], Any]]) -> Any:
        """For a C function that gives a struct; something true from `function`, which gets a record, stops the work."""
        def call(struct: Any, _user: Any) -> int:
            return self.guarded(lambda: 1 if function and function(record_of(record, struct.contents)) else 0, 1)

        return kind(call)

    def guarded(self, function: Callable[[], int], stopped: int) -> int:
        """What the function gives; `stopped`, if it raises something, or something was raised before."""
        try:
            self._catching = True
            if self.error is None:
                return function()
        except BaseException as error:
            self._note(error)
        finally:
            self._catching = False
        return stopped

    def make_stop(self, kind: Any) -> Any:
        """For a C function that takes how much is done: it only stops the work when a signal says so."""
        return kind(lambda _done, _total, _user: int(self.error is not None))

    def _note(self, error: BaseException) -> None:
        self.error = self.error or error
        for context in self._contexts:
            library.cnn_context_cancel(context)

    def _wrapped(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        def run(number: int, frame: Any) -> None:
            try:
                handler(number, frame)
            except BaseException as error:
                self._note(error)
                if self._catching:  # in the caller's own function, which may be a long one
                    raise

        return run

    def __enter__(self) -> Callbacks:
        if threading.current_thread() is threading.main_thread():  # no other runs handlers
            for number in _SIGNALS:
                handler = _signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._wrapped(handler))
        return self

    def __exit__(self, *_exception: Any) -> None:
        for number, handler in reversed(list(self._handlers.items())):  # SIGINT last: from then on it is raised
            signal.signal(number, handler)
        self._handlers.clear()
        if self.error is not None:
            raise self.error
