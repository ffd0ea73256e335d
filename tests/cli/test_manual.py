"""Man pages and bash's completion: they say what --help says."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from catdog import PROGRAM, succeeds

COMMANDS = re.findall(r"^  ([\w-]+) +\w", succeeds("--help").out.split("Example:")[0], re.MULTILINE)
PAGES = Path(PROGRAM).parent  # where a build puts them


def options(command):
    return re.findall(r"^  --([\w-]+)", succeeds(command, "--help").out, re.MULTILINE)


def complete(place, *words):
    """What bash offers for the last of the words."""
    script = place / "completion"
    script.write_text(succeeds("--help=bash").out)
    program = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _catdog; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", program, "bash", str(script), "catdog", *words], cwd=place,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_there_are_commands():
    assert {"train", "tune", "eval", "predict", "check"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_man_page_has_the_options_that_help_has(command):
    page, dash = succeeds(command, "--help=man").out, "\\-"
    assert page.startswith(f".TH CATDOG\\-{command.upper().replace('-', dash)} 1 ")
    named = [name.replace("\\-", "-") for name in re.findall(r"^\.TP\n\\fB\\-\\-([\w\\-]+)\\fR", page, re.MULTILINE)]
    assert named == options(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_completes_the_options_that_help_has(command, tmp_path):
    assert complete(tmp_path, command, "--") == [f"--{name}" for name in options(command)]


def test_the_page_of_the_program_names_every_command():
    page = succeeds("--help=man").out
    assert [name.replace("\\-", "-") for name in re.findall(r"catdog\\-(\S+) \(1\)", page)] == COMMANDS


def test_the_page_of_the_program_names_what_the_library_reads_from_the_environment():
    page, header = succeeds("--help=man").out, (Path(__file__).parents[2] / "include/cnn/context.h").read_text()
    sentence = re.search(r"Environment variables set options.*?is ignored\.", header, re.DOTALL).group()
    variables = {"CNN_LOG", *re.findall(r"CNN_[A-Z_]+", sentence)}
    assert len(variables) > 4 and variables <= set(re.findall(r"^\.B (CNN_\w+)", page, re.MULTILINE))


def test_every_command_has_a_page_that_is_installed():
    if not (PAGES / "catdog.1").exists():
        pytest.skip("the program isn't where it was built")
    assert {page.name for page in PAGES.glob("*.1")} == {"catdog.1", *(f"catdog-{name}.1" for name in COMMANDS)}


@pytest.mark.skipif(not shutil.which("mandoc"), reason="there is no mandoc")
def test_the_pages_are_well_formed(tmp_path):
    pages = []
    for command in [None, *COMMANDS]:
        page = tmp_path / f"{command}.1"
        page.write_text(succeeds(*([command] if command else []), "--help=man").out)
        pages.append(str(page))
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True)
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


def test_bash_completes_commands_values_and_files(tmp_path):
    (tmp_path / "photos.zip").touch()
    assert complete(tmp_path, "tr") == ["train"]
    assert complete(tmp_path, "train", "--optimizer", "ada") == ["adam", "adamw"]
    assert complete(tmp_path, "train", "--optimizer", "=", "adamw") == ["adamw"]
    assert complete(tmp_path, "train", "--net", "resnet") == ["resnet18", "resnet50"]
    assert complete(tmp_path, "train", "--epochs", "") == []
    assert complete(tmp_path, "train", "--from", "sh") == ["shipped"]
    assert complete(tmp_path, "train", "--data", "ph") == ["photos.zip"]
    assert complete(tmp_path, "train", "--nesterov", "--we") == ["--weight-decay"]
    assert complete(tmp_path, "predict", "ph") == ["photos.zip"]
    assert complete(tmp_path, "tune", "--budget", "1h", "--", "--nest") == ["--nesterov"]
