"""Python functions that the library calls, and signals that arrive meanwhile."""
from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal wraps: as fast as a prediction of one image needs it
import signal
import threading
from typing import Any, Callable, Optional, TypeVar

from ._library import library
from ._objects import act_for, acting_thread, cancels_of
from ._structs import record_of
from .errors import StoppedError

R = TypeVar("R")
Handler = Callable[..., Any]

_SIGNALS = tuple(int(number) for number in signal.valid_signals())


class Callbacks:
    """Python functions that the library calls, and the time in which it works (`with callbacks:`). An exception in one
    stops the work, and is raised at the end of the `with`.

    So is one that a signal's handler raises, such as KeyboardInterrupt. Python runs handlers where it comes to run at
    all, which is then at the very beginning of a callback, before its `try`, or of a __del__: the exception would be
    printed and dropped there. Hence the handlers are wrapped for that time, and so are those that a callback sets. Work
    in several parts asks is_stopped(); work that can't be told to stop otherwise is cancelled by its context."""

    def __init__(self, *contexts: Any) -> None:
        self.error: Optional[BaseException] = None
        self._cancels: Optional[tuple[Any, int]] = None  # what counts them, and how many there were
        self._contexts = contexts
        self._catching = False
        self._handlers: dict[int, tuple[Handler, Handler]] = {}  # by signal: the caller's, and what wraps it

    def make(self, kind: Any, record: Callable[..., R], function: Optional[Callable[[R], Any]]) -> Any:
        """For a C function that gives a struct; something true from `function`, which gets a record, stops the work."""
        def call(struct: Any, _user: Any) -> int:
            return self.guarded(lambda: 1 if function and function(record_of(record, struct.contents)) else 0, 1)

        return kind(call)

    def guarded(self, function: Callable[[], int], stopped: int) -> int:
        """What the function gives; `stopped`, if it raises something, or something was raised before."""
        try:
            try:
                self._catching = True
                if self.error is None:
                    return function()
            finally:
                self._catching = False
                if self._handlers:
                    self._wrap_handlers()
        except BaseException as error:
            self._note(error)
        return stopped

    def in_parts(self, context: Any) -> Callbacks:
        """For work that is to stop between its parts when the context is cancelled, or an exception waits."""
        counter = cancels_of(context)
        self._cancels = counter, counter.cancels
        return self

    def is_stopped(self) -> bool:
        if self._cancels and self._cancels[0].cancels != self._cancels[1]:
            self.error = self.error or StoppedError("the call was cancelled by its context")
        return self.error is not None

    def finish(self, work: Callable[[], Any]) -> None:
        """Calls a function of the library that calls nothing of Python's: in another thread, so that the main one can
        run handlers meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            work()
            return
        raised: list[BaseException] = []
        done = threading.Event()
        caller, limit = acting_thread(), library.cnn_limit_threads(0)
        library.cnn_limit_threads(limit)

        def run() -> None:
            try:
                act_for(caller)
                library.cnn_limit_threads(limit)
                work()
            except BaseException as error:
                raised.append(error)
            finally:
                done.set()

        threading.Thread(target=run).start()
        while not done.wait(0.1):
            if self.error is not None:  # again, as the work may not have begun when it was noted
                self._cancel()
        if raised:
            raise raised[0]

    def make_stop(self, kind: Any) -> Any:
        """For a C function that takes how much is done: it only stops the work when a signal says so."""
        return kind(lambda _done, _total, _user: int(self.error is not None))

    def _note(self, error: BaseException) -> None:
        self.error = self.error or error
        self._cancel()

    def _cancel(self) -> None:
        for context in self._contexts:
            library.cnn_context_cancel(context)

    def _wrapped(self, handler: Handler) -> Handler:
        def run(number: int, frame: Any) -> None:
            try:
                handler(number, frame)
            except BaseException as error:
                self._note(error)
                if self._catching or not self._handlers:  # in the caller's own function, which may be a long one
                    raise

        return run

    def _wrap_handlers(self) -> None:
        for number in _SIGNALS:
            handler = _signal.getsignal(number)
            if callable(handler) and (number not in self._handlers or handler is not self._handlers[number][1]):
                self._handlers[number] = handler, self._wrapped(handler)
                signal.signal(number, self._handlers[number][1])

    def __enter__(self) -> Callbacks:
        if threading.current_thread() is threading.main_thread():  # no other runs handlers
            self._wrap_handlers()
        return self

    def __exit__(self, *_exception: Any) -> None:
        for number, (handler, wrapped) in reversed(list(self._handlers.items())):  # SIGINT last: from then on it is raised
            if _signal.getsignal(number) is wrapped:
                signal.signal(number, handler)
        self._handlers.clear()
        if self.error is not None:
            raise self.error
