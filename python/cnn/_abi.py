"""libcnn's C interface for ctypes, read from its declarations.

From them come the structs (`cnn_augment`, ...), the constants (`CNN_OK`, ...) and the prototypes that `Library` gives to
each function before its first call. Nothing is typed in twice, so nothing can drift.
"""
from __future__ import annotations

import ctypes
import os
import re
from typing import TYPE_CHECKING, Any, Callable, Optional

from ._declarations import DECLARATIONS, split
from ._numbers import NUMBERS, number_for, without_nul


class Record(ctypes.Structure):
    """A struct of the library, which shows its fields."""

    enums: dict[str, str] = {}  # fields that hold an enum's value, and its name

    def asdict(self) -> dict[str, Any]:
        names = (field[0] for field in self._fields_)
        return {name: getattr(self, name) for name in names if name != "struct_size"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.asdict().items())})"


TYPES: dict[str, Any] = {
    "void": None, "char": ctypes.c_char, "int": ctypes.c_int, "float": ctypes.c_float, "double": ctypes.c_double,
    "size_t": ctypes.c_size_t, "int8_t": ctypes.c_int8, "uint8_t": ctypes.c_uint8, "uint16_t": ctypes.c_uint16,
    "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64,
}
CONSTANTS: dict[str, int] = {}
ENUMS: dict[str, dict[str, int]] = {}
FUNCTIONS: dict[str, tuple[Any, list[tuple[str, Any]], bool]] = {}  # result, parameters, whether it is a cnn_status
USES: dict[str, list[Optional[bool]]] = {}  # of a function's parameters: True: changes the object; None: isn't counted


def short_names(enum: str) -> dict[str, int]:
    """"same" for CNN_PADDING_SAME, "adam" for CNN_ADAM."""
    members = ENUMS[enum]
    prefix = os.path.commonprefix(list(members)).rpartition("_")[0] + "_"
    return {name[len(prefix):].lower(): value for name, value in members.items()}


def _pointer(base: Any, stars: int) -> Any:
    if stars and base is None:
        base, stars = ctypes.c_void_p, stars - 1
    elif stars and base is ctypes.c_char:
        base, stars = ctypes.c_char_p, stars - 1
    for _ in range(stars):
        base = ctypes.POINTER(base)
    return base


def _variable(text: str, is_parameter: bool) -> tuple[str, Any]:
    """The name and type of a field or parameter."""
    function = re.fullmatch(r"(.*?)\(\*(\w+)\)\((.*)\)", text)
    if function:
        return function[2], _callback(function[1], function[3])
    text, *sizes = re.split(r"\[(\w+)\]", text.replace("const ", " ").replace("struct ", " "))[:2]
    base, stars, name = re.findall(r"^\s*(\w+)\s*((?:\*\s*)*)(\w*)\s*$", text)[0]
    kind = _pointer(TYPES[base], stars.count("*") + (1 if sizes and is_parameter else 0))
    if sizes and not is_parameter:
        kind = kind * int(CONSTANTS.get(sizes[0], sizes[0]))
    return name, kind


def _parameters(text: str) -> list[Any]:
    return [] if text in ("void", "") else [_variable(part, True)[1] for part in text.split(",")]


def _callback(result: str, parameters: str) -> Any:
    return ctypes.CFUNCTYPE(_variable(result, True)[1], *_parameters(parameters))


def _struct(name: str, body: str) -> None:
    kind = TYPES.setdefault(name, type(name, (Record,), {}))  # may point to itself
    fields, enums = [], {}
    for field in filter(None, (part.strip() for part in body.split(";"))):
        first, *others = field.split(",") if "(" not in field else [field]
        base = first.removeprefix("const ").split()[0].rstrip("*")
        for text in [first] + [f"{base} {other}" for other in others]:
            fields.append(_variable(text, False))
            if base in ENUMS and "(" not in text:
                enums[fields[-1][0]] = base
    kind.enums = enums
    kind._fields_ = fields


def _enum(name: str, body: str) -> None:
    pairs = (member.split("=") for member in body.split(",") if "=" in member)
    members = {key.strip(): int(value, 0) for key, value in pairs}
    CONSTANTS.update(members)
    members = {key: value for key, value in members.items() if not key.endswith("_MAX_ENUM")}  # no value of the enum
    if name:
        ENUMS[name] = members
        TYPES[name] = ctypes.c_int


def _use(function: str, parameter: str) -> Optional[bool]:
    """Whether it changes its object: C says so by a pointer that isn't const. Contexts and tensors may be used from
    anywhere."""
    found = re.match(r"(const )?cnn_(dataset|loader|graph|model|optimizer|classifier) \*\w+$", parameter)
    return None if found is None else not found[1] and function != "cnn_classifier_model"


def _function(result: str, name: str, parameters: str) -> None:
    parts = [] if parameters in ("void", "") else [part.strip() for part in parameters.split(",")]
    FUNCTIONS[name] = (_variable(result, True)[1], [_variable(part, True) for part in parts], result.strip() == "cnn_status")
    USES[name] = [_use(name, part) for part in parts]


_FORMS: list[tuple[str, Callable[..., Any]]] = [
    (r"typedef struct (\w+) \{(.*)\} \w+", _struct),
    (r"typedef struct (\w+) \w+", lambda name: TYPES.setdefault(name, type(name, (Record,), {}))),
    (r"(?:typedef )?enum (\w*) ?\{(.*)\}(?: \w+)?", _enum),
    (r"typedef (.*?)\(\*(\w+)\)\((.*)\)", lambda result, name, rest: TYPES.update({name: _callback(result, rest)})),
    (r"typedef (\w+) (\w+)", lambda base, name: TYPES.update({name: TYPES[base]})),
    (r"CNN_API (.*?)(\w+)\((.*)\)", _function),
]


def _read(text: str) -> None:
    for declaration in split(text):
        for form, action in _FORMS:
            match = re.fullmatch(form, declaration)
            if match:
                action(*match.groups())
                break
        else:
            raise SyntaxError(f"not understood: {declaration}")


_read(DECLARATIONS)
globals().update(CONSTANTS)
globals().update({name: kind for name, kind in TYPES.items() if name.startswith("cnn_")})
if TYPE_CHECKING:
    def __getattr__(name: str) -> Any: ...


def _passed(name: str, kind: Any, argument: Any) -> Any:
    """What ctypes gets for an argument. It could ask for it itself, but takes whatever is raised meanwhile, Ctrl-C
    too, for an error of the argument. An object gives its owner, which is asked for once and held until the call
    returns: whoever closes or changes the object meanwhile, a callback or another thread, frees nothing in use."""
    if kind in NUMBERS:
        return number_for(kind, argument, name)
    if kind is ctypes.c_char_p:
        return without_nul(argument, name)
    if hasattr(type(argument), "_as_parameter_"):  # which may raise an AttributeError of its own
        return argument._as_parameter_
    return argument


class Library:
    """The functions of a shared library. ctypes releases the interpreter's lock while one runs."""

    def __init__(self, library: ctypes.CDLL, check: Callable[[int], None]):
        self._library = library
        self._check = check

    def __getattr__(self, name: str) -> Any:
        if name not in FUNCTIONS:
            raise AttributeError(name)
        function = getattr(self._library, name)
        function.restype, parameters, is_status = FUNCTIONS[name]
        function.argtypes = [kind for _, kind in parameters]
        uses = USES[name]
        if is_status:
            function.errcheck = lambda status, _function, _arguments: self._check(status)

        def call(*arguments: Any) -> Any:
            passed = [_passed(f"{name}: {parameter}", kind, argument)
                      for (parameter, kind), argument in zip(parameters, arguments)]
            used = [(argument, use) for argument, use in zip(passed, uses) if use is not None and hasattr(argument, "begin")]
            this = object()
            try:
                for argument, changes in used:
                    argument.begin(this, name, changes)
                return function(*passed, *arguments[len(passed):])
            except ctypes.ArgumentError as error:
                raise ValueError(f"{name}: {error}") from None
            finally:
                for argument, _ in used:
                    argument.end(this)
                used.clear()
                passed.clear()  # an error's traceback would keep them

        setattr(self, name, call)
        return call
