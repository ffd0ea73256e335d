"""The commands in the docs are tried, on few photographs and for one epoch, and so is the Python in them."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from catdog import HAS_ZIP, PROGRAM, SANITIZED, TINY_NET, make_folder

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/train.md", "docs/catdog.md", "docs/understand-results.md", "docs/deploy.md", "docs/performance.md", "docs/results.md")


def commands():
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("catdog "):
                    yield pytest.param(line, id=f"{page}: {line[:60]}")


@pytest.fixture(scope="module")
def place(tmp_path_factory, pets):
    root = tmp_path_factory.mktemp("docs")
    photographs = make_folder(root / "PetImages", 6)
    shutil.make_archive(str(root / "photos"), "zip", root, "PetImages")
    for copy in ("photos/train", "photos/test", "DATA/PetImages"):
        shutil.copytree(photographs, root / copy)
    for copy in ("holidays", "new"):
        shutil.copytree(photographs / "Dog", root / copy)
    shutil.copy(photographs / "Cat" / "0.jpg", root / "photo.jpg")
    rows = "".join(f"PetImages/{kind}/{n}.jpg,{kind}\n" for kind in ("Cat", "Dog") for n in range(6))
    for name in ("train.csv", "test.csv", "DATA/train.csv", "DATA/val.csv"):
        (root / name).write_text("path,label\n" + rows)
    (root / "my-net.json").write_text(json.dumps(TINY_NET))
    shutil.copy(pets.model, root / "pets.safetensors")
    return root


@pytest.mark.parametrize("command", list(commands()))
def test_a_command_of_the_docs_works(place, command):
    if "zip" in command and not HAS_ZIP:
        pytest.skip("built without libarchive")
    if ".onnx" in command and os.environ.get("CNN_HAS_ONNX") == "0":
        pytest.skip("built without protobuf-c")
    if re.match("catdog (report|samples|augment-preview) ", command) and os.environ.get("CNN_HAS_REPORT") == "0":
        pytest.skip("built without cairo")
    quick = command.split("#")[0]
    if " train " in command:
        quick += " --epochs 1" + ("" if ".json" in command or " --from " in command else " --size 48")
        quick += " --unfreeze-at 1" if re.search("--freeze|--body-rate", command) else ""
    if " tune " in command:
        quick = re.sub(r"--budget \S+", "--budget 3s --epochs 1", quick).rstrip() + " --size 48"
    done = subprocess.run(quick.replace("catdog", PROGRAM, 1), shell=True, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_python_in_the_docs_works(place):
    pytest.importorskip("safetensors")
    program = re.search(r"```python\n(.*?)```", (ROOT / "docs/model-file.md").read_text(), re.DOTALL).group(1)
    subprocess.run([PROGRAM, "train", "--data", "PetImages", "--model", "pets.safetensors", "--net", "my-net.json",
                    "--epochs", "1"], cwd=place, check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "['Cat', 'Dog']" in done.stdout


def test_the_way_from_pytorch_works(place):
    """docs/migrate.md: its Python in one program, then its commands."""
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    library = Path(PROGRAM).resolve().parents[2] / "lib/libcnn.so"
    if SANITIZED or not library.exists() or os.environ.get("CNN_HAS_ONNX") == "0":
        pytest.skip("built without protobuf-c, with sanitizers, or elsewhere")
    page = (ROOT / "docs/migrate.md").read_text()
    program = "".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=place, capture_output=True, text=True,
                          env={**os.environ, "CNN_LIBRARY": str(library), "PYTHONPATH": str(ROOT / "python")})
    assert done.returncode == 0, done.stderr
    assert "largest difference: " in done.stdout
    for line in re.search(r"```sh\n(.*?)```", page, re.DOTALL).group(1).splitlines():
        done = subprocess.run(line.replace("catdog", PROGRAM, 1), shell=True, cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_keras_of_the_docs_is_python():
    for block in re.findall(r"```python keras\n(.*?)```", (ROOT / "docs/migrate.md").read_text(), re.DOTALL):
        compile(block, "docs/migrate.md", "exec")


def test_every_link_in_the_docs_leads_somewhere():
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "NEWS.md", "SECURITY.md")]
    pages += sorted((ROOT / "docs").rglob("*.md"))
    for page in pages:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            name, _, heading = link.partition("#")
            if re.match(r"https?:", link):
                continue
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), f"{page.name}: {link}"
            headings = re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE) if heading else []
            assert not heading or heading in [re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-")
                                              for h in headings], f"{page.name}: {link}"


@pytest.mark.parametrize("folder", ["docs", "docs/decisions"])
def test_every_page_is_in_its_folder_s_index(folder):
    index = (ROOT / folder / "README.md").read_text()
    for page in (ROOT / folder).glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def test_the_ways_to_link_a_program_work(place, tmp_path):
    """docs/deploy.md: its compiler commands, on an installed library."""
    build = Path(PROGRAM).resolve().parents[2]
    if SANITIZED or not shutil.which("meson") or not (build / "build.ninja").exists():
        pytest.skip("there is no build that can be installed")
    subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild", "--destdir", str(tmp_path)], check=True,
                   capture_output=True)
    config = next(tmp_path.glob("**/cnn.pc"))
    text = config.read_text().replace("prefix=/", f"prefix={tmp_path}/", 1)
    config.write_text(text)
    page = (ROOT / "docs/deploy.md").read_text()
    work = tmp_path / "work"
    work.mkdir()
    (work / "program.c").write_text(re.search(r"```c\n(.*?)```", page, re.DOTALL).group(1))
    found = {**os.environ, "PKG_CONFIG_PATH": str(config.parent)}
    for number, block in enumerate(re.findall(r"```cc\n(.*?)```", page, re.DOTALL)):
        subprocess.run(["sh", "-ec", block], cwd=work, env=found, check=True)
        program = work / ("app/bin/program" if "app/bin" in block else "program")
        shutil.copy(place / "pets.safetensors", program.parent)
        env = {**found, "LD_LIBRARY_PATH": str(config.parents[1])} if number == 0 else found
        done = subprocess.run([str(program)], env=env, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "Cat or Dog?\n"), done.stderr


PLACES = (".", "lib", "lib/kernels", "examples/catdog")  # from which the page names files


def test_the_page_on_the_code_names_files_that_exist():
    page = (ROOT / "docs/internals.md").read_text()
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    examples = set(re.findall(r"^`(\S+\.[ch])`:$", page, re.MULTILINE))
    for name in set(re.findall(r"`([\w/.]+/[\w.]*)`", prose)) - examples:
        assert any((ROOT / folder / name).exists() for folder in PLACES), name


def test_the_page_on_the_code_knows_every_room_and_header():
    page = (ROOT / "docs/internals.md").read_text()
    for room in (ROOT / "lib").iterdir():
        assert not room.is_dir() or f"| `{room.name}/` |" in page, room.name
    for header in (ROOT / "include/cnn").glob("*.h"):
        assert header.name in ("cnn.h", "export.h") or f"`{header.name}`" in page, header.name


def test_the_program_on_the_page_is_that_of_the_net():
    program = re.search(r"```text program\n(.*?)```", (ROOT / "docs/internals.md").read_text(), re.DOTALL).group(1)
    done = subprocess.run([PROGRAM, "summary", "--net", "two_conv", "--time"], capture_output=True, text=True, check=True)
    assert program in re.sub(r", [\d.]+ ms", "", done.stdout)


def test_the_nets_in_the_docs_are_nets(tmp_path):
    for number, text in enumerate(re.findall(r"```json\n(.*?)```", (ROOT / "docs/net-json.md").read_text(), re.DOTALL)):
        net = tmp_path / f"{number}.json"
        net.write_text(text)
        done = subprocess.run([PROGRAM, "summary", "--net", str(net)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_onnx_of_the_docs_runs(place):
    pytest.importorskip("onnxruntime")
    if os.environ.get("CNN_HAS_ONNX") == "0":
        pytest.skip("built without protobuf-c")
    subprocess.run([PROGRAM, "export", "--model", "pets.safetensors", "--out", "pets.onnx"], cwd=place, check=True)
    program = re.search(r"```python\n(.*?)```", (ROOT / "docs/onnx.md").read_text(), re.DOTALL).group(1)
    size = TINY_NET["layers"][0]["shape"][0]
    before = f"import numpy\nimages = numpy.zeros((2, 3, {size}, {size}), numpy.float32)\n"
    done = subprocess.run([sys.executable, "-c", before + program + "print(logits.shape)"], cwd=place,
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "(2, 1)\n"), done.stderr
