"""Objects that are closed, collected, copied, pickled, inherited by a fork or shared by threads, in any order."""
import copy
import gc
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cnn
from cnn._objects import Owner
from conftest import ROOT, SAMPLE, photographs, tiny_classifier, tiny_net

IMAGES = np.ones((2, 16, 16, 3), np.float32)


def run_program(text, **more):
    """A Python program with cnn and a trained classifier; gives what it printed. Nothing may be on standard error."""
    start = f"import sys; sys.path[:0] = [{str(ROOT / 'python')!r}, {str(ROOT / 'tests/python')!r}]\n"
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_reads_files_though_another_thread_was_reading_at_the_fork():
    files = cnn.Dataset.from_source(lambda _index: b"text", 1, [0], ["Cat"])
    with cnn.datasets._Files._lock:
        child = os.fork()
        if not child:
            signal.alarm(10)
            os._exit(files.read(0) != b"text")
    assert os.waitpid(child, 0)[1] == 0


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


def test_what_a_callback_closes_lives_until_the_call_returns(destroyed):
    X, y = photographs(16)
    context = cnn.Context(threads=2)
    data, model = cnn.Dataset.from_pixels(X, y, ["a", "b"], context=context), cnn.Model(tiny_net(), context=context)
    seen = []

    def close_all(_progress):
        for thing in (model, data, context):
            thing.close()
        seen.append([name for name in destroyed if name in ("cnn_model_destroy", "cnn_dataset_destroy")])

    assert len(cnn.train(model, data, epochs=2, batch_size=8, on_step=close_all)) == 2
    assert seen == [[]] * 4 and {"cnn_model_destroy", "cnn_dataset_destroy", "cnn_context_destroy"} <= set(destroyed)
    with pytest.raises(ValueError, match="Model is closed"):
        model.summary()


def test_a_log_function_may_close_what_logs(tmp_path):
    for kind in ("cats", "dogs"):
        (tmp_path / kind).mkdir()
        for path in sorted((SAMPLE / f"test/{kind}").glob("*.jpg"))[:4]:
            shutil.copy(path, tmp_path / kind)
    (tmp_path / "cats" / "bad.jpg").write_bytes(b"no image")
    said = []
    context = cnn.Context(threads=2, log=lambda _level, text: (said.append(text), pets.close(), data.close()))
    pets, data = tiny_classifier(epochs=1, context=context), cnn.Dataset(tmp_path, context=context)
    pets.fit(data)
    assert "bad.jpg: is left out" in "".join(said) and len(pets.history_) == 1
    with pytest.raises(ValueError, match="closed"):
        pets.model_


def test_a_classifier_is_closed_or_fitted_again_by_its_own_training():
    X, y = photographs(16)
    pets = tiny_classifier(epochs=2)
    pets.fit(X, y, on_step=lambda _: pets.close())
    with pytest.raises(ValueError, match="closed"):
        pets.predict(X)
    pets.fit(X, y, on_epoch=lambda epoch: pets.fit(X, 5 + y) and None if epoch.epoch == 1 else None)
    assert pets.predict(X).shape == (16,)


def test_a_classifier_is_fitted_again_while_threads_use_it():
    """In a process of its own, which a call that uses freed memory would end."""
    assert run_program("""
        import threading, cnn
        from conftest import SAMPLE, photographs, tiny_classifier
        X, y = photographs(200)
        pets, files, done = tiny_classifier(epochs=1).fit(X[:8], y[:8]), [next(SAMPLE.glob("test/*/*.jpg"))] * 50, []

        def use(work):
            while not done:
                try:
                    work()
                except cnn.ArgumentError as error:  # in the time of its training
                    assert "has not been trained" in str(error)

        threads = [threading.Thread(target=use, args=[work]) for work in (
            lambda: pets.predict_files(files), lambda: pets.evaluate(X, y), lambda: pets.predict(X),
            lambda: pets.model_.parameters())]
        for thread in threads:
            thread.start()
        for _ in range(20):
            pets.fit(X[:8], y[:8])
        done.append(True)
        for thread in threads:
            thread.join()
        print("done")
    """) == "done\n"
