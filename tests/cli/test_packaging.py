"""The Debian packages and the container's recipe fit what the build installs."""
import fnmatch
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from catdog import PROGRAM

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
BUILD = Path(PROGRAM).resolve().parents[2]
FULL = list(Path(PROGRAM).resolve().parent.glob("catdog-full"))  # for the commands that need more libraries


def linked(*programs):
    found = subprocess.run(["objdump", "-p", *programs], capture_output=True, text=True)
    return set(re.findall(r"NEEDED +(\S+)", found.stdout))


@pytest.mark.skipif(not FULL or not shutil.which("objdump"), reason="one program is all")
def test_a_prediction_needs_no_library_of_pictures_and_pages():
    def for_more(names):
        return [name for name in names if name.startswith(("libcairo", "libpango", "libmicrohttpd"))]
    assert for_more(linked(*FULL)) and not for_more(linked(PROGRAM))


def test_the_version_is_that_of_the_build():
    version = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text()).group(1)
    assert (PACKAGING / "debian/changelog").read_text().startswith(f"libcnn ({version}) ")


@pytest.mark.skipif(not shutil.which("meson") or not (BUILD / "build.ninja").exists(), reason="there is no build")
def test_every_installed_file_is_in_one_package(tmp_path):
    subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir", str(tmp_path)], check=True,
                   capture_output=True)
    prefix = next(tmp_path.glob("**/bin/catdog")).parents[1]
    files = [f"usr/{path.relative_to(prefix)}" for path in prefix.rglob("*") if not path.is_dir()]
    assert {"usr/bin/catdog", "usr/include/cnn/cnn.h", "usr/share/man/man1/catdog-train.1",
            "usr/share/bash-completion/completions/catdog.bash",
            "usr/share/catdog/cats-and-dogs.safetensors"} <= set(files)
    patterns = {name: (PACKAGING / f"debian/{name}.install").read_text().split()
                for name in ("libcnn1", "libcnn-dev", "catdog")}
    multiarch = any("/lib/x86_64-linux-gnu/" in name or "/lib/aarch64-linux-gnu/" in name for name in files)
    for name in files:
        owners = [package for package, globs in patterns.items() for glob in globs
                  if fnmatch.fnmatch(name, glob if multiarch else glob.replace("usr/lib/*/", "usr/lib*/"))
                  or name.startswith(glob + "/")]
        assert len(owners) == 1, (name, owners)


def test_the_container_has_what_the_build_and_the_program_need():
    recipe = (PACKAGING / "Dockerfile").read_text()
    quickstart = (ROOT / "examples/quickstart.sh").read_text()
    needed = re.search(r"install-packages\.sh ((?:.*\\\n)*.*)\n", quickstart).group(1).replace("\\\n", " ").split()
    assert set(needed) <= set(re.split(r"\s+", recipe)), "the quickstart's packages build the container, too"
    if not shutil.which("ldd") or not shutil.which("dpkg"):
        pytest.skip("this is no Debian")
    # what the build links, if it was there
    needed = linked(PROGRAM, *FULL, *BUILD.glob("lib/libcnn.so.1")) - {"libc.so.6", "libm.so.6", "libcnn.so.1"}
    owners = subprocess.run(["dpkg", "-S", *[f"*/{name}" for name in needed]], capture_output=True, text=True).stdout
    for owner, path in re.findall(r"^([^:\n]+):\S+ (.*)", owners, re.MULTILINE):
        assert owner in recipe, f"{path} is in {owner}, which the container doesn't install"
