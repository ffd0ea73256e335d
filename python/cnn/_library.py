"""The shared library: where it is looked for, and that it is the one that this package was made for."""
from __future__ import annotations

import ctypes
import os
from typing import Iterator, Optional

from ._abi import Library
from ._declarations import SONAME, VERSION
from .errors import error_of


def _bundled() -> Optional[str]:
    """The library that was installed with the package, as meson-python lays it into a wheel."""
    site = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (site, site.replace("/lib/", "/lib64/")):  # where pure packages and libraries lie apart
        libraries = os.path.join(folder, ".libcnn.mesonpy.libs")
        for name in os.listdir(libraries) if os.path.isdir(libraries) else ():
            if name.startswith(SONAME):  # the soname's own numbers follow, which are not the version
                return os.path.join(libraries, name)
    return None


def _of_pkg_config() -> Optional[str]:
    import subprocess
    try:
        asked = subprocess.run(["pkg-config", "--variable=libdir", "cnn"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.path.join(asked.stdout.strip(), SONAME)


def _places() -> Iterator[str]:
    chosen = os.environ.get("CNN_LIBRARY") or _bundled()
    if chosen:
        yield chosen
        return
    yield SONAME  # where the system's loader looks
    installed = _of_pkg_config()
    if installed:
        yield installed


def _opened(place: str) -> ctypes.CDLL:
    """The library at that place; of another version, its functions and structs would be others."""
    library = ctypes.CDLL(place)
    try:
        version = library.cnn_version
    except AttributeError:
        raise OSError(f"{place}: is not libcnn") from None
    version.restype = ctypes.c_char_p
    found = version().decode()
    if found != VERSION:
        raise OSError(f"{place}: is libcnn {found}, and this package is for {VERSION}")
    return library


def _load() -> ctypes.CDLL:
    """The one that CNN_LIBRARY names, else the one installed with this package, else the system's."""
    reasons = []
    for place in _places():
        try:
            return _opened(place)
        except OSError as error:
            reasons.append(str(error))
    raise ImportError(f"{'; '.join(reasons)}; set CNN_LIBRARY to the path of libcnn.so {VERSION}")


def _check(status: int) -> None:
    if status:
        raise error_of(status, library.cnn_last_error())


library = Library(_load(), _check)


def version() -> str:
    """The version of the library, which is that of the package."""
    return str(library.cnn_version().decode())


def has_feature(name: str) -> bool:
    """Whether the library was built with this feature: "zip", "onnx", ... features() lists those that it has."""
    return bool(library.cnn_has_feature(name.encode()))


def features() -> list[str]:
    """The names of the features that the library was built with."""
    names: list[str] = []
    while (name := library.cnn_feature_name(len(names))) is not None:
        names.append(name.decode())
    return names
