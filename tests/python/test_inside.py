"""What is inside a model: layers, heat maps, times, memory; and models as bytes, and in 8-bit integers."""
import errno
import io
import os

import numpy as np
import pytest

import cnn
from conftest import SAMPLE, photographs, tiny_net

IMAGES = np.random.default_rng(0).normal(size=(6, 16, 16, 3)).astype(np.float32)


def test_a_model_goes_through_memory():
    model = cnn.Model(tiny_net(), seed=1)
    data = model.to_bytes()
    assert (cnn.Model.from_bytes(data).predict(IMAGES) == model.predict(IMAGES)).all()
    assert len(model.to_bytes(weights="bfloat16")) < len(data)
    with pytest.raises(cnn.FormatError):
        cnn.Model.from_bytes(data[:-1])
    with pytest.raises(cnn.FormatError):
        cnn.Model.from_bytes(b"")


def test_a_model_in_memory_is_the_file(tmp_path):
    model = cnn.Model(tiny_net(), seed=1)
    model.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == model.to_bytes()


class Slow(io.RawIOBase):
    """A file that takes and gives few bytes at a time, behind others that it holds."""

    def __init__(self):
        self.inner = io.BytesIO(b"before")
        self.inner.seek(6)

    def write(self, data):
        return self.inner.write(bytes(data[:1000]))

    def read(self, size=-1):
        return self.inner.read(min(size, 1000))

    def seek(self, *place):
        return self.inner.seek(*place)

    def tell(self):
        return self.inner.tell()


def test_models_and_classifiers_go_through_open_files(pets):
    for thing in (cnn.Model(tiny_net(), seed=1), pets):
        file = Slow()
        thing.save(file)
        assert file.inner.getvalue() == b"before" + thing.to_bytes()
        file.seek(6)
        again = type(thing).load(file)
        assert again.to_bytes() == thing.to_bytes()


def test_what_an_open_file_raises_is_raised(pets):
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space left"):
        pets.save(Full())
    with pytest.raises(io.UnsupportedOperation):
        cnn.Classifier.load(Full())
    with pytest.raises(cnn.FormatError):
        cnn.Model.load(io.BytesIO(b"no model"))


class Odd(io.BytesIO):
    """A file whose answers are changed by the functions given."""

    def __init__(self, data=b"", *, read=lambda data: data, write=lambda taken: taken, end=lambda place: place):
        super().__init__(data)
        self.answers = read, write, end

    def read(self, size=-1):
        return self.answers[0](super().read(size))

    def write(self, data):
        return self.answers[1](super().write(data))

    def seek(self, place, whence=os.SEEK_SET):
        return self.answers[2](super().seek(place, whence))


def test_a_file_that_gives_too_much_or_something_else_is_refused():
    data = cnn.Model(tiny_net(), seed=1).to_bytes()
    assert cnn.Model.load(Odd(data, read=bytearray)).to_bytes() == data
    assert cnn.Model.load(Odd(data, read=memoryview)).to_bytes() == data
    for read, error, text in ((lambda _: data + bytes(1 << 20), OSError, "gave"), (lambda _: None, OSError, "no bytes yet"),
                              (lambda data: data.decode("latin-1"), TypeError, "mode 'rb'"), (lambda _: b"", cnn.FileError, "ends")):
        with pytest.raises(error, match=text):
            cnn.Model.load(Odd(data, read=read))
    for end, error in ((lambda place: 1 << 70, OSError), (lambda place: (1 << 63) - 1, cnn.LimitError)):
        with pytest.raises(error):
            cnn.Model.load(Odd(data, end=end))
    behind = io.BytesIO(data)
    behind.seek(len(data) + 9)
    with pytest.raises(cnn.FormatError, match="empty"):
        cnn.Model.load(behind)


def test_a_file_that_tells_nothing_of_what_it_took_took_all():
    model = cnn.Model(tiny_net(), seed=1)
    file = Odd(write=lambda _: None)
    model.save(file)
    assert file.getvalue() == model.to_bytes()
    for taken in (0, -1, 1 << 40):
        with pytest.raises(OSError, match=f"took {taken} of"):
            model.save(Odd(write=lambda _, taken=taken: taken))


def test_weights_in_8_bits_are_read_only():
    model = cnn.Model(tiny_net(), seed=1)
    values = {name: parameter.value for name, parameter in model.quantize(IMAGES).parameters().items()}
    assert {value.dtype.name for value in values.values()} == {"int8", "float32"}
    with pytest.raises(ValueError, match="read-only"):
        next(value for value in values.values() if value.dtype == np.int8)[...] = 0


def test_layers_give_their_outputs():
    model = cnn.Model(tiny_net(), seed=1)
    values = model.predict_layers(IMAGES, ["max_pool2d_1", "dense_1"])
    assert values["max_pool2d_1"].shape == (6, 7, 7, 8)
    np.testing.assert_allclose(values["dense_1"], model.predict(IMAGES), rtol=1e-5, atol=1e-5)
    kept = values["dense_1"].copy()
    model.close()
    assert (values["dense_1"] == kept).all()
    with pytest.raises(cnn.ArgumentError, match="no layer"):
        cnn.Model(tiny_net()).predict_layers(IMAGES, ["dense_2"])
    with pytest.raises(TypeError, match="a list of names"):
        cnn.Model(tiny_net()).predict_layers(IMAGES, "dense_1")
    assert cnn.Model(tiny_net()).predict_layers(IMAGES[:0], ["dense_1"])["dense_1"].shape == (0, 1)


def test_a_heat_map_is_of_one_image_and_class():
    model = cnn.Model(tiny_net(), seed=1)
    maps = [model.heat_map(IMAGES[0], index) for index in (0, 1)]
    assert maps[0].ndim == 2 and maps[0].shape == maps[1].shape and not (maps[0] == maps[1]).all()
    assert all(0 <= heat.min() and heat.max() <= 1 for heat in maps)
    assert (model.heat_map(IMAGES[:1], 0) == maps[0]).all()
    with pytest.raises(cnn.ArgumentError, match="class 2"):
        model.heat_map(IMAGES[0], 2)


def test_a_quantised_model_is_close_and_small():
    model = cnn.Model(tiny_net(), seed=1)
    small = model.quantize(IMAGES)
    assert small.is_quantized and not model.is_quantized and small.trainable_weight_count == 0
    expected = model.predict(IMAGES)
    model.close()
    assert np.abs(small.predict(IMAGES) - expected).max() < 0.05 * max(1, np.abs(expected).max())
    again = cnn.Model.from_bytes(small.to_bytes())
    assert again.is_quantized and (again.predict(IMAGES) == small.predict(IMAGES)).all()


def test_memory_times_and_the_program_are_told():
    model = cnn.Model(tiny_net(), seed=1)
    assert 4 * model.weight_count < model.prediction_memory() <= model.prediction_memory(1000)
    times = model.time_layers(IMAGES)
    assert list(times) == [layer.name for layer in model.graph().layers] and sum(times.values()) > 0
    assert "fused_conv2d" in model.program() and " ms" in model.program(IMAGES)
    assert model.program(dot=True).startswith("digraph")
    assert model.trainable_weight_count == model.weight_count


def test_training_steps_can_be_in_bfloat16():
    outputs = []
    for precision in ("float32", "bfloat16"):
        model = cnn.Model(tiny_net(), seed=1)
        model.set_precision(precision)
        outputs.append(model.forward(IMAGES).copy())
    assert not (outputs[0] == outputs[1]).all()
    np.testing.assert_allclose(*outputs, rtol=0.1, atol=0.1)


def test_a_graph_of_a_model_is_a_copy():
    model = cnn.Model(tiny_net(), seed=1)
    graph = model.graph()
    graph.relu(0)
    assert len(graph.layers) == len(model.graph().layers) + 1


def test_a_classifier_explains_files_bytes_and_pixels(pets):
    path = next((SAMPLE / "test/cats").glob("*.jpg"))
    prediction, heat = pets.explain(path)
    assert prediction == pets.predict_files([path])[0] == pets.explain(path.read_bytes()).prediction
    assert heat.ndim == 2 and (pets.explain(path.read_bytes()).heat_map == heat).all()
    assert (pets.explain(path, prediction.label).heat_map == heat).all()
    other = ({"Cat", "Dog"} - {prediction.label}).pop()
    assert not (pets.explain(cnn.load_image(path), other).heat_map == heat).all()
    with pytest.raises(cnn.DataError, match="Bird.*Cat, Dog"):
        pets.explain(path, "Bird")
    with pytest.raises(FileNotFoundError):
        pets.explain("missing.jpg")
    with pytest.raises(cnn.FormatError):
        pets.explain(b"no image")


def test_the_bytes_of_files_are_predicted_as_the_files_are(pets):
    paths = sorted((SAMPLE / "test/cats").glob("*.jpg"))[:3]
    found = pets.predict_bytes([path.read_bytes() for path in paths] + [b"no image", b"\0"])
    assert found[:3] == pets.predict_files(paths)
    assert isinstance(found[3].error, cnn.FormatError) and found[4].label is None
    assert pets.predict_bytes([]) == []
    with pytest.raises(TypeError, match="list"):
        pets.predict_bytes(b"one file")


def test_a_classifier_goes_through_memory(pets):
    X, _ = photographs(6)
    again = cnn.Classifier.from_bytes(pets.to_bytes())
    assert again.classes_.tolist() == ["Cat", "Dog"] and (again.predict_proba(X) == pets.predict_proba(X)).all()
    assert again.temperature_ == pets.temperature_ > 0
    assert again.preprocess_ == pets.preprocess_ and pets.preprocess_["fit"] == "stretch"
    assert pets.preprocess_["mean"] == [127.5] * 3 and pets.preprocess_["width"] == 16
    with pytest.raises(cnn.FormatError, match="no trained classifier"):
        cnn.Classifier.from_bytes(cnn.Model(tiny_net()).to_bytes())


def test_settings_hold_at_once_and_are_stored(pets):
    X, _ = photographs(6)
    mine = cnn.Classifier.from_bytes(pets.to_bytes())
    mine.set_threshold(1.0)
    mine.set_flip(True)
    assert set(mine.predict(X)) == {"Cat"} and mine.get_params()["threshold"] == 1
    again = cnn.Classifier.from_bytes(mine.to_bytes())
    assert (again.threshold, again.flip) == (1.0, True)
    with pytest.raises(cnn.ArgumentError, match="between 0 and 1"):
        mine.set_threshold(2)
    assert mine.threshold == 1


def test_a_quantised_classifier_is_a_classifier(pets):
    X, y = photographs(20)
    small = pets.quantize(X, images=10, seed=3)
    assert small.model_.is_quantized and small.classes_.tolist() == ["Cat", "Dog"]
    assert small.score(X, np.array(["Cat", "Dog"])[y]) > 0.9
    assert (cnn.Classifier.from_bytes(small.to_bytes()).predict_proba(X) == small.predict_proba(X)).all()
    with pytest.raises(cnn.ArgumentError, match="quantised"):
        small.quantize(X)
