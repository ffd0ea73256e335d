"""catdog tune: a search that is short, resumed, and ends in a command line that works."""
import json
import shlex
import signal
import subprocess

import pytest

from catdog import PROGRAM, as_json, fails, make_folder, succeeds, wait_for


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("tune") / "PetImages", 12)


def tune(photographs, *more, given=("--net", "two_conv", "--size", 16), budget="2s"):
    return ["tune", "--data", photographs, "--budget", budget, "--epochs", 3, *more, "--", *given]


def test_the_best_trial_is_one_of_the_longest_and_its_command_works(photographs, tmp_path):
    found = as_json(*tune(photographs, "--json"))
    trials = found["trials"]
    assert {trial["epochs"] for trial in trials} == {1, 3}
    short = {trial["trial"] for trial in trials if trial["epochs"] == 1}
    longer = [trial for trial in trials if trial["epochs"] == 3]
    assert short >= {trial["trial"] for trial in longer} and len(longer) < len(short)
    assert found["best"]["accuracy"] == max(trial["accuracy"] for trial in longer)
    assert found["best"] == trials[0]
    options = {trial["trial"]: trial["options"] for trial in trials}
    assert options[0] == "" and len(set(options.values())) == len(options)
    command = shlex.split(found["command"])
    assert command[:2] == ["catdog", "train"] and "two_conv" in command
    again = subprocess.run([PROGRAM, *command[1:]], cwd=tmp_path, check=True, capture_output=True).stdout.decode()
    best = found["best"]
    assert f"of 3: validation accuracy {100 * best['accuracy']:.2f} %, loss {best['loss']:.4f}" in again
    assert (tmp_path / "best.safetensors").exists()


def test_the_command_says_all_that_the_trials_used(photographs, tmp_path):
    given = ["--net", "two_conv", "--size", 16, "--seed", 7, "--batch", 8]
    found = as_json(*tune(photographs, "--json", "--val", 0.3, "--trust-data", "--max-pixels", 1000000,
                          "--memory", 500, given=given, budget="0.7s"))
    command = shlex.split(found["command"])
    assert "--trust-data" in command and "--memory 500 --max-pixels 1000000" in found["command"]
    again = subprocess.run([PROGRAM, *command[1:]], cwd=tmp_path, check=True, capture_output=True).stdout.decode()
    best = found["best"]
    assert f"of {best['epochs']}: validation accuracy {100 * best['accuracy']:.2f} %, loss {best['loss']:.4f}" in again


def test_a_command_with_a_long_path_is_whole(photographs, tmp_path):
    folder = tmp_path.joinpath(*(12 * ["n" * 200]))
    folder.mkdir(parents=True)
    (folder / "pets").symlink_to(photographs)
    command = shlex.split(as_json(*tune(folder / "pets", "--json", budget="0.7s"))["command"])
    assert str(folder / "pets") in command and "best.safetensors" in command and "two_conv" in command


def test_nothing_left_to_vary_is_told(photographs, pets):
    given = ["--lr", 0.01, "--weight-decay=0", "--augment", "none"]
    fails(2, *tune(photographs, given=["--net", pets.net, *given]), saying="nothing is left to vary")
    fails(2, *tune(photographs, given=["--net", "two_conv", "--width", 1, *given]), saying="nothing is left to vary")


def test_the_table_ends_with_the_command(photographs):
    out = succeeds(*tune(photographs, budget="1.5s")).out
    assert out.startswith("trial  epochs") and "\n\ncatdog train --data" in out


def test_an_ended_search_goes_on_from_its_state(photographs, tmp_path):
    state = tmp_path / "state.json"
    first = as_json(*tune(photographs, "--json", "--state", state, budget="0.7s"))
    again = as_json(*tune(photographs, "--json", "--state", state, budget="0.7s"))
    assert [t["trial"] for t in again["trials"][:1]] == [first["best"]["trial"]]
    assert len(again["trials"]) <= len(first["trials"]) + 1
    more = as_json(*tune(photographs, "--json", "--state", state, budget="1.7s"))
    known = {(t["trial"], t["epochs"]): t for t in more["trials"]}
    assert len(known) > len(first["trials"])
    for trial in first["trials"]:
        assert known[trial["trial"], trial["epochs"]] == pytest.approx(trial)
    assert not (tmp_path / "state.json.part").exists()
    fails(1, *tune(photographs, "--state", state, "--seed", 1), saying="of another search")


def test_the_same_seed_tries_the_same(photographs):
    runs = [as_json(*tune(photographs, "--json", "--seed", seed, budget="0.7s"))["trials"] for seed in (5, 5, 6)]
    drawn = [{t["trial"]: t["options"] for t in trials} for trials in runs]
    assert drawn[0][1] == drawn[1][1] != drawn[2][1]


def test_what_is_given_is_not_drawn(photographs, pets):
    found = as_json(*tune(photographs, "--json", budget="1s", given=("--net", pets.net, "--lr", "0.01", "--augment=flip")))
    for trial in found["trials"]:
        assert "--lr" not in trial["options"] and "--augment" not in trial["options"]
        assert "--width" not in trial["options"]
    assert "--lr 0.01 --augment=flip" in found["command"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"search": {}, "seconds": 1, "results": []}'])
def test_a_state_that_is_none_is_refused(photographs, tmp_path, text):
    state = tmp_path / "state.json"
    state.write_text(text)
    fails(1, *tune(photographs, "--state", state), saying="state")
    assert state.read_text() == text


def test_a_broken_result_in_a_state_is_refused(photographs, tmp_path):
    state = tmp_path / "state.json"
    succeeds(*tune(photographs, "--state", state, budget="0.5s"))
    for wrong in ([1], [-1, 0, 0.5, 0.5, 1], [0, 99, 0.5, 0.5, 1], [0, 0, "x", 0.5, 1]):
        kept = json.loads(state.read_text())
        kept["results"] = [wrong]
        (tmp_path / "wrong.json").write_text(json.dumps(kept))
        fails(1, *tune(photographs, "--state", tmp_path / "wrong.json"), saying="not a valid search state")


def test_too_little_time_is_told(photographs):
    fails(1, *tune(photographs, budget="0.001s"), saying="no trial was completed")


def test_an_interruption_before_the_first_trial_is_told(photographs):
    command = [PROGRAM, *map(str, tune(photographs, budget="10h", given=("--net", "resnet18", "--size", 512)))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    wait_for(process, b"trial 0")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and out == b"" and b"interrupted before a trial was completed" in err


@pytest.mark.parametrize("budget", ["", "0", "-1m", "soon", "1d", "m"])
def test_a_budget_is_a_time(photographs, budget):
    fails(2, "tune", "--data", photographs, "--budget", budget, saying="--budget")


@pytest.mark.parametrize("option", ["--epochs", "--model", "--checkpoint", "--data=x"])
def test_some_options_are_for_tune_alone(photographs, option):
    fails(2, *tune(photographs, given=(option, 3)), saying="can't be among")


def test_options_that_train_does_not_have_are_told_by_it(photographs):
    fails(2, *tune(photographs, given=("--learning-rate", 3)), saying="unknown option '--learning-rate'")
