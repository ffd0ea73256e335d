"""An option that would do nothing beside others is refused, by name and with why."""
import pytest

from catdog import fails, make_folder, run, succeeds

TRAIN = ["train", "--data", "x", "--model", "m"]
FROM = [*TRAIN, "--from", "shipped"]
LINEAR = [*FROM, "--head", "linear"]
FREEZE = [*FROM, "--freeze", "all"]
SHORT = [*FROM, "--epochs", "3"]
ALONE = [["--progressive", "96"], ["--augment", "flip"], ["--mixup", "0.2"], ["--cutmix", "1"], ["--cache", "64"],
         ["--checkpoint", "c"], ["--body-rate", "0.5"]]

IDLE = [
    *[(FROM, option) for option in (["--net", "resnet50"], ["--net", "mine.json"], ["--width", "2"], ["--batch-norm"],
                                    ["--dropout", "0.5"], ["--dropout", "0"], ["--recipe", "strong"],
                                    ["--recipe", "plain"])],
    *[(TRAIN, option) for option in (["--head", "linear"], ["--head", "fine-tune"], ["--freeze", "none"],
                                     ["--unfreeze-at", "3"], ["--body-rate", "0"])],
    *[(start, option) for start in (LINEAR, FREEZE, SHORT) for option in ALONE],
    *[(start, ["--checkpoint", "c", "--resume"]) for start in (LINEAR, FREEZE, SHORT)],
    (LINEAR, ["--unfreeze-at", "3"]), (FREEZE, ["--unfreeze-at", "3"]), (LINEAR, ["--freeze", "conv"]),
    (SHORT, ["--freeze", "conv"]), ([*TRAIN, "--epochs", "1"], ["--progressive", "16"]),
    *[([*TRAIN, "--net", net], ["--batch-norm"]) for net in ("catdog_net", "resnet18", "resnet50", "mobilenet_v2",
                                                             "efficientnet_lite0")],
    *[(["summary", "--model", "m"], option) for option in (["--size", "64"], ["--width", "2"], ["--batch-norm"],
                                                           ["--dropout", "0.1"])],
    (["check", "--data", "x"], ["--flip"]), (["check", "--data", "x"], ["--size", "64"]),
    *[(["bench", "--part", "machine"], option) for option in (["--net", "two_conv"], ["--size", "64"], ["--batch", "8"],
                                                              ["--precision", "bf16"], ["--data", "x"])],
    (["bench", "--part", "net"], ["--data", "x"]), (["bench", "--part", "loader"], ["--batch", "8"]),
    (["bench", "--part", "loader"], ["--width", "2"]), (["bench"], ["--max-pixels", "9"]), (["bench"], ["--trust-data"]),
]


@pytest.mark.parametrize("start, option", IDLE, ids=lambda words: " ".join(words))
def test_an_option_that_would_do_nothing_is_refused(start, option):
    done = fails(2, *start, *option, saying=f"{start[0]}: {option[0]} does nothing with")
    assert "--help'." in done.err


@pytest.mark.parametrize("option", [["--from", "shipped"], ["--head", "linear"], ["--checkpoint", "c"],
                                    ["--memory", "9"], ["--max-pixels", "9"]])
def test_a_search_refuses_what_its_trials_would_not_do(option):
    fails(2, "tune", "--data", "x", "--budget", "9s", "--", *option, saying=f"{option[0]}")


@pytest.mark.parametrize("more", [["--head", "linear", "--augment", "none", "--cache", 0, "--mixup", 0],
                                  ["--freeze", "none", "--unfreeze-at", 1, "--mixup", 0.5],
                                  ["--unfreeze-at", 1, "--checkpoint", "c", "--size", 16]])
def test_what_changes_nothing_that_is_so_anyway_is_taken(pets, tmp_path, more):
    more = [tmp_path / "c" if word == "c" else word for word in more]
    succeeds("train", "--data", pets.data, "--from", pets.model, "--model", tmp_path / "m", "--epochs", 1, *more)


def test_a_threshold_is_for_two_classes(pets, tmp_path):
    net = tmp_path / "net.json"
    net.write_text(pets.net.read_text().replace('"units": 1', '"units": 3'))
    three = make_folder(tmp_path / "three", 4, ("Cat", "Dog", "Fox"))
    succeeds("train", "--data", three, "--val", three, "--net", net, "--epochs", 1, "--model", tmp_path / "m")
    for command in (["eval", "--data", three], ["predict", three / "Cat" / "0.jpg"],
                    ["report", "--data", three, "--out", tmp_path / "r"]):
        done = run(command[0], "--model", tmp_path / "m", "--threshold", 0.7, *command[1:])
        assert done.returncode == 2 or "built without" in done.err, done.err
    succeeds("eval", "--data", pets.test, "--model", pets.model, "--threshold", 0.7)
