"""What the rest of libcnn's Python is made of: errors, the library, its objects and their lifetime, structs of options,
contexts, and tensors as NumPy and DLPack know them."""
from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np

import cnn_abi as abi
from cnn_numbers import number_for

PathLike = Union[str, os.PathLike]

# --- errors ---


class CnnError(Exception):
    """What the library reports: a sentence, and the status by which there are subclasses."""

    status = 0


class ArgumentError(CnnError, ValueError):
    status = abi.CNN_ERROR_ARGUMENT


class OutOfMemoryError(CnnError, MemoryError):
    status = abi.CNN_ERROR_OUT_OF_MEMORY


class FileError(CnnError, OSError):
    status = abi.CNN_ERROR_IO


class FormatError(CnnError, ValueError):
    status = abi.CNN_ERROR_FORMAT


class UnsupportedError(CnnError, NotImplementedError):
    status = abi.CNN_ERROR_UNSUPPORTED


class LimitError(CnnError, ValueError):
    status = abi.CNN_ERROR_LIMIT


class ShapeError(CnnError, ValueError):
    status = abi.CNN_ERROR_SHAPE


class NotFiniteError(CnnError, ArithmeticError):
    status = abi.CNN_ERROR_NOT_FINITE


class StoppedError(CnnError):
    status = abi.CNN_ERROR_STOPPED


class DataError(CnnError, ValueError):
    status = abi.CNN_ERROR_DATA


def error_of(status: int, message: str) -> CnnError:
    for kind in CnnError.__subclasses__():
        if kind.status == status:
            return kind(message)
    error = CnnError(message)
    error.status = status
    return error


def check(status: int) -> None:
    if status:
        raise error_of(status, library.cnn_last_error().decode())


# --- the library, and what it makes ---


def _find_library() -> str:
    if os.environ.get("CNN_LIBRARY"):
        return os.environ["CNN_LIBRARY"]
    try:
        asked = subprocess.run(["pkg-config", "--variable=libdir", "cnn"], capture_output=True, text=True, check=True)
        path = Path(asked.stdout.strip()) / "libcnn.so.0"
        if path.exists():
            return str(path)
    except (OSError, subprocess.CalledProcessError):
        pass
    return "libcnn.so.0"


try:
    library = abi.Library(_find_library(), check)
except OSError as error:
    raise ImportError(f"{error}; set CNN_LIBRARY to the path of libcnn.so") from None


def version() -> str:
    return library.cnn_version().decode()


def net_names() -> list[str]:
    """The nets that go by a name."""
    names = []
    while (name := library.cnn_net_name(len(names))) is not None:
        names.append(name.decode())
    return names


class Owner:
    """Frees what the library made once nothing holds it any more, then lets go of what that depended on."""

    def __init__(self, pointer: Any, destroy: str, keep: tuple):
        self.pointer, self.keep = pointer, keep
        self._destroy = getattr(library, destroy)

    def __del__(self) -> None:
        self._destroy(self.pointer)


class Borrowed:
    """An Owner's place for what belongs to something else, which it keeps."""

    def __init__(self, pointer: Any, owner: Any):
        self.pointer, self.owner = pointer, owner


class Object:
    """Something of the library's, freed by close(), at the end of a `with`, or with its last reference. Views of its
    memory keep it alive past close(). Don't close what another thread is using."""

    _type: str  # the C type's name

    def _own(self, pointer: Any, *keep: Any) -> None:
        self._owner: Optional[Owner] = Owner(pointer, f"{self._type}_destroy", keep)

    @classmethod
    def _made(cls, pointer: Any, *keep: Any) -> Any:
        self = cls.__new__(cls)
        self._own(pointer, *keep)
        return self

    @classmethod
    def _place(cls) -> Any:
        return ctypes.POINTER(getattr(abi, cls._type))()

    @property
    def _as_parameter_(self) -> Any:  # ctypes passes this in the object's place
        if getattr(self, "_owner", None) is None:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._owner.pointer

    def close(self) -> None:
        self._owner = None

    def __enter__(self) -> Any:
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
        return text.value.decode()
    finally:
        library.cnn_text_free(text)


def strings(values: Sequence[str]) -> Any:
    return (ctypes.c_char_p * len(values))(*[os.fsencode(value) for value in values])


# --- structs of options ---


def short_names(enum: str) -> dict[str, int]:
    """"same" for CNN_PADDING_SAME, "adam" for CNN_ADAM."""
    members = abi.ENUMS[enum]
    prefix = os.path.commonprefix(list(members)).rpartition("_")[0] + "_"
    return {name[len(prefix):].lower(): value for name, value in members.items()}


def enum_value(enum: str, value: Any) -> int:
    names = short_names(enum)
    if isinstance(value, str) and value.lower() in names:
        return names[value.lower()]
    if not isinstance(value, str) and value in names.values():
        return int(value)
    raise ArgumentError(f"{value!r} is none of {', '.join(names)}")


def defaults(kind: Any) -> Any:
    """A struct as its _init function, which is C's alone, fills it."""
    struct = kind()
    struct.struct_size = ctypes.sizeof(kind)
    if kind is abi.cnn_preprocess:
        struct.mean[:], struct.scale[:] = [127.5] * 3, [1 / 127.5] * 3
    return struct


def struct_of(kind: Any, options: dict[str, Any]) -> Any:
    """A struct of options with these fields set. A dict becomes the struct that the field points to."""
    struct = defaults(kind)
    fields = dict(kind._fields_)
    for name, value in options.items():
        if name not in fields or name == "struct_size":
            raise TypeError(f"{kind.__name__} has no field {name!r}; it has {', '.join(list(fields)[1:])}")
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
        return os.fsencode(value)
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
        return parse_augment(value)
    if isinstance(value, str) and "kind" in kind.enums:
        return struct_of(kind, {"kind": value})
    raise TypeError(f"{kind.__name__}: a dict is wanted, not {value!r}")


def parse_augment(words: str) -> Any:
    """"flip,rotation=20,zoom=0.2" as a struct with the fields of cnn_augment."""
    augment = defaults(abi.cnn_augment)
    library.cnn_augment_parse(words.encode(), augment)
    return augment


class Callbacks:
    """Python functions that the library calls. An exception in one stops the work, and is raised after it."""

    def __init__(self) -> None:
        self.error: Optional[BaseException] = None

    def make(self, kind: Any, function: Optional[Callable[[Any], Any]]) -> Any:
        def call(struct: Any, _user: Any) -> int:
            try:
                if self.error is None:
                    copy = type(struct.contents).from_buffer_copy(struct.contents)
                    return 1 if function is not None and function(copy) else 0
            except BaseException as error:  # among them KeyboardInterrupt: Ctrl-C ends a training at its next step
                self.error = error
            return 1

        return kind(call)

    def check(self) -> None:
        if self.error is not None:
            raise self.error


class Context(Object):
    """Threads, instruction set, and where messages go: log("warning", "..."), called from any thread."""

    _type = "cnn_context"

    def __init__(self, threads: int = 0, instruction_set: str = "best",
                 log: Optional[Callable[[str, str], Any]] = None):
        struct = struct_of(abi.cnn_context_options, {"threads": threads, "instruction_set": instruction_set})
        if log:
            levels = {value: name for name, value in short_names("cnn_log_level").items()}
            struct.log = dict(struct._fields_)["log"](lambda level, text, _user: log(levels[level], text.decode()))
        pointer = self._place()
        library.cnn_context_create(struct, ref(pointer))
        self._own(pointer, struct)

    def __deepcopy__(self, _memo: Any) -> Context:  # scikit-learn copies an estimator's parameters
        return self

    threads = property(lambda self: library.cnn_context_threads(self))
    instruction_set = property(lambda self: library.cnn_context_instruction_set(self).decode())


# --- tensors and arrays ---

_DTYPES = {abi.CNN_FLOAT32: np.dtype(np.float32), abi.CNN_UINT8: np.dtype(np.uint8), abi.CNN_INT32: np.dtype(np.int32),
           abi.CNN_INT64: np.dtype(np.int64), abi.CNN_INT8: np.dtype(np.int8)}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}


class _Memory:
    """Memory of the library as NumPy asks for it; an array made of it keeps it, and so its owner."""

    def __init__(self, address: int, shape: tuple, dtype: np.dtype, owner: Any, writable: bool):
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, not writable), "shape": shape, "typestr": dtype.str}


def view(pointer: Any, owner: Any, writable: bool = True) -> np.ndarray:
    """A tensor's elements."""
    code = library.cnn_tensor_dtype(pointer)
    if code not in _DTYPES:
        raise UnsupportedError("NumPy has no bfloat16")
    shape = tuple(library.cnn_tensor_dim(pointer, axis) for axis in range(library.cnn_tensor_rank(pointer)))
    if 0 in shape:
        return np.empty(shape, _DTYPES[code])
    return np.asarray(_Memory(library.cnn_tensor_const_data(pointer), shape, _DTYPES[code], owner, writable))


_Capsule_New = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi))
_Capsule_GetPointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi))
_Capsule_SetName = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_SetName", ctypes.pythonapi))
_raw_IsValid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi))
_raw_GetPointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi))
_NEW, _USED = b"dltensor", b"used_dltensor"  # names that live as long as capsules may


@ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
def _drop_capsule(capsule: int) -> None:
    """Calls the deleter of a capsule that nobody took."""
    if _raw_IsValid(capsule, _NEW):
        dlpack = ctypes.cast(_raw_GetPointer(capsule, _NEW), ctypes.POINTER(abi.cnn_dlpack))
        dlpack.contents.deleter(dlpack)


class Tensor(Object):
    """An array of the library's, or one of NumPy's that it borrows. numpy.asarray(tensor) and numpy.from_dlpack(tensor)
    are views."""

    _type = "cnn_tensor"

    def __init__(self, array: np.ndarray, context: Optional[Context] = None):
        if array.dtype not in _CODES:
            raise TypeError(f"a tensor can't hold {array.dtype}; {', '.join(map(str, _CODES))} are possible")
        if not array.flags.c_contiguous:
            raise ValueError("the array is not contiguous: use numpy.ascontiguousarray")
        dims, pointer = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape), self._place()
        library.cnn_tensor_wrap(context, _CODES[array.dtype], array.ndim, dims, array.ctypes.data, ref(pointer))
        self._own(pointer, array, context)
        self._array = array

    @classmethod
    def zeros(cls, shape: Sequence[int], dtype: Any = np.float32, context: Optional[Context] = None) -> Tensor:
        dims, pointer = (ctypes.c_int64 * max(len(shape), 1))(*shape), cls._place()
        library.cnn_tensor_create(context, _CODES[np.dtype(dtype)], len(shape), dims, ref(pointer))
        return cls._made(pointer, context)

    @classmethod
    def from_dlpack(cls, other: Any, context: Optional[Context] = None) -> Tensor:
        """A tensor over the memory of what speaks DLPack, such as a PyTorch tensor in the processor's memory."""
        capsule, pointer = other.__dlpack__(), cls._place()
        dlpack = ctypes.cast(_Capsule_GetPointer(capsule, _NEW), ctypes.POINTER(abi.cnn_dlpack))
        library.cnn_tensor_from_dlpack(context, dlpack, ref(pointer))
        _Capsule_SetName(capsule, _USED)
        return cls._made(pointer, context)

    def numpy(self) -> np.ndarray:
        return view(self._as_parameter_, self._owner)

    shape = property(lambda self: self.numpy().shape)
    dtype = property(lambda self: self.numpy().dtype)

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0

    def __dlpack__(self, **_options: Any) -> Any:
        borrowed = getattr(self, "_array", None)
        if borrowed is not None:  # NumPy's own export keeps it alive
            return borrowed.__dlpack__()
        dlpack = ctypes.POINTER(abi.cnn_dlpack)()
        library.cnn_tensor_to_dlpack(self, ref(dlpack))
        return _Capsule_New(ctypes.cast(dlpack, ctypes.c_void_p), _NEW, ctypes.cast(_drop_capsule, ctypes.c_void_p))


def tensor_of(array: Any, dtype: Any) -> Tensor:
    """For an argument: what is contiguous and of that type already isn't copied."""
    return Tensor(np.ascontiguousarray(array, dtype))
