"""Contexts: limits, memory, messages, and stopping what other threads do."""
import threading
import warnings

import numpy as np
import pytest

import cnn
from cnn._library import library
from conftest import SAMPLE, photographs, tiny_classifier, tiny_net


def test_memory_is_counted_and_limited():
    with cnn.Context(threads=1) as context:
        assert context.memory_in_use == 0
        model = cnn.Model(tiny_net(), context=context)
        used = context.memory_in_use
        assert 4 * model.weight_count < used <= context.memory_peak
        model.close()
        assert context.memory_in_use == 0 and context.memory_peak >= used
    with pytest.raises(cnn.OutOfMemoryError, match="memory_limit"):
        cnn.Model(cnn.Graph.net("vgg16"), context=cnn.Context(memory_limit=1 << 20))


def test_the_limits_of_an_image_are_options():
    with pytest.raises(cnn.LimitError):
        cnn.Model(tiny_net(), context=cnn.Context(image_memory_limit=100))
    with pytest.raises(cnn.LimitError):
        cnn.Model(tiny_net(), context=cnn.Context(image_operation_limit=100))
    with pytest.raises(cnn.LimitError, match="max_pixels"):
        cnn.Dataset(SAMPLE, context=cnn.Context(max_pixels=100))[0]


def test_the_default_context_can_be_looked_at_and_closed_without_harm():
    default = cnn.Context.default()
    model = cnn.Model(tiny_net())
    assert default.threads >= 1 and default.memory_in_use > 0
    default.close()
    with pytest.raises(ValueError, match="Context is closed"):
        default.threads
    assert model.predict(np.zeros((1, 16, 16, 3))).shape == (1, 1)


@pytest.mark.parametrize("make", [lambda: cnn.Context(threads=1), cnn.Context.default])
def test_messages_go_where_they_are_sent(make, tmp_path):
    context, told = make(), []
    for label in ("Cat", "Dog"):
        (tmp_path / label).mkdir()
        for number in range(2):
            (tmp_path / label / f"{number}.jpg").write_bytes(b"no photograph")
    X, y = photographs(8)
    pets = tiny_classifier(epochs=1, context=context).fit(X, y)
    context.set_log(lambda level, text: told.append((level, text)))
    with pytest.raises(cnn.DataError), warnings.catch_warnings():
        pets.quantize(cnn.Dataset(tmp_path, context=context))
    context.set_log(None)
    assert {level for level, _ in told} == {"warning"} and "0.jpg: is left out" in told[0][1]


def test_a_training_is_cancelled_from_another_thread_and_keeps_what_it_learned():
    context = cnn.Context(threads=1)
    X, y = photographs(40)
    pets = tiny_classifier(epochs=100000, context=context)
    begun = threading.Event()
    stopper = threading.Thread(target=lambda: (begun.wait(), context.cancel()))
    stopper.start()
    with pytest.raises(cnn.StoppedError):
        pets.fit(X, y, on_epoch=lambda epoch: begun.set())
    stopper.join()
    assert 1 <= len(pets.history_) < 100000 and pets.predict(X).shape == (40,)
    assert tiny_classifier(epochs=1, context=context).fit(X, y).history_  # what begins later is not affected


def test_threads_are_limited_within_a_with_and_change_no_bit():
    images = np.random.default_rng(0).normal(size=(64, 16, 16, 3)).astype(np.float32)
    model = cnn.Model(tiny_net(), context=cnn.Context(threads=4))
    expected = model.predict(images)
    with pytest.raises(KeyError), cnn.limit_threads(1):
        assert library.cnn_limit_threads(1) == 1
        assert (model.predict(images) == expected).all()
        raise KeyError
    assert library.cnn_limit_threads(0) == 0
