import copy

import numpy as np
import pytest

import cnn
from conftest import photographs, tiny_net


def test_a_graph_is_built_by_methods():
    g = cnn.Graph()
    x = g.input(32, 48, 3)
    y = g.conv2d(x, 8, kernel=(3, 5), stride=2, padding="same", no_bias=True, weight_init="glorot_uniform")
    y = g.name(g.relu(g.batch_norm(y, momentum=0.8)), "trunk")
    z = g.concat(g.max_pool2d(y), g.avg_pool2d(y, kernel=2))
    z = g.add(z, g.leaky_relu(z, 0.1))
    z = g.hard_sigmoid(g.hard_swish(g.silu(g.gelu(g.gelu(z), "tanh"))))
    z = g.clip(g.softplus(g.selu(g.elu(z))), max=2)
    g.dense(g.dropout(g.global_avg_pool(z), 0.25), 3)
    assert g.layers[1] == ("conv2d_1", "conv2d", (16, 24, 8))
    assert g.layers[-1].shape == (3,)
    again = cnn.Graph.from_json(g.to_json())
    assert again.layers == g.layers == copy.deepcopy(g).layers
    assert g.truncate("trunk").layers[-1].name == "trunk"


def test_a_layer_that_does_not_fit_is_named():
    g = cnn.Graph()
    x = g.input(8, 8, 3)
    with pytest.raises(cnn.ShapeError, match="dense"):
        g.dense(x, 1)
    with pytest.raises(cnn.ShapeError):
        cnn.Model(g)
    with pytest.raises(cnn.ArgumentError, match="valid, same, explicit"):
        cnn.Graph().conv2d(0, 4, padding="sam")
    fresh = cnn.Graph()
    with pytest.raises(cnn.ShapeError, match="each of its input's channels"):
        fresh.normalize(fresh.input(8, 8, 3), [0.5], [0.5])


def test_a_model_predicts_what_numpy_computes():
    g = cnn.Graph()
    g.dense(g.flatten(g.rescale(g.input(2, 3, 1), 2, 1)), 4)
    model = cnn.Model(g, seed=3)
    assert model.input_shape == (2, 3, 1) and model.output_shape == (4,)
    parameters = model.parameters()
    weight, bias = (parameters[name] for name in ("dense_1.weight", "dense_1.bias"))
    bias.value[:] = [1, 2, 3, 4]
    model.changed()
    images = np.random.default_rng(0).normal(size=(5, 2, 3, 1)).astype(np.float32)
    expected = (images.reshape(5, 6) * 2 + 1) @ weight.value + bias.value
    np.testing.assert_allclose(model.predict(images), expected, rtol=1e-5, atol=1e-5)
    assert weight.trainable and weight.decay and not bias.decay and weight.gradient is None
    assert model.weight_count == 28 and model.flops > 0 and "dense_1" in model.summary()


def test_views_of_weights_outlive_the_model():
    model = cnn.Model(tiny_net(), seed=1)
    value = model.parameters()["conv2d_1.weight"].value
    kept = value.copy()
    model.close()
    with pytest.raises(ValueError, match="Model is closed"):
        model.predict(np.zeros((1, 16, 16, 3), np.float32))
    assert (value == kept).all()


def test_training_by_hand_learns():
    X, y = photographs(16, size=(16, 16))
    images = X.astype(np.float32) / 127.5 - 1
    targets = y[:, None].astype(np.float32)
    model = cnn.Model(tiny_net(), seed=1)
    optimizer = cnn.Optimizer(model, "sgd", momentum=0.9)
    losses = []
    for step in range(20):
        logits = model.forward(images, seed=1, step=step)
        value, gradient = cnn.loss(logits, targets)
        losses.append(value)
        model.backward(gradient)
        optimizer.step(0.02)
    assert losses[-1] < 0.2 < losses[0]
    assert model.parameters()["conv2d_1.weight"].gradient.shape == (3, 3, 3, 8)
    assert cnn.loss(np.zeros((2, 1)), np.ones((2, 1)))[0] == pytest.approx(np.log(2))


def test_a_saved_model_is_the_same(tmp_path):
    model = cnn.Model(tiny_net(), seed=1)
    model.set_metadata("author", "Émile")
    model.save(tmp_path / "model.safetensors")
    again = cnn.Model.load(tmp_path / "model.safetensors")
    images = np.ones((2, 16, 16, 3), np.float32)
    assert (again.predict(images) == model.predict(images)).all()
    assert again.metadata("author") == "Émile" and again.metadata("none") is None
    model.save(tmp_path / "half.safetensors", weights="bfloat16")
    assert (tmp_path / "half.safetensors").stat().st_size < (tmp_path / "model.safetensors").stat().st_size
    other = cnn.Model(cnn.Graph.from_json(model.to_json()), seed=2)
    assert other.copy_weights(model) == 4 and (other.predict(images) == model.predict(images)).all()


def test_a_model_goes_to_onnx_and_back(tmp_path):
    model, images = cnn.Model(tiny_net(), seed=1), np.ones((2, 16, 16, 3), np.float32)
    try:
        model.save_onnx(tmp_path / "model.onnx")
    except cnn.UnsupportedError as error:
        pytest.skip(str(error))
    again = cnn.Model.load_onnx(tmp_path / "model.onnx", height=16, width=16)
    np.testing.assert_allclose(again.predict(images), model.predict(images), rtol=1e-5)


def test_three_classes_are_trained_and_measured():
    X, _ = photographs(24, size=(16, 16))
    y = np.arange(24) % 3
    X[y == 2] = 0
    g = cnn.Graph()
    g.dense(g.global_avg_pool(g.relu(g.conv2d(g.input(16, 16), 8))), 3)
    model, data = cnn.Model(g), cnn.Dataset.from_pixels(X, y, ["a", "b", "c"])
    seen = []
    history = cnn.train(model, data, epochs=2, batch_size=8, schedule="cosine", augment={"flip_horizontal": 1},
                        on_step=lambda progress: seen.append((progress.epoch, progress.step)))
    assert len(history) == 2 and history[0].images == 24 and np.isnan(history[0].validation_loss)
    assert seen == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    metrics = cnn.evaluate(model, data)
    assert metrics.confusion.shape == (3, 3) and metrics.confusion.sum() == 24 == metrics.images
    assert metrics.accuracy == pytest.approx(np.trace(metrics.confusion) / 24)
    with pytest.raises(cnn.DataError):
        cnn.train(cnn.Model(tiny_net()), data, epochs=1)
