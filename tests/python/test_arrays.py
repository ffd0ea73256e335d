"""Tensors, images and lifetimes."""
import errno
import gc
import weakref

import numpy as np
import pytest

import cnn
from cnn import _abi as cnn_abi
from conftest import SAMPLE, photographs


def address(array):
    return array.__array_interface__["data"][0]


def test_a_tensor_of_an_array_shares_its_memory():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = cnn.Tensor(array)
    tensor.numpy()[1, 2] = 9
    assert array[1, 2] == 9 and tensor.shape == (2, 3) and tensor.dtype == np.float32


def test_a_view_keeps_its_tensor_alive():
    with cnn.Tensor.zeros((3, 4), np.int64) as tensor:
        view = tensor.numpy()
        owner = weakref.ref(tensor._owner)
    with pytest.raises(ValueError, match="closed"):
        tensor.numpy()
    del tensor
    gc.collect()
    view += 7
    assert owner() is not None and view.sum() == 84
    del view
    gc.collect()
    assert owner() is None


def test_numpy_takes_a_tensor_by_dlpack_and_keeps_it():
    tensor = cnn.Tensor.zeros((2, 3))
    tensor.numpy()[:] = 5
    array = np.from_dlpack(tensor)
    assert address(array) == address(tensor.numpy())
    tensor.close()
    del tensor
    gc.collect()
    assert (array == 5).all()


def test_a_capsule_that_nobody_takes_frees_what_it_holds():
    array = np.zeros(4, np.float32)
    alive = weakref.ref(array)
    tensor = cnn.Tensor.from_dlpack(array)
    del array
    capsule = tensor.__dlpack__()
    del tensor
    gc.collect()
    assert alive() is not None
    del capsule
    gc.collect()
    assert alive() is None


def test_a_tensor_of_a_dlpack_array_shares_its_memory_and_releases_it():
    array = np.arange(12, dtype=np.int32).reshape(3, 4)
    alive = weakref.ref(array)
    tensor = cnn.Tensor.from_dlpack(array)
    assert address(tensor.numpy()) == address(array)
    del array
    gc.collect()
    assert alive() is not None and tensor.numpy()[2, 3] == 11
    del tensor
    gc.collect()
    assert alive() is None


def test_a_tensor_goes_to_torch_and_back():
    torch = pytest.importorskip("torch")
    tensor = cnn.Tensor.zeros((2, 2))
    theirs = torch.from_dlpack(tensor)
    theirs[0, 1] = 3
    assert tensor.numpy()[0, 1] == 3
    assert cnn.Tensor.from_dlpack(theirs).numpy()[0, 1] == 3


def test_what_a_tensor_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="float64"):
        cnn.Tensor(np.zeros(3))
    with pytest.raises(ValueError, match="contiguous"):
        cnn.Tensor(np.zeros((4, 4), np.float32)[:, ::2])
    with pytest.raises(cnn.UnsupportedError, match="dense"):
        cnn.Tensor.from_dlpack(np.zeros((4, 4), np.float32).T)


def test_numpys_rules_for_copies_hold():
    tensor = cnn.Tensor.zeros((2, 3))
    view, copy = np.from_dlpack(tensor), np.array(tensor)
    assert address(view) == address(tensor.numpy()) != address(copy)
    assert np.asarray(tensor, np.float64).dtype == np.float64
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        copy = np.from_dlpack(tensor, copy=True)
        copy[:] = 7
        assert (tensor.numpy() == 0).all() and copy.flags.writeable
        assert address(np.from_dlpack(tensor, copy=False, device="cpu")) == address(tensor.numpy())
        assert address(np.asarray(tensor, copy=False)) == address(tensor.numpy())
        with pytest.raises(ValueError, match="without a copy"):
            np.asarray(tensor, np.float64, copy=False)


def test_what_is_read_only_stays_so():
    array = np.arange(4, dtype=np.float32)
    array.flags.writeable = False
    tensors = [cnn.Tensor(array)]
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # before, NumPy exports no such array
        tensors += [cnn.Tensor.from_dlpack(array), cnn.Tensor.from_dlpack(tensors[0])]
        assert not np.from_dlpack(tensors[0]).flags.writeable
        assert np.from_dlpack(tensors[0], copy=True).flags.writeable
    for tensor in tensors:
        assert address(tensor.numpy()) == address(array)
        for view in (tensor.numpy(), np.asarray(tensor)):
            with pytest.raises(ValueError, match="read-only"):
                view[0] = 1


def test_arrays_of_any_make_are_the_same_images():
    images = photographs(3, size=(12, 14))[0]
    backwards = np.ascontiguousarray(images[:, :, ::-1])[:, :, ::-1]
    read_only = images.copy()
    read_only.flags.writeable = False
    objects = np.empty(3, object)
    objects[:] = list(images)
    for same in (backwards, np.asfortranarray(images), read_only, objects, list(images), tuple(images)):
        data = cnn.Dataset.from_pixels(same)
        assert all((data[i][0] == images[i]).all() for i in range(3))


@pytest.mark.parametrize("wrong", [lambda x: x / 255, lambda x: x.astype(np.int64), lambda x: x > 100,
                                   lambda x: x.astype(object), lambda x: np.ma.masked_less(x, 100)])
def test_arrays_that_would_have_to_be_changed_are_refused(wrong):
    pixels = wrong(photographs(1)[0][0])
    for use in (lambda: cnn.Dataset.from_pixels([pixels]), lambda: cnn.resize(pixels, 4, 4),
                lambda: cnn.preprocess(pixels, width=4, height=4)):
        with pytest.raises(TypeError, match="uint8|masked"):
            use()


def test_class_indices_are_whole_numbers():
    images = photographs(2)[0]
    for labels in ([0.0, 1.0], [0.5, 1], [0, 2 ** 40], ["0", "1"]):
        with pytest.raises(TypeError, match="indices of classes"):
            cnn.Dataset.from_pixels(images, labels, ["a", "b"])


def test_images_are_read_resized_and_augmented():
    path = next((SAMPLE / "test/cats").glob("*.jpg"))
    pixels = cnn.load_image(path)
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    assert (cnn.decode_image(path.read_bytes()) == pixels).all()
    assert cnn.resize(pixels, 10, 8, fit="crop").shape == (8, 10, 3)
    plain = cnn.preprocess(pixels, width=16, height=12)
    assert plain.shape == (12, 16, 3) and -1 <= plain.min() and plain.max() <= 1
    turned = cnn.preprocess(pixels, "rotation=90,zoom=0.5", seed=3, width=16, height=12)
    assert not (turned == plain).all()
    assert (turned == cnn.preprocess(pixels, {"rotation": 90, "zoom": 0.5}, seed=3, width=16, height=12)).all()


def test_an_error_is_of_its_statuss_class_and_says_the_librarys_sentence(tmp_path):
    with pytest.raises(cnn.FileError, match="missing.jpg") as caught:
        cnn.load_image(tmp_path / "missing.jpg")
    assert isinstance(caught.value, OSError) and caught.value.status == cnn_abi.CNN_ERROR_IO
    with pytest.raises(FileNotFoundError) as caught:
        cnn.Dataset(tmp_path / "missing")
    assert caught.value.errno == errno.ENOENT and caught.value.filename == str(tmp_path / "missing")
    assert str(caught.value).startswith(f"{tmp_path}/missing: can't be opened: ")
    with pytest.raises(IsADirectoryError):
        cnn.load_image(tmp_path)
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(cnn.FormatError, match="text.jpg"):
        cnn.load_image(tmp_path / "text.jpg")
    with pytest.raises(cnn.ArgumentError, match="wobble"):
        cnn.parse_augment("wobble")
    with pytest.raises(cnn.ArgumentError, match="stretch, crop"):
        cnn.preprocess(photographs(1)[0][0], fit="round")
    with pytest.raises(TypeError, match="no field 'widht'"):
        cnn.preprocess(photographs(1)[0][0], widht=16)


def test_every_status_has_a_class():
    kinds = {kind.status for kind in cnn.Error.__subclasses__()}
    assert kinds == set(cnn_abi.ENUMS["cnn_status"].values()) - {0}


def test_a_context_has_threads_and_a_log():
    with cnn.Context(threads=2, instruction_set="generic", log=lambda level, text: None) as context:
        assert context.threads == 2 and context.instruction_set == "generic"
    assert cnn.version() and "two_conv" in cnn.net_names()


def test_an_images_header_is_read_without_its_pixels():
    path = next((SAMPLE / "test/cats").glob("*.jpg"))
    info, pixels = cnn.probe_image(path.read_bytes()), cnn.load_image(path)
    assert (info.format, info.height, info.width, info.channels) == ("jpeg", *pixels.shape)
    assert 1 <= info.orientation <= 8
    assert cnn.probe_image(path.read_bytes()[:len(path.read_bytes()) // 2]) == info
    with pytest.raises(cnn.FormatError, match="neither JPEG nor PNG"):
        cnn.probe_image(b"\1\2\3\4")
