"""`pip install .`, as somebody does who has the repository alone: into a fresh virtual environment, used from elsewhere."""
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("user_program.py")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("CNN_LIBRARY", "PYTHONPATH")}


def pip(*arguments):
    """Skips the test where packages can't be had."""
    done = subprocess.run([sys.executable, "-m", "pip", *map(str, arguments)], capture_output=True, text=True,
                          env=ENVIRONMENT)
    said = done.stdout + done.stderr
    if re.search("No module named pip|Temporary failure in name resolution|No matching distribution|Connection", said):
        pytest.skip("pip or a package that it needs can't be had")
    assert done.returncode == 0, said


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = os.environ.get("CNN_WHEEL_BUILD") or folder / "build"  # kept, it is quicker the next time
    pip("wheel", "-q", "--no-deps", "-w", folder, f"-Cbuild-dir={build}", ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of an environment that has the wheel, and what pip says that it needs."""
    folder = tmp_path_factory.mktemp("venv") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip("--python", folder / "bin/python", "install", "-q", wheel)
    return folder / "bin/python"


def test_only_the_package_and_its_library_are_in_the_wheel(wheel):
    version = re.search(r"\bversion: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    with zipfile.ZipFile(wheel) as files:
        names = {re.sub(r".*\.data/purelib/", "", file.filename): file.file_size for file in files.infolist()}
    modules = {f"cnn/{path.name}" for path in (ROOT / "python/cnn").iterdir() if path.suffix in (".py", ".typed")}
    rest = {name for name in names if ".dist-info/" not in name} - modules
    library = re.search(r"\bversion: '([\d.]+)',\s+soversion", (ROOT / "lib/meson.build").read_text())[1]
    assert modules <= set(names) and rest == {f".libcnn.mesonpy.libs/libcnn.so.{library}"}
    page = (ROOT / "docs/python.md").read_text()
    told = re.search(r"`(libcnn-[\w.-]+\.whl)`", page)[1].replace("VERSION", version)
    assert told.partition("-linux_")[0] == wheel.name.partition("-linux_")[0]
    packed, installed = re.search(r"([\d.]+)\s+MB\s+packed,\s+([\d.]+)\s+MB\s+installed", page).groups()
    assert abs(wheel.stat().st_size / 1e6 - float(packed)) < 0.1
    assert abs(sum(names.values()) / 1e6 - float(installed)) < 0.2


def test_a_program_runs_with_the_library_that_was_installed(python, tmp_path):
    """Though the system has another: one of another version, which the loader and pkg-config know."""
    source, other = tmp_path / "other.c", tmp_path / "lib"
    other.mkdir()
    source.write_text('const char *cnn_version(void) { return "0.0.9"; }\n')
    for soname in ("libcnn.so", "libcnn.so.0", "libcnn.so.1"):
        subprocess.run([*os.environ.get("CNN_TEST_CC", "cc").split(), "-shared", "-fPIC", source, "-o", other / soname],
                       check=True)
    (other / "cnn.pc").write_text(f"libdir={other}\nName: cnn\nDescription: other\nVersion: 0.0.9\nLibs: -L{other} -lcnn\n")
    done = subprocess.run([python, PROGRAM], cwd=tmp_path, capture_output=True, text=True, env={
        **ENVIRONMENT, "LD_LIBRARY_PATH": str(other), "PKG_CONFIG_PATH": str(other)})
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    site = python.parents[1]
    assert said[0].startswith("['Dog', 'Cat', 'Dog'] ") and "missing.jpg: can't be opened" in said[1]
    assert said[-2].endswith("cnn/__init__.py") and str(site) in said[-2]
    assert said[-1].startswith(str(site)) and "/.libcnn.mesonpy.libs/libcnn.so." in said[-1]


def mypy(python, program, folder):
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--python-executable", python, program], cwd=folder,
                          capture_output=True, text=True, env=ENVIRONMENT)
    return done.stdout + done.stderr


def test_mypy_finds_nothing_in_a_users_program(python, tmp_path):
    assert "Success: no issues found in 1 source file" in mypy(python, PROGRAM, tmp_path)


WRONG = """
import cnn

cnn.Classifier(epoch=3)
cnn.Classifier(options={"mixdown": 0.2})
cnn.Graph().conv2d(0, 8, padding="sam")
cnn.train(cnn.Model(cnn.Graph()), "PetImages")
length: int = cnn.Classifier().score("PetImages")
cnn.Classifier().fit("PetImages", on_epoch=lambda epoch: epoch.acuracy)
"""


def test_mypy_finds_a_users_mistakes(python, tmp_path):
    program = tmp_path / "wrong.py"
    program.write_text(WRONG)
    said = mypy(python, program, tmp_path)
    lines = {int(line) for line in re.findall(r"^wrong\.py:(\d+): error:", said, re.M)} or said
    assert lines == {4, 5, 6, 7, 8, 9}, said


def test_mypy_finds_nothing_in_the_package():
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True,
                          env={**ENVIRONMENT, "MYPY_CACHE_DIR": os.devnull})
    assert "Success: no issues found" in done.stdout, done.stdout + done.stderr
