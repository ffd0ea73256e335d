#!/usr/bin/env python3
"""What two modules of the package are taken from: _declarations.py from the headers and the build's files, _records.py
from those declarations.

With --update: writes them again."""
import importlib
import re
import sys
import textwrap
import types
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python/cnn"

# What the package takes from C and gives to Python's users, and what it is called there.
RECORDS = {"cnn_epoch": "Epoch", "cnn_progress": "Progress", "cnn_class_result": "ClassResult",
           "cnn_dataset_parts": "DatasetParts"}
OPTIONS = {"cnn_image_options": "ImageOptions", "cnn_preprocess": "PreprocessOptions", "cnn_augment": "AugmentOptions",
           "cnn_dataset_options": "DatasetOptions", "cnn_loader_options": "LoaderOptions",
           "cnn_conv2d_options": "Conv2dOptions", "cnn_pool2d_options": "Pool2dOptions",
           "cnn_dense_options": "DenseOptions", "cnn_batch_norm_options": "BatchNormOptions",
           "cnn_net_options": "NetOptions", "cnn_optimizer_options": "OptimizerOptions",
           "cnn_schedule": "ScheduleOptions", "cnn_train_options": "TrainOptions",
           "cnn_evaluate_options": "EvaluateOptions", "cnn_onnx_options": "OnnxOptions"}
WORDS = {"cnn_augment", "cnn_optimizer_options", "cnn_schedule"}  # may be given as text, too


def header_text():
    """All public headers, in the order in which cnn.h could include them, without comments, preprocessor lines and
    functions that a C program compiles for itself."""
    headers = {path.name: re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
               for path in (ROOT / "include/cnn").glob("*.h") if path.name != "export.h"}
    done = []

    def add(name):
        if name not in done and name in headers:
            for other in re.findall(r"#include <cnn/(\w+\.h)>", headers[name]):
                if other != name and other not in done:
                    add(other)
            done.append(name)

    for name in sorted(headers):
        add(name)
    text = "\n".join(headers[name] for name in done)
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"^CNN_INLINE .*?^\}$", "", text, flags=re.M | re.S)
    return re.sub(r"^\s*(#.*|CNN_BEGIN_DECLS|CNN_END_DECLS)$", "", text, flags=re.M)


def library_names():
    """The version and the soname of the library that the build makes."""
    version = re.search(r"\bversion: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    return version, "libcnn.so." + re.search(r"\bsoversion: '(\d+)'", (ROOT / "lib/meson.build").read_text())[1]


def abi():
    """The package's module of that name, had without the package, which would load the library."""
    if "cnn" not in sys.modules:
        sys.modules["cnn"] = types.ModuleType("cnn")
        sys.modules["cnn"].__path__ = [str(PACKAGE)]
    return importlib.import_module("cnn._abi")


def number_type(ctype):
    return "float" if ctype.__name__ in ("c_float", "c_double") else "int"


def option_type(abi, kind, name, field):
    """What Python's users may give for a field of options; None: it is not theirs to set."""
    if name in kind.enums:
        return f"Literal[{', '.join(map(repr, abi.short_names(kind.enums[name])))}]".replace("'", '"')
    if field.__name__ == "c_char_p":
        return "PathLike"
    if issubclass(field, abi.ctypes.Array):
        number = number_type(field._type_)
        return f"Union[{number}, Sequence[{number}]]"
    if issubclass(field, abi.ctypes._Pointer):
        options = OPTIONS.get(field._type_.__name__)
        return f"Union[str, {options}]" if field._type_.__name__ in WORDS else options
    return number_type(field) if issubclass(field, abi.ctypes._SimpleCData) and field.__name__ != "c_void_p" else None


def records(abi):
    """The text of _records.py."""
    parts = ['"""What comes back from the library, and the options that it takes, as Python has them.\n\n'
             "`python3 tests/python/declarations.py --update` writes this file. What each field means is documented in "
             'the\nheaders of C.\n"""\nfrom __future__ import annotations\n\nimport os\n'
             "from typing import Any, Literal, NamedTuple, Sequence, TypedDict, Union\n\n"
             'PathLike = Union[str, "os.PathLike[str]"]\n']
    for struct, name in RECORDS.items():
        fields = [field for field in getattr(abi, struct)._fields_ if field[0] != "struct_size"]
        parts.append(f'class {name}(NamedTuple):\n    """The fields of {struct}."""\n\n'
                     + "".join(f"    {field}: {number_type(kind)}\n" for field, kind in fields)
                     + "\n    def asdict(self) -> dict[str, Any]:\n        return self._asdict()\n")
    for struct, name in OPTIONS.items():
        kind = getattr(abi, struct)
        fields = [(field[0], option_type(abi, kind, *field)) for field in kind._fields_ if field[0] != "struct_size"]
        parts.append(f'class {name}(TypedDict, total=False):\n    """The fields of {struct}."""\n\n'
                     + "".join(f"    {field}: {type_}\n" for field, type_ in fields if type_))
    return "\n\n".join(parts)


def update():
    declarations = PACKAGE / "_declarations.py"
    lines = (textwrap.fill(declaration + ";", 118, subsequent_indent="    ", break_long_words=False,
                           break_on_hyphens=False) for declaration in abi().split(header_text()))
    text = declarations.read_text()
    for name, value in zip(("VERSION", "SONAME"), library_names()):
        text = re.sub(rf'^{name} = ".*"$', f'{name} = "{value}"', text, flags=re.M)
    begin, rest = text.split('DECLARATIONS = """\n', 1)
    end = rest[rest.index('"""\n\n\ndef split'):]
    declarations.write_text(begin + 'DECLARATIONS = """\n' + "\n".join(lines) + "\n" + end)
    for name in ("_declarations", "_abi"):  # as they are now
        sys.modules.pop(f"cnn.{name}", None)
    (PACKAGE / "_records.py").write_text(records(abi()))


if __name__ == "__main__":
    if "--update" not in sys.argv:
        sys.exit(__doc__)
    update()
