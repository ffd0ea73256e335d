"""What the library makes, as Python holds it: when it is freed, and how it is passed."""
from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from typing import Any, Callable, Iterator, Optional, Sequence, TypeVar, Union

from . import _abi as abi
from ._library import library
from ._numbers import without_nul
from .errors import InUseError

T = TypeVar("T", bound="Object")


class Owner:
    """Frees what the library made once nothing holds it any more, and nothing that was made with it is left. (The
    latter is counted here, as Python's collector ends the members of a cycle in any order.)"""

    _lock = threading.RLock()  # a collection may begin while it is held

    def __init__(self, pointer: Any, destroy: str, keep: tuple[Any, ...]):
        self._as_parameter_, self.users, self._held, self._freed = pointer, 0, True, False
        self.cancels = 0  # of a context
        self._calls: dict[object, tuple[int, bool]] = {}  # in this process: the thread, and whether it changes this
        self._process = os.getpid()
        self._type, self._destroy = destroy.removesuffix("_destroy"), getattr(library, destroy)
        self.keep = tuple(kept._as_parameter_ if isinstance(kept, Object) else kept for kept in keep)
        with Owner._lock:
            for owner in self._owners():
                owner.users += 1

    def _owners(self) -> list[Owner]:
        owners = (kept.owner if isinstance(kept, Borrowed) else kept for kept in self.keep)
        return [owner for owner in owners if isinstance(owner, Owner)]

    def context(self) -> Optional[Owner]:
        """The context that it was made with; None: the default one."""
        if self._type == "cnn_context":
            return self
        return next((found for owner in self._owners() if (found := owner.context())), None)

    def begin(self, call: object, name: str, changes: bool) -> None:
        """Counts a call of the library's function of this name until end(). What changes an object runs alone; a
        callback of the thread that changes it may look at it, and a loader's own thread take the next batch."""
        thread = acting_thread()
        with Owner._lock:
            if self._process != os.getpid():  # the calls of other threads ended with the fork
                self._calls, self._process = {}, os.getpid()
            for other, changes_too in self._calls.values():
                nested = other == thread and changes_too and self._type == "cnn_loader"
                if (changes_too and other != thread) or (changes and not nested):
                    raise InUseError(f"{name}: the {self._type[4:]} is in use by another thread, or by the call that this "
                                     "one comes from; what changes it, such as this call or that one, runs alone")
            self._calls[call] = (thread, changes)
            for owner in self._owners():
                if self._type == "cnn_optimizer" and owner._type != "cnn_context":  # whose steps change the weights
                    owner.begin(call, name, changes)

    def end(self, call: object) -> None:
        with Owner._lock:  # begin() of another thread may be looking through them
            self._calls.pop(call, None)
            for owner in self._owners():
                owner._calls.pop(call, None)

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


_acting = threading.local()


def acting_thread() -> int:
    """The thread that calls; in a thread of act_for(), the one that waits for it."""
    return getattr(_acting, "thread", None) or threading.get_ident()


def act_for(thread: int) -> None:
    _acting.thread = thread


class Borrowed:
    """An Owner's place for what belongs to something else, which it keeps."""

    def __init__(self, pointer: Any, owner: Any):
        self._as_parameter_, self.owner = pointer, owner

    def begin(self, call: object, name: str, changes: bool) -> None:
        if self.owner is not None:
            self.owner.begin(call, name, changes)

    def end(self, call: object) -> None:
        if self.owner is not None:
            self.owner.end(call)


def _renew_lock() -> None:
    Owner._lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)  # a thread that isn't there any more may have held it


class _Default:
    """What an Owner counts, of the default context."""

    cancels = 0


def cancels_of(context: Optional[Owner]) -> Any:
    """What counts how often a context was cancelled; None: the default one."""
    return _Default if context is None else context


@contextlib.contextmanager
def using(owner: Owner, name: str, changes: bool) -> Iterator[None]:
    """Several calls of the library's, as one: no other thread's comes between them that doesn't go with them."""
    call = object()
    try:
        owner.begin(call, name, changes)
        yield
    finally:
        owner.end(call)


class Object:
    """Something of the library's, freed by close(), at the end of a `with`, or with its last reference. Views of its
    memory keep it alive past close(), and so does a call that uses it, in a callback or another thread."""

    _type: str  # the C type's name

    def _own(self, pointer: Any, *keep: Any) -> None:
        self._owner: Union[Owner, Borrowed, None] = Owner(pointer, f"{self._type}_destroy", keep)

    @classmethod
    def _made(cls: type[T], pointer: Any, *keep: Any) -> T:
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

    def _told(self) -> str:
        """What its repr() says of it."""
        return ""

    def __repr__(self) -> str:
        told = "closed" if getattr(self, "_owner", None) is None else self._told()
        return f"<cnn.{type(self).__name__}{told and ': '}{told}>"

    def __getstate__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled: make another where it is needed")

    def __enter__(self: T) -> T:
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
        return (text.value or b"").decode()
    finally:
        library.cnn_text_free(text)


def bytes_of(make: Callable[[Any, Any], Any]) -> bytes:
    """The bytes that a function gives by `void **` and `size_t *`."""
    memory, size = ctypes.c_void_p(), ctypes.c_size_t()
    make(ref(memory), ref(size))
    try:
        return ctypes.string_at(memory, size.value)
    finally:
        library.cnn_bytes_free(memory)


def strings(values: Sequence[Union[str, bytes]]) -> Any:
    return (ctypes.c_char_p * len(values))(*[without_nul(os.fsencode(value), "a text") for value in values])
