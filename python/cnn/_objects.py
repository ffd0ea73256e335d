"""What the library makes, as Python holds it: when it is freed, and how it is passed."""
from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable, Optional, Sequence, TypeVar, Union

from . import _abi as abi
from ._library import library
from ._numbers import without_nul

T = TypeVar("T", bound="Object")


class Owner:
    """Frees what the library made once nothing holds it any more, and nothing that was made with it is left. (The
    latter is counted here, as Python's collector ends the members of a cycle in any order.)"""

    _lock = threading.RLock()  # a collection may begin while it is held

    def __init__(self, pointer: Any, destroy: str, keep: tuple[Any, ...]):
        self._as_parameter_, self.users, self._held, self._freed = pointer, 0, True, False
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
