"""What C can't hold, or makes no sense, is refused in a sentence: never cut to its lowest bits."""
import ctypes

import numpy as np
import pytest

import cnn
from cnn import _abi as cnn_abi
from cnn._structs import defaults, struct_of
from cnn._numbers import INTEGERS, REALS
from conftest import photographs, tiny_classifier, tiny_net

STRUCTS = [kind for name, kind in cnn_abi.TYPES.items()
           if getattr(kind, "_fields_", None) and kind._fields_[0][0] == "struct_size"]
FIELDS = [pytest.param(kind, name, field, id=f"{kind.__name__}.{name}") for kind in STRUCTS
          for name, field in kind._fields_[1:]]
WHOLE = [field for field in FIELDS if field.values[2] in INTEGERS and field.values[1] not in field.values[0].enums]
REAL = [field for field in FIELDS if field.values[2] in REALS]
ENUMS = [field for field in FIELDS if field.values[1] in field.values[0].enums]


@pytest.mark.parametrize("kind, name, field", WHOLE)
def test_a_whole_number_is_kept_or_refused(kind, name, field):
    bits, signed = 8 * ctypes.sizeof(field), field(-1).value < 0
    low, high = (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
    for value in (0, 3, high, True, np.int8(3), np.uint64(3), np.True_):
        assert getattr(struct_of(kind, {name: value}), name) == int(value)
    for value in (low - 1, high + 1, 2 ** 64 + 8, -(2 ** 70)):
        if value == -1 and name in ("threads", "workers"):
            continue
        with pytest.raises(ValueError, match=f"{name} is {value}; it must be from {low} to {high}"):
            struct_of(kind, {name: value})
    for value in (2.5, 2.0, float("nan"), float("inf"), "3", b"3", [3], np.float32(2), 2j):
        with pytest.raises(TypeError, match=f"{name} is .*; it must be a whole number"):
            struct_of(kind, {name: value})
    assert getattr(struct_of(kind, {name: None}), name) == getattr(defaults(kind), name)


@pytest.mark.parametrize("kind, name, field", REAL)
def test_a_real_number_is_kept_or_refused(kind, name, field):
    for value in (0.5, 3, True, np.float64(0.25), np.float16(0.5), np.int64(2)):
        assert getattr(struct_of(kind, {name: value}), name) == float(value)
    for value in ("0.5", [0.5], 1j, np.complex64(1)):
        with pytest.raises(TypeError, match=f"{name} is .*; it must be a number"):
            struct_of(kind, {name: value})
    if field is ctypes.c_float:
        for value in (1e39, -1e300):
            with pytest.raises(ValueError, match=f"{name} is .*; it is too large"):
                struct_of(kind, {name: value})
    with pytest.raises(ValueError, match=f"{name} is .*; it is too large"):
        struct_of(kind, {name: 10 ** 400})


@pytest.mark.parametrize("kind, name, field", ENUMS)
def test_an_enums_value_is_one_of_its_names(kind, name, field):
    for value in (-99, 99, 2 ** 32, 1.5, "nonsense", [0]):
        with pytest.raises(ValueError, match="is none of"):
            struct_of(kind, {name: value})


def test_an_array_has_as_many_numbers_as_its_field():
    assert struct_of(cnn_abi.cnn_preprocess, {"mean": 3}).mean[:] == [3, 3, 3]
    with pytest.raises(ValueError, match="mean has 2 numbers; it must have 3"):
        struct_of(cnn_abi.cnn_preprocess, {"mean": [1, 2]})
    with pytest.raises(TypeError, match="mean is 'x'"):
        struct_of(cnn_abi.cnn_preprocess, {"mean": [1, 2, "x"]})


def test_the_parameters_of_functions_are_checked_too():
    g = cnn.Graph()
    with pytest.raises(ValueError, match="cnn_input: height is -9223372036854775809; it must be from"):
        g.input(-2 ** 63 - 1, 8)
    with pytest.raises(TypeError, match="cnn_input: height is 8.5; it must be a whole number"):
        g.input(8.5, 8)
    with pytest.raises(ValueError, match="seed is -1; it must be from 0 to 18446744073709551615"):
        cnn.Model(tiny_net(), seed=-1)
    with pytest.raises(ValueError, match="width is 4294967304"):
        cnn.resize(photographs(1)[0][0], 2 ** 32 + 8, 8)


@pytest.mark.parametrize("parameters, saying", [
    ({"epochs": -1}, "epochs is -1; it must be from 0 to 4294967295"),
    ({"batch_size": 2 ** 32 + 8}, "batch_size is 4294967304; it must be from 0 to 4294967295"),
    ({"seed": -1}, "seed is -1"),
    ({"size": -1}, "size is -1"),
    ({"threshold": float("nan")}, "nan is not between 0 and 1"),
    ({"optimizer": {"learning_rate": float("nan")}}, "learning_rate is nan"),
    ({"options": {"mixup": float("inf")}}, "mixup is inf"),
    ({"options": {"precision": 7}}, "7 is none of float32, bfloat16"),
])
def test_a_classifier_refuses_what_it_cannot_do(parameters, saying):
    X, y = photographs(8)
    with pytest.raises(ValueError, match=saying):
        tiny_classifier(**parameters).fit(X, y)


def test_minus_one_thread_is_every_processor():
    assert cnn.Context(threads=-1).threads == cnn.Context().threads
    with pytest.raises(ValueError, match="threads is -2"):
        cnn.Context(threads=-2)


def test_what_is_raised_while_an_argument_is_read_is_raised():
    class Interrupted:
        def __index__(self):
            raise KeyboardInterrupt  # as Ctrl-C does anywhere

    with pytest.raises(KeyboardInterrupt):
        cnn.Graph().input(Interrupted(), 8)


def test_the_numbers_of_arrays_are_checked_too():
    g = cnn.Graph()
    x = g.input(8, 8)
    for wrong in (2 ** 32 + x, 1.5):
        with pytest.raises((ValueError, TypeError), match="cnn_concat: node is .*; it must be"):
            g.concat(x, wrong)
    for wrong in (2 ** 64 + 1, 1.5):
        with pytest.raises((ValueError, TypeError), match="a dimension is .*; it must be"):
            cnn.Tensor.zeros((wrong,))
    with pytest.raises(ValueError, match="normalize: deviation is 1e.39; it is too large"):
        g.normalize(x, [0, 0, 0], [1, 1, 1e39])
    both = g.concat(x, x)
    assert g.layers[both].shape == (8, 8, 6) and cnn.Tensor.zeros(()).shape == ()


def test_a_text_that_c_would_cut_is_refused(tmp_path):
    X, y = photographs(4)
    g, model, path = cnn.Graph(), cnn.Model(tiny_net()), str(tmp_path / "file")
    x = g.input(8, 8)
    for use in (lambda: model.save(path + "\0.safetensors"), lambda: model.set_metadata("key", "before\0after"),
                lambda: model.metadata("key\0"), lambda: g.name(x, "in\0put"), lambda: cnn.load_image(path + "\0.jpg"),
                lambda: cnn.Dataset.from_pixels(X, y, ["a\0b", "c"]), lambda: cnn.Model.load(path + "\0"),
                lambda: cnn.train(model, cnn.Dataset.from_pixels(X, y, ["a", "b"]), checkpoint=path + "\0")):
        with pytest.raises(ValueError, match="a text can't hold the character NUL"):
            use()
    assert list(tmp_path.iterdir()) == [] and model.metadata("key") is None


def test_what_is_no_option_is_refused_by_name():
    model = cnn.Model(cnn.Graph.net("two_conv", size=32))
    dataset = cnn.Dataset.from_pixels(np.zeros((4, 32, 32, 3), np.uint8), [0, 1, 0, 1], ["Cat", "Dog"])
    for wrong in ({"sizes": 3}, {"on_image": print}, {"progress": print}, {"struct_size": 8}):
        with pytest.raises(TypeError, match=f"has no field '{next(iter(wrong))}'; it has batch_size"):
            cnn.calibrate(model, dataset, **wrong)
