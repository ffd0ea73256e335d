#!/usr/bin/env python3
"""What python/cnn/_declarations.py says: the declarations of the headers, the version and the soname of the library.

With --update: writes them again."""
import importlib.util
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECLARATIONS = ROOT / "python/cnn/_declarations.py"


def split(text):
    """The package's own, had without the package, which would load the library."""
    spec = importlib.util.spec_from_file_location("_declarations", DECLARATIONS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.split(text)


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


def update():
    lines = (textwrap.fill(declaration + ";", 118, subsequent_indent="    ", break_long_words=False,
                           break_on_hyphens=False) for declaration in split(header_text()))
    text = DECLARATIONS.read_text()
    for name, value in zip(("VERSION", "SONAME"), library_names()):
        text = re.sub(rf'^{name} = ".*"$', f'{name} = "{value}"', text, flags=re.M)
    begin, rest = text.split('DECLARATIONS = """\n', 1)
    end = rest[rest.index('"""\n\n\ndef split'):]
    DECLARATIONS.write_text(begin + 'DECLARATIONS = """\n' + "\n".join(lines) + "\n" + end)


if __name__ == "__main__":
    if "--update" not in sys.argv:
        sys.exit(__doc__)
    update()
