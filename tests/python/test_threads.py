"""One object in several threads, and in callbacks: what changes it runs alone, and the rest is told so."""
import os
import sys
import threading
import time

import numpy as np
import pytest

import cnn
from conftest import SAMPLE, photographs, tiny_classifier, tiny_net

PHOTO = next((SAMPLE / "test/cats").glob("*.jpg")).read_bytes()


def resizable():
    g = cnn.Graph()
    g.dense(g.global_avg_pool(g.relu(g.conv2d(g.input(16, 16), 8))), 1)
    return cnn.Classifier(g, epochs=1, batch_size=8)


class Gate:
    """Files of a dataset, of which the first waits until `go` is set: a call that reads them lasts so long."""

    def __init__(self, count, context=None):
        self.reached, self.go = threading.Event(), threading.Event()
        self.data = cnn.Dataset.from_source(self.read, count, [index % 2 for index in range(count)], ["0", "1"],
                                            context=context)

    def read(self, _index):
        self.reached.set()
        self.go.wait()
        return PHOTO


def while_running(gate, work, other):
    """Calls `other` while `work` runs in another thread; gives what `other` raised."""
    raised = []

    def run():
        try:
            work()
        except cnn.Error as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert gate.reached.wait(30)
        with pytest.raises(cnn.InUseError) as caught:
            other()
    finally:
        gate.go.set()
        thread.join()
    assert not raised
    return str(caught.value)


@pytest.mark.parametrize("other", ["verify()", "align_classes(['1', '0'])", "split(0.5)", "paths", "__len__()",
                                   "find_duplicates()", "read(0)", "batches(batch_size=2)"])
def test_a_dataset_that_is_verified_is_left_alone(other):
    gate = Gate(6)
    said = while_running(gate, gate.data.verify, lambda: eval("gate.data." + other, {"gate": gate}))
    assert "the dataset is in use" in said
    assert len(gate.data) == 6 and gate.data.verify() == []


@pytest.mark.parametrize("other", ["verify()", "align_classes(['1', '0'])"])
def test_a_dataset_that_is_read_is_not_changed(other):
    gate = Gate(6)
    while_running(gate, lambda: gate.data.decode(0), lambda: eval("gate.data." + other, {"gate": gate}))


def test_a_dataset_is_not_changed_by_its_own_reading():
    """Whichever thread of the library's calls `read`."""
    said = []

    def read(_index):
        for change in (lambda: data.verify(), lambda: data.align_classes(["b", "a"])):
            try:
                change()
            except cnn.InUseError as error:
                said.append(str(error))
        return PHOTO

    for threads in (1, 3):
        data = cnn.Dataset.from_source(read, 4, [0, 1, 0, 1], ["a", "b"], context=cnn.Context(threads=threads))
        assert data.verify() == [] and data.class_names == ["a", "b"]
        assert len(said) == 8
        said.clear()


def test_one_thread_at_a_time_trains_a_model_and_none_predicts_with_it_meanwhile():
    gate, model = Gate(4), cnn.Model(tiny_net())
    options = {"epochs": 1, "batch_size": 2, "preprocess": {"width": 16, "height": 16}}
    images = np.zeros((2, 16, 16, 3), np.float32)
    optimizer = cnn.Optimizer(model)
    for other in (lambda: cnn.train(model, gate.data, **options), lambda: model.predict(images),
                  lambda: model.forward(images), lambda: model.resize(20, 20), lambda: optimizer.step(0.1)):
        gate = Gate(4)
        while_running(gate, lambda: cnn.train(model, gate.data, **options), other)  # noqa: B023
    assert model.predict(images).shape[0] == 2


def test_what_predicts_is_not_resized():
    X, y = photographs(16)
    pets, gate = resizable().fit(X, y), Gate(4)
    said = while_running(gate, lambda: pets.evaluate(gate.data), lambda: pets.resize(20, 20))
    assert "the classifier is in use" in said
    pets.resize(20, 20)
    assert pets.predict(X).shape == (16,)


def test_threads_that_predict_and_resize_raise_at_most_this():
    X, y = photographs(16)
    pets, wrong, done = resizable().fit(X, y), [], threading.Event()

    def use(work):
        while not done.is_set():
            try:
                work()
            except cnn.InUseError:
                pass
            except Exception as error:
                wrong.append(error)

    sizes = iter(range(10**9))
    threads = [threading.Thread(target=use, args=[work]) for work in (
        lambda: pets.predict_proba(X), lambda: pets.predict(X), lambda: pets.resize(16 + next(sizes) % 9, 20))]
    for thread in threads:
        thread.start()
    time.sleep(1)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_loader_gives_each_batch_to_one_thread_or_says_so():
    X, y = photographs(24)
    loader = cnn.Dataset.from_pixels(X, y, ["a", "b"]).batches(batch_size=2, preprocess={"width": 8, "height": 8})
    wrong, ends = [], []

    def iterate():
        for _ in range(30):
            try:
                for images, _labels, _indices in loader:
                    if images.shape != (2, 8, 8, 3):
                        wrong.append(images.shape)
            except RuntimeError:
                pass
        ends.append(1)

    threads = [threading.Thread(target=iterate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (wrong, len(ends), len(list(loader))) == ([], 3, 12)


def test_a_callback_looks_at_what_is_trained():
    X, y = photographs(16)
    model, seen = cnn.Model(tiny_net()), []

    def on_epoch(_epoch):
        seen.append(model.predict(np.zeros((2, 16, 16, 3), np.float32)).shape)
        with pytest.raises(cnn.InUseError):
            model.resize(20, 20)

    cnn.train(model, cnn.Dataset.from_pixels(X, y, ["a", "b"]), epochs=2, batch_size=8, on_epoch=on_epoch)
    assert len(seen) == 2


def test_the_calls_of_other_threads_end_with_a_fork():
    gate = Gate(4)
    thread = threading.Thread(target=gate.data.verify)
    thread.start()
    assert gate.reached.wait(30)
    child = os.fork()
    if child == 0:
        gate.go.set()
        os._exit(0 if gate.data.verify() == [] else 1)
    gate.go.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("call", ["predict", "predict_proba", "predict_files"])
def test_a_prediction_of_many_is_cancelled_by_its_context(call):
    context = cnn.Context(threads=1)
    X, y = photographs(16)
    pets, begun = tiny_classifier(epochs=1, context=context).fit(X, y), threading.Event()
    photo = str(next((SAMPLE / "test/cats").glob("*.jpg")))
    many = [photo] * 60000 if call == "predict_files" else np.zeros((200000, 16, 16, 3), np.uint8)

    def cancel():
        begun.wait()
        while not done:
            context.cancel()
            time.sleep(0.05)

    done = []
    thread = threading.Thread(target=cancel)
    thread.start()
    begun.set()
    try:
        with pytest.raises(cnn.StoppedError):
            getattr(pets, call)(many)
    finally:
        done.append(1)
        thread.join()
    assert len(getattr(pets, call)(many[:3])) == 3


def test_minus_zero_is_zero_as_a_label():
    X, y = photographs(40)
    labels = np.array([0.0, -0.0, 1.0, 1.0] * 10)
    pets = tiny_classifier(epochs=1).fit(X, labels)
    assert pets.score(X, labels) >= 0 and pets.evaluate(X, np.abs(labels)).accuracy >= 0


def test_many_threads_that_only_look_meet_nobody():
    data, wrong = cnn.Dataset(SAMPLE / "test"), []

    def look():
        try:
            for _ in range(4000):
                assert len(data) == 100 and data.class_names == ["cats", "dogs"]
        except Exception as error:
            wrong.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
