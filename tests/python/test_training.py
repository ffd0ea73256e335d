"""Training with callbacks of one's own, evaluation by images, and calibration."""
import numpy as np
import pytest

import cnn
from conftest import photographs, tiny_net

SIZE = {"width": 16, "height": 16}


def data(count=24):
    X, y = photographs(count)
    return cnn.Dataset.from_pixels(X, y, ["Cat", "Dog"])


def squared_error(logits, targets):
    return np.mean((logits - targets) ** 2), 2 * (logits - targets) / logits.size


def test_a_loss_of_ones_own_is_minimised():
    model, photos = cnn.Model(tiny_net(), seed=1), data()
    history = cnn.train(model, photos, epochs=8, batch_size=8, loss_function=squared_error, keep_last=1)
    losses = [epoch.loss for epoch in history]
    assert losses[-1] < losses[0] / 2
    logits = np.concatenate([model.predict(images) for images, _, _ in photos.batches(preprocess=SIZE)])
    assert np.abs(logits[:, 0] - photos.labels).mean() < 0.4  # not a logit, but the label itself


def test_a_batch_can_be_looked_at_and_changed():
    seen, plain, changed = [], cnn.Model(tiny_net(), seed=1), cnn.Model(tiny_net(), seed=1)

    def blank(batch):
        seen.append(batch)
        batch.images[...] = 0

    cnn.train(plain, data(), epochs=1, batch_size=10, on_batch=lambda batch: None)
    cnn.train(changed, data(), epochs=1, batch_size=10, on_batch=blank)
    assert [batch.step for batch in seen] == [0, 1, 2] and {batch.epoch for batch in seen} == {1}
    assert [batch.images.shape for batch in seen] == [(10, 16, 16, 3), (10, 16, 16, 3), (4, 16, 16, 3)]
    assert sorted(np.concatenate([batch.indices for batch in seen])) == list(range(24))
    assert all((batch.targets[:, 0] == batch.labels).all() for batch in seen)
    weights = [model.parameters()["conv2d_1.weight"].value for model in (plain, changed)]
    assert not np.array_equal(*weights)


@pytest.mark.parametrize("hook", ["on_batch", "loss_function"])
def test_what_a_hook_raises_ends_the_training(hook):
    def fail(*_arguments):
        raise KeyError(hook)

    with pytest.raises(KeyError, match=hook):
        cnn.train(cnn.Model(tiny_net()), data(), epochs=2, **{hook: fail})


def test_a_true_value_stops_before_the_batch():
    model = cnn.Model(tiny_net(), seed=1)
    before = model.predict(np.ones((1, 16, 16, 3)))
    assert cnn.train(model, data(), epochs=2, on_batch=lambda batch: True) == []
    assert (model.predict(np.ones((1, 16, 16, 3))) == before).all()


def test_an_evaluation_tells_of_each_image():
    model, photos, seen = cnn.Model(tiny_net(), seed=1), data(), []
    metrics = cnn.evaluate(model, photos, on_image=seen.append)
    assert [result.image for result in seen] == list(range(24)) and [result.label for result in seen] == list(photos.labels)
    assert np.mean([result.loss for result in seen]) == pytest.approx(metrics.loss)
    again = cnn.Metrics.from_predictions([result.label for result in seen], [result.probabilities for result in seen],
                                         [result.predicted for result in seen])
    assert (again.confusion == metrics.confusion).all() and again.auc == metrics.auc
    assert again.loss == pytest.approx(metrics.loss, rel=1e-4)
    with pytest.raises(cnn.StoppedError):
        cnn.evaluate(model, photos, on_image=lambda result: True)
    with pytest.raises(KeyError):
        cnn.evaluate(model, photos, on_image=lambda result: {}["nothing"])


def test_metrics_refuse_what_fits_no_prediction():
    for labels, probabilities in (([0], [[0.5, 0.5], [1, 0]]), ([0, 2], [[0.5, 0.5], [1, 0]]), ([0], [[0.5, 0.9]])):
        with pytest.raises(cnn.Error):
            cnn.Metrics.from_predictions(labels, probabilities)


def test_the_temperature_is_that_of_the_data():
    model, photos = cnn.Model(tiny_net(), seed=1), data(60)
    cnn.train(model, photos, epochs=4, batch_size=8)
    temperature = cnn.calibrate(model, photos)
    losses = {value: cnn.evaluate(model, photos, temperature=value).loss for value in (temperature, 1.0)}
    assert temperature > 0 and losses[temperature] <= losses[1.0] + 1e-6


def test_schedules_have_factors():
    assert [round(cnn.schedule_factor({"kind": "step", "gamma": 0.5, "step_epochs": 2}, at / 6, 6), 3)
            for at in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    with pytest.raises(cnn.ArgumentError, match="warmup"):
        cnn.schedule_factor({"kind": "cosine", "warmup": 2}, 0.5, 10)
