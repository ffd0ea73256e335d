"""Tensors, as NumPy and DLPack know them."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Optional, Sequence

import numpy as np

from . import _abi as abi
from ._library import library
from ._numbers import array_for
from ._objects import Object, ref
from .context import Context
from .errors import UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

_DTYPES: dict[int, np.dtype[Any]] = {abi.CNN_FLOAT32: np.dtype(np.float32), abi.CNN_UINT8: np.dtype(np.uint8), abi.CNN_INT32: np.dtype(np.int32),
           abi.CNN_INT64: np.dtype(np.int64), abi.CNN_INT8: np.dtype(np.int8)}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}


class _Memory:
    """Memory of the library as NumPy asks for it; an array made of it keeps it, and so its owner."""

    def __init__(self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any], owner: Any, writable: bool) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, not writable), "shape": shape, "typestr": dtype.str}


def view(pointer: Any, owner: Any, writable: bool = True) -> NDArray[Any]:
    """A tensor's elements."""
    code = library.cnn_tensor_dtype(pointer)
    if code not in _DTYPES:
        raise UnsupportedError("NumPy has no bfloat16")
    shape = tuple(library.cnn_tensor_dim(pointer, axis) for axis in range(library.cnn_tensor_rank(pointer)))
    if 0 in shape:
        return np.empty(shape, _DTYPES[code])
    return np.asarray(_Memory(library.cnn_tensor_const_data(pointer), shape, _DTYPES[code], owner, writable))


_CapsuleIsValid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi))
_CapsulePointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi))


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned, which DLPack has from 1.0 on."""

    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("manager", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", abi.cnn_dlpack_tensor)]
    READ_ONLY = 1


def _capsule_of(other: Any) -> Any:
    try:
        return other.__dlpack__(max_version=(1, 0))
    except TypeError:  # from before DLPack 1.0
        return other.__dlpack__()


def _opened(capsule: Any) -> tuple[Any, bool]:
    """What a capsule holds, and whether it may be written to."""
    if not _CapsuleIsValid(capsule, b"dltensor_versioned"):
        pointer = ctypes.POINTER(abi.cnn_dlpack)
        return ctypes.cast(_CapsulePointer(capsule, b"dltensor"), pointer).contents.tensor, True
    versioned = ctypes.cast(_CapsulePointer(capsule, b"dltensor_versioned"), ctypes.POINTER(_Versioned)).contents
    if versioned.major > 1:
        raise BufferError(f"DLPack {versioned.major}.{versioned.minor} is not understood; 1.0 is")
    return versioned.tensor, not versioned.flags & _Versioned.READ_ONLY


class Tensor(Object):
    """An array of the library, or one of NumPy's that it wraps. numpy.asarray(tensor) and numpy.from_dlpack(tensor) are
    views of it, which are read-only if its memory is.

    >>> array = np.zeros((2, 3), np.float32)
    >>> tensor = cnn.Tensor(array)
    >>> tensor
    <cnn.Tensor: float32 (2, 3)>
    >>> np.asarray(tensor)[0, 0] = 1
    >>> float(array[0, 0])
    1.0
    """

    _type = "cnn_tensor"
    _writable = True

    def __init__(self, array: NDArray[Any], *, context: Optional[Context] = None) -> None:
        if isinstance(array, np.ma.MaskedArray):
            raise TypeError("a tensor can't hold a masked array: use its filled() or compressed()")
        if array.dtype not in _CODES:
            raise TypeError(f"a tensor can't hold {array.dtype}; {', '.join(map(str, _CODES))} are possible")
        if not array.flags.c_contiguous:
            raise ValueError("the array is not contiguous: use numpy.ascontiguousarray")
        dims, pointer = array_for(ctypes.c_int64, array.shape, "a dimension"), self._place()
        library.cnn_tensor_wrap(context, _CODES[array.dtype], array.ndim, dims, array.ctypes.data, ref(pointer))
        self._own(pointer, array, context)
        self._writable = array.flags.writeable

    @classmethod
    def zeros(cls, shape: Sequence[int], dtype: DTypeLike = np.float32, *, context: Optional[Context] = None) -> Tensor:
        """An array in the library's own memory."""
        dims, pointer = array_for(ctypes.c_int64, shape, "a dimension"), cls._place()
        library.cnn_tensor_create(context, _CODES[np.dtype(dtype)], len(shape), dims, ref(pointer))
        return cls._made(pointer, context)

    @classmethod
    def from_dlpack(cls, other: Any, *, context: Optional[Context] = None) -> Tensor:
        """A tensor over the memory of an object with DLPack, such as a PyTorch tensor in the processor's memory."""
        capsule, pointer = _capsule_of(other), cls._place()
        theirs, writable = _opened(capsule)
        borrowed = abi.cnn_dlpack(tensor=theirs)  # without a deleter: the capsule, which is kept, has one
        library.cnn_tensor_from_dlpack(context, borrowed, ref(pointer))
        self = cls._made(pointer, borrowed, capsule, context)
        self._writable = writable
        return self

    def numpy(self) -> NDArray[Any]:
        """A view of the elements, which keeps them alive."""
        owner = self._as_parameter_
        return view(owner, owner, self._writable)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""
        return self.numpy().shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self.numpy().dtype

    def _told(self) -> str:
        return f"{self.dtype} {self.shape}"

    def __array__(self, dtype: Optional[DTypeLike] = None, copy: Optional[bool] = None) -> NDArray[Any]:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"a tensor of {array.dtype} can't be had as {np.dtype(dtype)} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __reduce__(self) -> Any:
        return Tensor, (self.numpy().copy(),)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0

    def __dlpack__(self, *, copy: Optional[bool] = None, **options: Any) -> Any:
        """As NumPy's own arrays have it: https://data-apis.org/array-api/latest/API_specification/."""
        array = self.numpy()
        return (array.copy() if copy else array).__dlpack__(**options)


def tensor_of(array: ArrayLike, dtype: DTypeLike) -> Tensor:
    """For an argument: what is contiguous and of that type already isn't copied."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError("a masked array isn't taken: use its filled()")
    return Tensor(np.ascontiguousarray(array, dtype))
