"""What a user of the package might write. mypy checks it as strictly as it can; it is run where the wheel is installed."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import cnn

if TYPE_CHECKING:
    from numpy.typing import NDArray


def photographs(count: int) -> tuple[NDArray[np.uint8], list[str]]:
    random = np.random.default_rng(1)
    labels = ["Cat" if number % 2 else "Dog" for number in range(count)]
    colours = np.array([[190, 60, 60] if label == "Cat" else [60, 60, 190] for label in labels])
    noise = random.integers(-50, 50, (count, 20, 24, 3))
    return (colours[:, None, None] + noise).astype(np.uint8), labels


def small_net(units: int) -> cnn.Graph:
    g = cnn.Graph()
    x = g.max_pool2d(g.relu(g.conv2d(g.input(16, 16, 3), 8, kernel=3, padding="same")))
    g.dense(g.flatten(x), units, no_bias=False)
    return g


def after(epoch: cnn.Epoch) -> bool:
    accuracy: float = epoch.validation_accuracy
    return accuracy > 0.99 and epoch.epoch > 2


def use_a_classifier() -> None:
    X, y = photographs(40)
    options: cnn.TrainOptions = {"mixup": 0.1, "precision": "float32", "optimizer": {"kind": "adamw", "weight_decay": 0.01}}
    pets = cnn.Classifier(small_net(1), epochs=8, batch_size=8, augment="flip", options=options)
    pets.fit(X, y, on_epoch=after)
    labels: list[str] = pets.predict(X[:3]).tolist()
    print(labels, pets.score(X, y), pets.evaluate(X, y).confusion.sum(), [one.loss for one in pets.history_][-1])
    pets.save(Path("pets.safetensors"))
    for prediction in cnn.Classifier.load("pets.safetensors").predict_files(["missing.jpg"]):
        error: cnn.Error | None = prediction.error
        print(error)
    look_inside(pets, X)


def look_inside(pets: cnn.Classifier, X: NDArray[np.uint8]) -> None:
    heat: NDArray[np.float32] = pets.explain(X[0], "Cat").heat_map
    again: cnn.Classifier = cnn.Classifier.from_bytes(pets.to_bytes())
    small: cnn.Model = again.quantize(X, images=20).model_
    layers: dict[str, NDArray[np.float32]] = pets.model_.predict_layers(np.zeros((1, 16, 16, 3)), ["dense_1"])
    print(heat.shape, small.is_quantized, layers["dense_1"].shape, pets.preprocess_["width"])
    with cnn.limit_threads(1):
        print(cnn.Context.default().memory_in_use > 0, cnn.features()[:2], pets.model_.prediction_memory(32) > 0)


def squared_error(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    return float(np.mean((logits - targets) ** 2)), (2 * (logits - targets) / len(logits)).astype(np.float32)


def train_by_hand() -> None:
    X, y = photographs(16)
    with cnn.Context(threads=2) as context, cnn.Model(small_net(1), seed=1, context=context) as model:
        data = cnn.Dataset.from_pixels(X, [int(label == "Dog") for label in y], ["Cat", "Dog"])
        optimizer = cnn.Optimizer(model, "sgd", momentum=0.9)
        for images, labels, _indices in data.batches(batch_size=4, preprocess={"width": 16, "height": 16}):
            _value, gradient = cnn.loss(model.forward(images), labels[:, None])
            model.backward(gradient)
            optimizer.step(0.01)
        history: list[cnn.Epoch] = cnn.train(model, data, epochs=1, schedule={"kind": "cosine", "warmup": 0.1})
        weights: NDArray[np.float32] = model.parameters()["conv2d_1.weight"].value
        print(len(history), weights.shape, cnn.Tensor(weights.copy()).shape)
        cnn.train(model, data, epochs=1, loss_function=squared_error, on_batch=lambda batch: batch.step > 1)
        print(cnn.calibrate(model, data), cnn.evaluate(model, data, on_image=lambda result: result.loss < 0).images)


if __name__ == "__main__":
    use_a_classifier()
    train_by_hand()
    print("libcnn", cnn.__version__, cnn.__file__)
    print([line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libcnn.so" in line][0])
