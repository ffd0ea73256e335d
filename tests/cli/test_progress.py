"""What a terminal shows while catdog works, at several widths, and what goes to a file instead."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from catdog import PROGRAM, succeeds

QUICK = ["--epochs", 2, "--batch", 8]


def set_width(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def on_terminal(columns, arguments, env=None, then=None):
    """What a run writes to a terminal of that width, which has the width `then` from the first output on."""
    leader, follower = pty.openpty()
    set_width(leader, columns)
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=follower,
                               env={**clean, "TERM": "xterm", **(env or {})})
    os.close(follower)
    text = b""
    try:
        while piece := os.read(leader, 4096):
            text += piece
            if then:
                set_width(leader, then)
    except OSError:  # Linux's way of saying that the other end is closed
        pass
    os.close(leader)
    assert process.wait(timeout=60) == 0, text
    return text.decode()


def live_lines(text):
    """The lines that were drawn to be drawn over, without colours."""
    plain = re.sub(r"\033\[\d+m", "", text)
    return [line for line in re.findall(r"\r([^\r\n]+?)\033\[K", plain)]


def screen(text):
    """What is left on a screen that is wide enough."""
    rows, column = [""], 0
    for token in re.findall(r"\r|\n|\033\[K|\033\[\d+m|[^\r\n\033]+", text):
        if token == "\r":
            column = 0
        elif token == "\n":
            rows.append("")
        elif token == "\033[K":
            rows[-1] = rows[-1][:column]
        elif token[0] != "\033":
            rows[-1] = rows[-1][:column] + token + rows[-1][column + len(token):]
            column += len(token)
    return rows


def commands(pets, place):
    model = place / "model.safetensors"
    model.write_bytes(pets.model.read_bytes())
    data = ["--data", pets.data]
    return {
        "train": ["train", *data, "--net", pets.net, "--model", place / "m", *QUICK],
        "tune": ["tune", *data, "--budget", "0.7s", "--epochs", 3, "--", "--net", pets.net, "--batch", 8],
        "eval": ["eval", *data, "--model", model],
        "check": ["check", *data],
        "calibrate": ["calibrate", *data, "--model", model],
        "quantize": ["quantize", *data, "--model", model, "--out", place / "small"],
    }


NAMES = ["train", "tune", "eval", "check", "calibrate", "quantize"]


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize("name", NAMES)
def test_a_live_line_fits_and_leaves_nothing_behind(pets, tmp_path, name, columns):
    text = on_terminal(columns, commands(pets, tmp_path)[name])
    lines = live_lines(text)
    assert lines and max(map(len, lines)) < columns
    assert any("[=" in line for line in lines)
    assert "\033[32m" in text
    left = screen(text)
    assert left[-1] == "" and not any("[" in row for row in left)


def test_a_training_tells_as_much_as_there_is_room_for(pets, tmp_path):
    arguments = commands(pets, tmp_path)["train"]
    arguments[arguments.index("--epochs") + 1] = 4
    texts = {columns: on_terminal(columns, arguments) for columns in (40, 80, 160)}
    lines = {columns: [line for line in live_lines(text) if line.startswith("epoch ")] for columns, text in texts.items()}
    assert all(line.endswith(" left") for line in [*lines[40], *lines[80], *lines[160]])
    assert not any("loss" in line for line in lines[40])
    assert any("loss" in line and "accuracy" in line for line in lines[80])
    assert any(re.search(r"images/s  loss .* accuracy .* validation \d+\.\d % ", line) for line in lines[160])
    kept = {columns: [row for row in screen(text) if row.startswith("epoch ")] for columns, text in texts.items()}
    assert all(len(rows) == 4 for rows in kept.values())
    assert max(map(len, kept[40])) <= 40 and max(map(len, kept[80])) <= 80
    assert all("validation" in row for rows in kept.values() for row in rows)
    assert all("images/s" in row for row in kept[160])


def test_work_on_images_tells_how_fast_it_is(pets, tmp_path):
    lines = live_lines(on_terminal(80, commands(pets, tmp_path)["eval"]))
    assert any(re.search(r"^evaluating \[=+\] 40/40  \d+ images/s  0:00 left$", line) for line in lines)


def test_a_trial_tells_its_number(pets, tmp_path):
    lines = live_lines(on_terminal(80, commands(pets, tmp_path)["tune"]))
    assert any(line.startswith("trial 0, epoch 1/1 [") for line in lines)


def test_the_line_follows_the_terminal_when_it_is_made_narrow(pets, tmp_path):
    arguments = commands(pets, tmp_path)["train"]
    arguments[arguments.index("--epochs") + 1] = 200
    lines = live_lines(on_terminal(160, arguments, then=40))
    assert len(lines[0]) > 40 and len(lines) > 6
    assert max(map(len, lines[-4:])) < 40


@pytest.mark.parametrize("name", NAMES)
def test_a_file_gets_no_escape_codes(pets, tmp_path, name):
    done = succeeds(*commands(pets, tmp_path)[name], env={"TERM": "xterm"})
    assert "\033" not in done.err + done.out and "\r" not in done.err


@pytest.mark.parametrize("env, colour", [({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({}, True)])
def test_no_colour_where_none_is_wanted(pets, tmp_path, env, colour):
    text = on_terminal(80, commands(pets, tmp_path)["eval"], env)
    assert live_lines(text)
    assert ("\033[32m" in text) == colour


@pytest.mark.parametrize("terminal", ["dumb", ""])
def test_a_dumb_terminal_gets_plain_lines(pets, tmp_path, terminal):
    assert "\033" not in on_terminal(80, commands(pets, tmp_path)["train"], {"TERM": terminal})
