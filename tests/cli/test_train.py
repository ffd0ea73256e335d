import csv
import json
import os
import resource
import signal
import subprocess

import pytest

from catdog import PROGRAM, SAMPLE, as_json, fails, make_folder, notes, run, succeeds, wait_for, weights

QUICK = ["--epochs", 2, "--batch", 8, "--augment", "none"]


def train(pets, model, *more, expect=succeeds, **keywords):
    return expect("train", "--data", pets.data, "--net", pets.net, "--model", model, *QUICK, *more, **keywords)


def test_the_end_tells_the_best_epoch_and_where_the_model_is(pets, tmp_path):
    done = train(pets, tmp_path / "m.safetensors")
    assert "best epoch" in done.out and "validation accuracy" in done.out
    assert f"saved {tmp_path / 'm.safetensors'}" in done.out
    assert (tmp_path / "m.safetensors").stat().st_size > 1000


def test_progress_is_plain_lines_when_piped(pets, tmp_path):
    err = train(pets, tmp_path / "m.safetensors").err
    assert err.count("\nepoch ") == 2
    assert "\r" not in err and "\033" not in err


def test_a_tenth_is_split_off_without_val(pets, tmp_path):
    assert "on 36 photographs of Cat and Dog, validating on 4;" in train(pets, tmp_path / "m.safetensors").err


def test_one_thread_is_no_plural(pets, tmp_path):
    for count, said in ((1, ", 1 thread\n"), (2, ", 2 threads\n")):
        assert said in train(pets, tmp_path / "m.safetensors", "--threads", count).err


def test_val_may_be_a_fraction(pets, tmp_path):
    assert "on 30 photographs of Cat and Dog, validating on 10;" in train(
        pets, tmp_path / "m.safetensors", "--val", "0.25").err


def test_the_test_part_of_a_pair_validates(pets, tmp_path):
    make_folder(tmp_path / "set" / "train", 6)
    make_folder(tmp_path / "set" / "test", 3, start=50)
    done = succeeds("train", "--data", tmp_path / "set", "--net", pets.net, "--model", tmp_path / "m", *QUICK)
    assert "on 12 photographs of Cat and Dog, validating on 6;" in done.err


def test_history_has_a_row_for_each_epoch(pets, tmp_path):
    train(pets, tmp_path / "m.safetensors", "--history", tmp_path / "h.csv")
    rows = list(csv.DictReader((tmp_path / "h.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(0 <= float(row["validation_accuracy"]) <= 1 for row in rows)


def test_every_option_at_once(pets, tmp_path):
    succeeds("train", "--data", pets.data, "--val", pets.test, "--net", "two_conv", "--size", 16, "--batch-norm",
             "--dropout", 0.2, "--epochs", 1, "--batch", 16, "--optimizer", "sgd", "--momentum", 0.8, "--lr", 0.01,
             "--schedule", "cosine", "--weight-decay", 1e-4, "--clip", 1, "--label-smoothing", 0.05, "--ema", 0.9,
             "--early-stopping", 3, "--augment", "flip,rotation=10,zoom=0.1", "--threads", 2, "--seed", 3,
             "--cache", 0, "--history", tmp_path / "h.csv", "--checkpoint", tmp_path / "c", "--resume",
             "--model", tmp_path / "m")


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "sgdw"])
def test_each_optimizer_learns(pets, tmp_path, optimizer):
    model = tmp_path / "m"
    succeeds("train", "--data", pets.data, "--val", pets.test, "--net", pets.net, "--model", model, "--epochs", 6,
             "--batch", 4, "--optimizer", optimizer, "--augment", "none")
    assert as_json("eval", "--model", model, "--data", pets.test, "--json")["accuracy"] > 0.9


def test_training_in_bf16_learns_and_is_not_what_floats_give(pets, tmp_path):
    narrow, wide = tmp_path / "narrow", tmp_path / "wide"
    command = ["train", "--data", pets.data, "--val", pets.test, "--net", pets.net, "--epochs", 6, "--batch", 4]
    succeeds(*command, "--model", narrow, "--precision", "bf16", "--checkpoint", tmp_path / "c")
    succeeds(*command, "--model", wide, "--precision", "fp32")
    assert as_json("eval", "--model", narrow, "--data", pets.test, "--json")["accuracy"] > 0.9
    assert weights(narrow) != weights(wide)
    fails(1, *command, "--model", wide, "--checkpoint", tmp_path / "c", "--resume", saying='with --precision "bf16", not "fp32":')


@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "cosine", "one_cycle", "plateau"])
def test_each_schedule_runs(pets, tmp_path, schedule):
    train(pets, tmp_path / "m", "--schedule", schedule)


def test_a_net_for_any_size_trains_on_images_that_grow(pets, tmp_path):
    recipe = ["--net", "catdog_net", "--width", 0.1, "--epochs", 3, "--batch", 8, "--optimizer", "sgdw", "--nesterov",
              "--warmup", 0.2, "--mixup", 0.2, "--cutmix", 1, "--seed", 5]
    train = ["train", "--data", pets.data, *recipe, "--size", 48, "--progressive", "32:64"]
    succeeds(*train, "--model", tmp_path / "m")
    assert "48 x 48" in succeeds("summary", "--model", tmp_path / "m").out
    succeeds(*train, "--model", tmp_path / "again", "--threads", 1)
    assert weights(tmp_path / "m") == weights(tmp_path / "again")


def test_the_strong_recipe_yields_to_what_is_given(pets, tmp_path):
    quick = ["--width", 0.1, "--epochs", 1, "--batch", 8]
    done = succeeds("train", "--data", pets.data, "--recipe", "strong", "--model", tmp_path / "m", *quick)
    assert "training catdog_net" in done.err
    assert "160 x 160" in succeeds("summary", "--model", tmp_path / "m").out
    record = json.loads(notes(tmp_path / "m")["cnn.training"])
    assert (record["optimizer"], record["batch_size"], record["epochs"]) == ("sgd", 8, 1)
    done = succeeds("train", "--data", pets.data, "--recipe", "strong", "--model", tmp_path / "m", "--net", pets.net,
                    "--optimizer", "adamw", "--epochs", 1)
    assert json.loads(notes(tmp_path / "m")["cnn.training"])["optimizer"] == "adamw"


def test_the_strong_recipe_keeps_its_size_where_images_grow_otherwise(pets, tmp_path):
    succeeds("train", "--data", pets.data, "--recipe", "strong", "--model", tmp_path / "m", "--width", 0.1, "--epochs", 1,
             "--batch", 8, "--progressive", "32:48")
    assert "160 x 160" in succeeds("summary", "--model", tmp_path / "m").out


def test_a_net_for_one_size_cannot_train_on_others(pets, tmp_path):
    fails(1, "train", "--data", pets.data, "--net", pets.net, "--model", tmp_path / "m", "--progressive", "8:16",
          saying="its weights are for one size of image")


@pytest.mark.parametrize("wrong", ["", "64:48", "4", "large", "64:", "64:x", "64:96:128"])
def test_sizes_that_make_no_sense_are_a_wrong_command_line(pets, tmp_path, wrong):
    fails(2, "train", "--data", pets.data, "--model", tmp_path / "m", "--progressive", wrong, saying="--progressive")


def test_nesterov_needs_sgd(pets, tmp_path):
    fails(2, "train", "--data", pets.data, "--model", tmp_path / "m", "--nesterov", saying="--nesterov needs")


def test_the_same_seed_gives_the_same_model_at_any_number_of_threads(pets, tmp_path):
    models = []
    for threads in (1, 2, 4):
        model = tmp_path / f"{threads}.safetensors"
        train(pets, model, "--threads", threads, "--seed", 7, "--augment", "flip,rotation=10,brightness=0.2")
        models.append(weights(model))
    assert models[0] == models[1] == models[2]
    train(pets, tmp_path / "other", "--seed", 8, "--augment", "flip,rotation=10,brightness=0.2")
    assert weights(tmp_path / "other") != models[0]


@pytest.mark.parametrize("option, saying", [(["--lr", 0.1], "with --lr 0.001, not 0.1:"),
                                            (["--clip", 3], "with --clip 0.0, not 3.0:"),
                                            (["--augment", "flip"], "with --augment flip false, not true:"),
                                            (["--early-stopping", 3], "with --early-stopping 0, not 3:"),
                                            (["--batch", 9], "with --batch 8, not 9:"),
                                            (["--seed", 3], "with --seed 0, not 3:"),
                                            (["--optimizer", "sgd"], "with another optimizer:"),
                                            (["--val", "0.3"], "other training data: 36 images, not 28 images;")])
def test_what_keeps_a_training_from_going_on_is_named(pets, tmp_path, option, saying):
    more = ["--checkpoint", tmp_path / "c"]
    train(pets, tmp_path / "m", *more)
    train(pets, tmp_path / "m", *more, "--resume", *option, expect=lambda *a: fails(1, *a, saying=saying))


def start(pets, model, *more, epochs=200):
    """The tests themselves may run under nohup, which has SIGHUP ignored in all that it starts."""
    return subprocess.Popen(
        [PROGRAM, "train", "--data", pets.data, "--net", pets.net, "--batch", "4", "--epochs", str(epochs), "--model",
         model, *map(str, more)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))


def test_a_killed_training_resumes_to_the_same_weights(pets, tmp_path):
    settings = ["--epochs", 30, "--batch", 4, "--ema", 0.9, "--schedule", "cosine", "--augment", "flip,zoom=0.1"]
    arguments = ["train", "--data", pets.data, "--net", pets.net, *settings]
    succeeds(*arguments, "--model", tmp_path / "unbroken")
    for epoch in (2, 9):
        checkpoint = tmp_path / f"checkpoint{epoch}"
        more = [*arguments, "--model", tmp_path / f"m{epoch}", "--checkpoint", checkpoint, "--resume"]
        process = subprocess.Popen([PROGRAM, *map(str, more)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        wait_for(process, f"epoch {epoch}/30".encode())
        process.kill()
        process.communicate()
        assert checkpoint.exists() and not (tmp_path / f"m{epoch}").exists()
        done = succeeds(*more)
        assert "epoch 1/30" not in done.err
        assert weights(tmp_path / f"m{epoch}") == weights(tmp_path / "unbroken")


def test_a_finished_training_goes_on_where_its_schedule_allows(pets, tmp_path):
    start = ["train", "--data", pets.data, "--net", pets.net, "--batch", 8, "--augment", "none"]
    constant = [*start, "--schedule", "constant", "--model", tmp_path / "m"]
    succeeds(*constant, "--epochs", 4)
    whole = weights(tmp_path / "m")
    more = [*constant, "--checkpoint", tmp_path / "c", "--resume"]
    succeeds(*more, "--epochs", 2)
    done = succeeds(*more, "--epochs", 4)
    assert "epoch 3/4" in done.err and "epoch 2/4" not in done.err and weights(tmp_path / "m") == whole
    planned = [*start, "--model", tmp_path / "p", "--checkpoint", tmp_path / "d", "--resume"]
    succeeds(*planned, "--epochs", 2)
    fails(1, *planned, "--epochs", 4, saying="with a constant, exponential or plateau schedule")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_saves_the_best_so_far(pets, tmp_path, number):
    process = start(pets, tmp_path / "m", epochs=100000)
    wait_for(process, b"epoch 2/")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert b"interrupted" in err and b"best epoch" in out
    succeeds("predict", "--model", tmp_path / "m", pets.test / "Cat" / "100.jpg")


SLOW_STEPS = "--net", "resnet18", "--size", "128", "--batch", "2", "--augment", "none"


def interrupt_first_epoch(data, model, options=SLOW_STEPS):
    """Much work: the first epoch doesn't come to its end."""
    process = subprocess.Popen([PROGRAM, "train", "--data", data, "--threads", "1", *options, "--model", model],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    wait_for(process, b"thread\n")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert b"epoch 1/" not in err
    return process.returncode, out, err


def test_less_than_an_epoch_replaces_no_model(pets, tmp_path):
    model = tmp_path / "m.safetensors"
    before = pets.model.read_bytes()
    model.write_bytes(before)
    status, out, err = interrupt_first_epoch(pets.data, model)
    assert status == 1 and out == b"" and b"is unchanged" in err
    assert model.read_bytes() == before


def test_less_than_an_epoch_writes_no_model(pets, tmp_path):
    model = tmp_path / "m.safetensors"
    status, out, err = interrupt_first_epoch(pets.data, model)
    assert status == 1 and out == b"" and b"nothing was written" in err
    assert not model.exists()


def test_an_interruption_before_the_head_of_a_net_is_one_too(tmp_path):
    """While features are computed."""
    photographs = sorted(SAMPLE.glob("train/*/*.jpg"))
    (tmp_path / "many.csv").write_text("path,label\n" + "".join(f"{p},{p.parent.name}\n" for p in photographs * 40))
    model = tmp_path / "m.safetensors"
    status, out, err = interrupt_first_epoch(tmp_path / "many.csv", model, ["--from", "shipped", "--head", "linear"])
    assert status == 1 and out == b"" and b"interrupted before the end of the first epoch; nothing was written" in err
    assert b"was stopped" not in err and not model.exists()


def test_a_hangup_is_ignored_under_nohup(pets, tmp_path):
    process = subprocess.Popen(
        ["nohup", PROGRAM, "train", "--data", pets.data, "--net", pets.net, "--epochs", "400", "--batch", "4",
         "--model", tmp_path / "m"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    wait_for(process, b"epoch 2/")
    process.send_signal(signal.SIGHUP)
    wait_for(process, b"epoch 4/")
    process.terminate()
    assert b"interrupted" in process.communicate(timeout=30)[1]


def test_bad_files_are_named_once_and_left_out(pets, tmp_path):
    data = make_folder(tmp_path / "pets", 8)
    (data / "Cat" / "empty.jpg").write_bytes(b"")
    (data / "Dog" / "cut.jpg").write_bytes((data / "Dog" / "1.jpg").read_bytes()[:300])
    done = succeeds("train", "--data", data, "--net", pets.net, "--model", tmp_path / "m", *QUICK)
    assert done.err.count("empty.jpg") == 1 and done.err.count("cut.jpg") == 1
    assert done.err.index("cut.jpg") < done.err.index("epoch 1/2")
    assert "training" in done.err and "on 14 photographs" in done.err


def test_a_loss_that_is_no_number_ends_the_training_and_leaves_no_file(pets, tmp_path):
    model = tmp_path / "m.safetensors"
    done = train(pets, model, "--lr", "1e30", "--epochs", 5, expect=run)
    assert done.returncode == 1
    assert "finite" in done.err
    assert list(tmp_path.iterdir()) == []


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def test_a_full_disk_while_saving_keeps_the_old_model(pets, tmp_path):
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"the old one")
    train(pets, model, expect=lambda *a, **k: fails(1, *a, saying="m.safetensors", **k), preexec_fn=limit_file_size)
    assert model.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize("option", ["--model", "--history", "--checkpoint"])
def test_a_place_that_is_not_there_is_told_before_training(pets, tmp_path, option):
    place = tmp_path / "nowhere" / "m"
    arguments = {"--model": tmp_path / "m", option: place}
    done = fails(1, "train", "--data", pets.data, "--net", pets.net,
                 *[word for pair in arguments.items() for word in pair], saying="can't be written")
    assert str(place) in done.err and "epoch" not in done.err


def test_a_folder_is_no_place_for_a_model(pets, tmp_path):
    fails(1, "train", "--data", pets.data, "--net", pets.net, "--model", tmp_path, saying="it is a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told_before_training(pets, tmp_path):
    tmp_path.chmod(0o500)
    done = fails(1, "train", "--data", pets.data, "--net", pets.net, "--model", tmp_path / "m", saying="denied")
    assert "epoch" not in done.err


@pytest.mark.parametrize("text, saying", [
    ("", "net"),
    ("{", "net"),
    ('{"layers": [{"type": "input", "shape": [16, 16, 3]}, {"type": "konv"}]}', "konv"),
    ('{"layers": [{"type": "input", "shape": [4, 4, 3]}, {"type": "conv2d", "filters": 8, "kernel": [9, 9]}]}', "conv"),
])
def test_a_broken_net_is_refused(pets, tmp_path, text, saying):
    net = tmp_path / "net.json"
    net.write_text(text)
    fails(1, "train", "--data", pets.data, "--net", net, "--model", tmp_path / "m", saying=saying)


def test_a_net_that_is_not_there(pets, tmp_path):
    fails(1, "train", "--data", pets.data, "--net", tmp_path / "no.json", "--model", tmp_path / "m", saying="no.json")
