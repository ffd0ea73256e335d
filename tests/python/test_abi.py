"""The binding's declarations are the headers'."""
import ctypes
import os
import re
import shlex
import subprocess

import pytest

from cnn import _abi as cnn_abi
from cnn._structs import defaults
from conftest import ROOT
from declarations import header_text

STRUCT = re.compile(r"typedef struct (\w+) \{(.*)\} \w+")


def test_each_declaration_stands_in_the_headers():
    """A header may have more: functions, and fields at the end of a struct that tells its size."""
    headers = cnn_abi.split(header_text())
    structs = {match[1]: match[2] for match in map(STRUCT.fullmatch, headers) if match}
    for declaration in cnn_abi.split(cnn_abi.DECLARATIONS):
        match = STRUCT.fullmatch(declaration)
        if match and "struct_size" in match[2]:
            assert structs[match[1]].startswith(match[2].rstrip()), declaration
        elif "enum" in declaration:
            continue  # the compiler compares the values, below
        else:
            assert declaration in headers, declaration


def test_layouts_and_constants_are_the_compilers(tmp_path):
    compiler = shlex.split(os.environ.get("CNN_TEST_CC", "cc"))
    checks = [f"_Static_assert({name} == ({value}), \"{name}\");" for name, value in cnn_abi.CONSTANTS.items()]
    for name, kind in cnn_abi.TYPES.items():
        fields = getattr(kind, "_fields_", [])
        for field, field_type in fields:
            checks.append(f"_Static_assert(offsetof({name}, {field}) == {getattr(kind, field).offset} && "
                          f"sizeof((({name} *)0)->{field}) == {ctypes.sizeof(field_type)}, \"{name}.{field}\");")
    assert len(checks) > 200
    program = tmp_path / "layout.c"
    program.write_text("#include <stddef.h>\n#include <cnn/cnn.h>\n" + "\n".join(checks) + "\n")
    try:
        done = subprocess.run([*compiler, "-std=c11", "-DCNN_EXPERIMENTAL", "-fsyntax-only", f"-I{ROOT}/include", str(program)],
                              capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    assert done.returncode == 0, done.stderr


def test_defaults_are_those_of_the_init_functions(tmp_path):
    compiler = shlex.split(os.environ.get("CNN_TEST_CC", "cc"))
    inits = set(re.findall(r"void (cnn_\w+)_init\(", "".join(path.read_text() for path in (ROOT / "include/cnn").glob("*.h"))))
    kinds = {name: cnn_abi.TYPES[name] for name in sorted(inits)}
    assert len(kinds) > 20
    lines = [f"{{ {name} s; {name}_init(&s); for (size_t i = 0; i < sizeof s; i++) printf(\"%02x\", ((unsigned char *)&s)[i]);"
             " puts(\"\"); }" for name in kinds]
    program = tmp_path / "defaults.c"
    program.write_text("#include <stdio.h>\n#include <cnn/cnn.h>\nint main(void)\n{\n" + "\n".join(lines) + "\nreturn 0;\n}\n")
    try:
        subprocess.run([*compiler, "-std=c11", "-DCNN_EXPERIMENTAL", f"-I{ROOT}/include", str(program), "-o",
                        str(tmp_path / "defaults")], check=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    printed = subprocess.run([tmp_path / "defaults"], capture_output=True, text=True, check=True).stdout.split()
    assert {name: bytes(defaults(kind)).hex() for name, kind in kinds.items()} == dict(zip(kinds, printed))


def test_every_function_is_in_the_library():
    library = ctypes.CDLL(os.environ.get("CNN_LIBRARY", "libcnn.so.1"))
    assert [name for name in cnn_abi.FUNCTIONS if not hasattr(library, name)] == []


def test_a_function_that_fails_leaves_null_where_its_result_would_be():
    """Whatever it refuses: nothing that wasn't made can be freed or used."""
    library, wrong, tried = ctypes.CDLL(os.environ.get("CNN_LIBRARY", "libcnn.so.1")), [], 0
    for declaration in cnn_abi.split(header_text()):
        match = re.fullmatch(r"CNN_API cnn_status (\w+)\((.*)\)", declaration)
        parameters = [text.strip() for text in match[2].split(",")] if match else []
        places = {at: ctypes.c_void_p(1) for at, text in enumerate(parameters) if re.fullmatch(r"(const )?\w+ \*\*\w+", text)
                  and match[1] != "cnn_model_predict_layers"}  # whose results are in an array
        if not places:
            continue
        arguments = []  # a 1 for each number, NULL for all that is pointed to
        for at, (_, kind) in enumerate(cnn_abi.FUNCTIONS[match[1]][1]):
            number = kind.__name__ not in ("c_char_p", "c_void_p") and not hasattr(kind, "contents")
            arguments.append(ctypes.byref(places[at]) if at in places else kind(1) if number else None)
        if getattr(library, match[1])(*arguments):
            tried += 1
            wrong += [f"{match[1]}: {parameters[at]}" for at, place in places.items() if place.value is not None]
    assert not wrong and tried > 30


def test_unknown_c_is_an_error():
    with pytest.raises(SyntaxError):
        cnn_abi._read("union u { int a; };")
