"""Trainings of next to nothing, and numbers that are none."""
import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cnn
from cnn import _abi as cnn_abi
from conftest import photographs, tiny_classifier, tiny_net


def pixels(labels, names=("a", "b")):
    return cnn.Dataset.from_pixels(photographs(len(labels))[0], labels, names)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("batch_size", [1, 2, 32, 2 ** 20])
def test_a_model_is_trained_on_however_few_images(count, batch_size):
    history = cnn.train(cnn.Model(tiny_net()), pixels(np.arange(count) % 2), epochs=1, batch_size=batch_size)
    assert len(history) == 1 and history[0].images == count and np.isfinite(history[0].loss)


def test_a_classifier_says_what_it_lacks():
    X, y = photographs(3)
    with pytest.raises(cnn.DataError, match="there are no images to train on"):
        tiny_classifier(epochs=1).fit(X[:0], y[:0])
    with pytest.raises(cnn.DataError, match="1 class .0.; the classifier tells 2 apart"):
        tiny_classifier(epochs=1).fit(X[:1], y[:1])
    with pytest.raises(cnn.DataError, match="no class has two images"):
        tiny_classifier(epochs=1).fit(X[:2], y[:2])
    assert tiny_classifier(epochs=1).fit(X[:2], y[:2], validation=(X[:2], y[:2])).predict(X).shape == (3,)
    assert tiny_classifier(epochs=1).fit(X, y).predict(X).shape == (3,)


def test_labels_that_the_net_does_not_know_are_refused():
    for labels, names, saying in (([0, 2], ("a", "b"), "label of image 1 is 2; there are 2"),
                                  ([0, -2], ("a", "b"), "label of image 1 is -2; there are 2"),
                                  ([0, 2], ("a", "b", "c"), "3 classes; the net tells 2"),
                                  ([0, -1], ("a", "b"), "image 1: has no class")):
        with pytest.raises(ValueError, match=saying):
            cnn.train(cnn.Model(tiny_net()), pixels(labels, names), epochs=1)


@pytest.mark.parametrize("kind, rate", [("sgd", 1e30), ("adam", 1e38), ("rmsprop", 1e38)])
def test_a_training_that_goes_astray_says_so_and_keeps_sound_weights(kind, rate):
    model = cnn.Model(tiny_net(), seed=1)
    with pytest.raises(cnn.NotFiniteError, match="went astray in epoch 1, batch .*; try a learning rate below"):
        cnn.train(model, pixels(np.arange(40) % 2), epochs=3, batch_size=8, optimizer={"kind": kind, "learning_rate": rate})
    assert all(np.isfinite(one.value).all() for one in model.parameters().values())


def test_a_step_on_what_is_no_number_changes_nothing():
    model = cnn.Model(tiny_net(), seed=1)
    before = {name: one.value.copy() for name, one in model.parameters().items()}
    images = np.ones((2, 16, 16, 3), np.float32)
    images[0, 3, 3, 0] = np.nan
    value, gradient = cnn.loss(model.forward(images), [[0], [1]])
    model.backward(gradient)
    with pytest.raises(cnn.NotFiniteError, match="gradient is not finite"):
        cnn.Optimizer(model).step(1e-3)
    assert np.isnan(value) and all((one.value == before[name]).all() for name, one in model.parameters().items())
    assert np.isfinite(model.predict(images)).tolist() == [[False], [True]]


def test_a_broken_model_decides_on_nothing(tmp_path):
    X, y = photographs(16)
    pets = tiny_classifier(epochs=1).fit(X, y)
    pets.model_.parameters()["conv2d_1.weight"].value[...] = np.nan
    pets.model_.changed()
    for use in (lambda: pets.predict(X), lambda: pets.predict_proba(X), lambda: pets.evaluate(X, y),
                lambda: pets.calibrate(X, y), lambda: pets.save(tmp_path / "m")):
        with pytest.raises(cnn.NotFiniteError, match="not finite"):
            use()
    assert not (tmp_path / "m").exists()


def train_with_extremes():
    """Trains with the smallest and largest number in each field, one at a time: it comes to an end, or says why not."""
    data = pixels(np.arange(8) % 2)
    structs = {"augment": cnn_abi.cnn_augment, "schedule": cnn_abi.cnn_schedule,
               "optimizer": cnn_abi.cnn_optimizer_options, None: cnn_abi.cnn_train_options}
    ended = 0
    for option, struct in structs.items():
        for name in (name for name, field in struct._fields_ if field is ctypes.c_float):
            for value in (1e-45, 1e-38, 1e-30, 1e-7, 0.9999999, 1, 1e30, 3.4e38):
                kinds = range(6) if option == "schedule" else range(5) if option == "optimizer" else [None]
                for kind in kinds:
                    one = {name: value} if kind is None else {"kind": kind, name: value}
                    try:
                        cnn.train(cnn.Model(tiny_net()), data, data, epochs=2, **({option: one} if option else one))
                    except cnn.Error as error:
                        assert str(error)
                    ended += 1
    print("ended", ended)


def test_extreme_numbers_come_to_an_end():
    here = Path(__file__).parent
    start = f"import sys; sys.path[:0] = {[str(here), str(here.parents[1] / 'python')]!r}\n"
    done = subprocess.run([sys.executable, "-c", start + "import test_edges; test_edges.train_with_extremes()"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("ended "), done.stderr
    assert int(done.stdout.split()[1]) > 500
