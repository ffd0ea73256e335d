"""Objects that are closed, collected, copied, pickled, inherited by a fork or shared by threads, in any order."""
import copy
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cnn
from cnn_core import Owner
from conftest import ROOT, photographs, tiny_classifier, tiny_net

IMAGES = np.ones((2, 16, 16, 3), np.float32)


def run_program(text, **more):
    """A Python program with cnn and a trained classifier; gives what it printed. Nothing may be on standard error."""
    start = f"import sys; sys.path[:0] = [{str(ROOT / 'examples/python')!r}, {str(ROOT / 'tests/python')!r}]\n"
    done = subprocess.run([sys.executable, "-c", start + textwrap.dedent(text)], capture_output=True, text=True,
                          timeout=60, **more)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture
def destroyed(monkeypatch):
    """The names of destroy functions, in the order of their calls."""
    names = []
    create = Owner.__init__

    def noting(self, pointer, destroy, keep):
        create(self, pointer, destroy, keep)
        call = self._destroy
        self._destroy = lambda pointer: (names.append(destroy), call(pointer))

    monkeypatch.setattr(Owner, "__init__", noting)
    return names


def test_a_context_that_is_closed_lives_as_long_as_what_it_made(destroyed):
    with cnn.Context(threads=2) as context:
        model = cnn.Model(tiny_net(), context=context)
        loader = cnn.Dataset.from_pixels(photographs(4)[0], context=context).batches(
            preprocess={"width": 8, "height": 8})
    assert len(list(loader)) == 1 and model.predict(IMAGES).shape == (2, 1)
    assert "cnn_context_destroy" not in destroyed
    del context, loader
    gc.collect()
    model.close()
    assert destroyed[-2:] == ["cnn_model_destroy", "cnn_context_destroy"]


def test_a_cycle_is_collected_in_the_right_order(destroyed):
    for _ in range(20):
        context = cnn.Context(log=lambda level, text: held)
        model = cnn.Model(tiny_net(), context=context)
        held = [context, model, cnn.Optimizer(model)]
        held.append(held)
        del context, model, held
        gc.collect()
    order = [name for name in destroyed if name != "cnn_graph_destroy"]
    assert order == ["cnn_optimizer_destroy", "cnn_model_destroy", "cnn_context_destroy"] * 20


def test_what_is_closed_says_so():
    model, data = cnn.Model(tiny_net()), cnn.Dataset.from_pixels(photographs(2)[0])
    loader = data.batches(preprocess={"width": 8, "height": 8})
    pets = tiny_classifier(epochs=1).fit(*photographs(8))
    for thing, use in ((model, lambda: model.summary()), (data, lambda: len(data)), (loader, lambda: list(loader)),
                       (pets, lambda: pets.predict(photographs(1)[0])), (pets, lambda: pets.evaluate(*photographs(8)))):
        thing.close()
        thing.close()
        with pytest.raises(ValueError, match="closed"):
            use()


def test_what_cannot_be_copied_says_so():
    data = cnn.Dataset.from_pixels(photographs(2)[0])
    for thing in (data, data.batches(preprocess={"width": 8, "height": 8}), cnn.Optimizer(cnn.Model(tiny_net()))):
        for make in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="can't be copied or pickled: make another"):
                make(thing)
    tensor = cnn.Tensor(np.arange(6, dtype=np.float32).reshape(2, 3))
    again = pickle.loads(pickle.dumps(tensor))
    again.numpy()[0, 0] = 9
    assert again.shape == (2, 3) and tensor.numpy()[0, 0] == 0
    error = pickle.loads(pickle.dumps(pytest.raises(cnn.FileError, cnn.load_image, "nope.jpg").value))
    assert isinstance(error, FileNotFoundError) and str(error).startswith("nope.jpg: ")


def test_threads_predict_at_once_with_one_classifier(pets):
    sizes = [1, 2, 3, 7, 33] * 4
    expected = {size: pets.predict_proba(photographs(size, seed=size)[0]) for size in set(sizes)}
    with ThreadPoolExecutor(4) as pool:
        for size, found in zip(sizes, pool.map(lambda size: pets.predict_proba(photographs(size, seed=size)[0]), sizes)):
            assert (found == expected[size]).all()


def test_threads_train_at_once():
    X, y = photographs(16)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: tiny_classifier(epochs=2, seed=5).fit(X, y).predict_proba(X), range(3)))
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()


def _predict_in_child(connection, pets, X):
    connection.send(pets.predict_proba(X))
    connection.send(tiny_classifier(epochs=1, seed=3).fit(*photographs(8)).predict_proba(X))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_goes_on_with_what_its_parent_has(pets, method):
    X, _ = photographs(9)
    expected = [pets.predict_proba(X), tiny_classifier(epochs=1, seed=3).fit(*photographs(8)).predict_proba(X)]
    ours, theirs = multiprocessing.get_context(method).Pipe()
    child = multiprocessing.get_context(method).Process(target=_predict_in_child, args=(theirs, pets, X))
    child.start()
    try:
        for result in expected:
            assert ours.poll(20), "the child hangs"
            assert (ours.recv() == result).all()
        child.join(30)
        assert child.exitcode == 0
    finally:
        child.kill()


def test_the_interpreter_ends_quietly_whatever_is_left():
    """Views, a half-read loader, a thread in a call, a cycle: what is freed last is freed by nobody's order."""
    assert run_program("""
        import threading, numpy as np, cnn
        from conftest import photographs, tiny_classifier, tiny_net
        X, y = photographs(16)
        context = cnn.Context(threads=2, log=print)
        pets = tiny_classifier(epochs=1, context=context).fit(X, y)
        weights = pets.model_.parameters()["conv2d_1.weight"].value
        batches = iter(cnn.Dataset.from_pixels(X, context=context).batches(batch_size=2, preprocess={"width": 8, "height": 8}))
        next(batches)
        held = [context, pets]
        held.append(held)
        threading.Thread(target=lambda: [pets.predict(X) for _ in range(200)], daemon=True).start()
        array = np.from_dlpack(cnn.Tensor.zeros((2, 2)))
        print("done")
    """) == "done\n"
