"""Structs of options, from what people write: numbers, names, dicts."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Mapping, TypeVar

import numpy as np

from . import _abi as abi
from ._library import library
from ._numbers import number_for, without_nul
from .errors import ArgumentError

R = TypeVar("R")


def enum_value(enum: str, value: Any) -> int:
    names = abi.short_names(enum)
    if isinstance(value, str) and value.lower() in names:
        return names[value.lower()]
    if not isinstance(value, str) and value in names.values():
        return int(value)
    raise ArgumentError(f"{value!r} is none of {', '.join(names)}")


_DEFAULTS: dict[str, dict[str, float]] = {
    "cnn_batch_norm_options": {"momentum": 0.9, "epsilon": 1e-5},
    "cnn_classifier_options": {"classes": 2},
    "cnn_evaluate_options": {"batch_size": 32, "threshold": 0.5, "temperature": 1},
    "cnn_net_options": {"outputs": 1, "dropout": -1, "width": 1},
    "cnn_optimizer_options": {"learning_rate": -1, "beta1": 0.9, "beta2": 0.999, "alpha": 0.99, "epsilon": 1e-8},
    "cnn_schedule": {"warmup": -1, "gamma": -1, "patience": 3, "final_factor": 0.0001},
    "cnn_train_options": {"epochs": 10, "batch_size": 32},
}


def defaults(kind: Any) -> Any:
    """A struct as its _init function, which is C's alone, fills it."""
    struct = kind()
    struct.struct_size = ctypes.sizeof(kind)
    for name, value in _DEFAULTS.get(kind.__name__, {}).items():
        setattr(struct, name, value)
    if kind is abi.cnn_preprocess:
        struct.mean[:], struct.scale[:] = [127.5] * 3, [1 / 127.5] * 3
    return struct


def record_of(kind: Callable[..., R], struct: Any) -> R:
    """A struct's values as Python has them."""
    return kind(**struct.asdict())


# Functions of C, and what is passed to them: Python's own are arguments by themselves, where there are any.
_CALLED = (ctypes._CFuncPtr, ctypes.c_void_p)  # type: ignore[attr-defined]


def struct_of(kind: Any, options: Mapping[str, Any]) -> Any:
    """A struct of options with these fields set. A dict becomes the struct that the field points to."""
    struct = defaults(kind)
    fields = {name: field for name, field in kind._fields_[1:] if not issubclass(field, _CALLED)}
    for name, value in options.items():
        if name not in fields:
            raise TypeError(f"{kind.__name__} has no field {name!r}; it has {', '.join(fields)}")
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
        return augment_of(value)
    if isinstance(value, str) and "kind" in kind.enums:
        return struct_of(kind, {"kind": value})
    raise TypeError(f"{kind.__name__}: a dict is wanted, not {value!r}")


def augment_of(words: str) -> Any:
    """"flip,rotation=20,zoom=0.2" as a struct."""
    augment = defaults(abi.cnn_augment)
    library.cnn_augment_parse(words.encode(), augment)
    return augment
