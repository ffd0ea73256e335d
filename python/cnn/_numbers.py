"""Numbers and texts on their way into C: what a C type can't hold is refused, where ctypes would cut it to its lowest
bits, and C would end a text at its first NUL."""
from __future__ import annotations

import ctypes
import math
import operator
from typing import Any, Sequence

import numpy as np

INTEGERS = (ctypes.c_int8, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_int32, ctypes.c_uint32, ctypes.c_int64,
            ctypes.c_uint64, ctypes.c_size_t, ctypes.c_int)
REALS = (ctypes.c_float, ctypes.c_double)
NUMBERS = frozenset(INTEGERS + REALS)


def whole_number(kind: Any, value: Any, name: str) -> int:
    """A value for a C integer of that type, which ctypes itself would cut to its lowest bits."""
    if isinstance(value, ctypes._SimpleCData):
        value = value.value
    try:
        number = int(value) if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; it must be a whole number") from None
    bits = 8 * ctypes.sizeof(kind)
    low, high = (0, 2 ** bits - 1) if kind(-1).value > 0 else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
    if not low <= number <= high:
        raise ValueError(f"{name} is {number}; it must be from {low} to {high}")
    return number


def real_number(kind: Any, value: Any, name: str) -> float:
    """A value for a C float or double. What is too large for one would become infinite."""
    if isinstance(value, ctypes._SimpleCData):
        value = value.value
    if not isinstance(value, (int, float, np.number, np.bool_)) or isinstance(value, np.complexfloating):
        raise TypeError(f"{name} is {value!r}; it must be a number")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} is {value}; it is too large") from None
    if math.isfinite(number) and not math.isfinite(kind(number).value):
        raise ValueError(f"{name} is {number!r}; it is too large for a C float")
    return number


def number_for(kind: Any, value: Any, name: str) -> Any:
    """A value that C holds as it is: of a field or parameter of that type, by which it is called."""
    return whole_number(kind, value, name) if kind in INTEGERS else real_number(kind, value, name)


def array_for(kind: Any, values: Sequence[Any], name: str) -> Any:
    """A C array, of at least one element, as there is none of none."""
    return (kind * max(len(values), 1))(*[number_for(kind, value, name) for value in values])


def without_nul(text: Any, name: str) -> Any:
    if isinstance(text, bytes) and b"\0" in text:
        raise ValueError(f"{name} is {text!r}; a text can't hold the character NUL")
    return text
