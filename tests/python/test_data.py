import gc
import os
import resource
import sys
import threading
import time

import numpy as np
import pytest

import cnn
from conftest import SAMPLE, photographs


def test_a_folder_is_a_dataset():
    with cnn.Dataset(SAMPLE, part="test") as dataset:
        assert len(dataset) == 100 and dataset.class_names == ["cats", "dogs"]
        pixels, label = dataset[-1]
        assert pixels.shape[2] == 3 and label == 1 == dataset.labels[-1]
        assert dataset.paths[0].endswith(".jpg")
        with pytest.raises(IndexError):
            dataset[100]
        rest, part = dataset.split(0.2, seed=1)
    assert (len(rest), len(part)) == (80, 20)


def test_arrays_are_a_dataset_without_a_copy():
    images, labels = photographs(6)
    dataset = cnn.Dataset.from_pixels(images, labels, ["Cat", "Dog"])
    assert dataset[3][1] == 1
    assert dataset[3][0].__array_interface__["data"] == images[3].__array_interface__["data"]
    kept = images[0].copy()
    del images  # the dataset keeps the memory, and so does what is split off
    part = dataset.split(0.5)[1]
    dataset.close()
    assert part[0][0].shape == kept.shape
    mixed = cnn.Dataset.from_pixels([kept, kept[:5]])
    assert mixed[1][0].shape == (5, 24, 3) and list(mixed.labels) == [-1, -1]


def test_arrays_that_are_no_images_are_refused():
    images, labels = photographs(4)
    with pytest.raises(TypeError, match="uint8"):
        cnn.Dataset.from_pixels(images / 255.0, labels, ["a", "b"])
    with pytest.raises(cnn.ShapeError):
        cnn.Dataset.from_pixels(images[..., :1], labels, ["a", "b"])
    with pytest.raises(cnn.ShapeError):
        cnn.Dataset.from_pixels(images, labels[:3], ["a", "b"])
    with pytest.raises(cnn.ArgumentError):
        cnn.Dataset.from_pixels(images, labels + 1, ["a", "b"])
    with pytest.raises(cnn.ArgumentError):
        cnn.Dataset.from_pixels([])


def test_files_with_labels_are_a_dataset(tmp_path):
    source = sorted((SAMPLE / "test/cats").glob("*.jpg"))[:2]
    odd = tmp_path / 'a "name", with\ncommas.jpg'
    odd.write_bytes(source[0].read_bytes())
    dataset = cnn.Dataset.from_files([source[1], odd], ["Cat", "Dog"])
    assert dict(zip(dataset.paths, dataset.labels)) == {str(source[1]): 0, str(odd): 1}


def test_broken_files_are_found_and_removed(tmp_path):
    for kind, name in ((kind, name) for kind in ("Cat", "Dog") for name in "ab"):
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / f"{name}.jpg").write_bytes(next((SAMPLE / "test/cats").glob("*.jpg")).read_bytes())
    (tmp_path / "Cat" / "a.jpg").write_bytes(b"no image")
    dataset = cnn.Dataset(tmp_path)
    found = dataset.verify()
    assert len(found) == 1 and found[0][0].endswith("Cat/a.jpg") and len(dataset) == 3


def test_a_loader_gives_every_image_once_in_each_epoch():
    images, labels = photographs(10)
    loader = cnn.Dataset.from_pixels(images, labels, ["Cat", "Dog"]).batches(
        batch_size=4, shuffle=True, seed=2, preprocess={"width": 8, "height": 8}, augment="flip")
    assert len(loader) == 3
    first, second = list(loader), list(loader)
    assert [len(batch[0]) for batch in first] == [4, 4, 2] and first[0][0].shape == (4, 8, 8, 3)
    for epoch in (first, second):
        indices = np.concatenate([batch[2] for batch in epoch])
        assert sorted(indices) == list(range(10))
        assert (np.concatenate([batch[1] for batch in epoch]) == labels[indices]).all()
    assert [list(b[2]) for b in first] != [list(b[2]) for b in second]
    assert (first[1][0] == list(loader.epoch(0))[1][0]).all()


def test_an_epoch_ends_when_another_begins():
    loader = cnn.Dataset.from_pixels(photographs(10)[0]).batches(batch_size=4, preprocess={"width": 8, "height": 8})
    stale = loader.epoch(0)
    next(stale)
    assert len(list(loader)) == 3
    with pytest.raises(RuntimeError, match="another epoch of this loader has begun"):
        next(stale)
    with pytest.raises(RuntimeError):
        list(zip(loader, loader))


def test_python_runs_while_the_library_works():
    """Another thread, which takes the interpreter's lock only when it is let go of, gets on during a call."""
    ticks, stop = [0], threading.Event()

    def tick():
        while not stop.is_set():
            ticks[0] += 1
            time.sleep(0)

    def advances():
        before = ticks[0]
        cnn.preprocess(pixels, width=500, height=500)
        return ticks[0] > before

    pixels = np.zeros((1000, 1000, 3), np.uint8)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)  # seconds
    thread = threading.Thread(target=tick)
    thread.start()
    try:
        assert any(advances() for _ in range(100))
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        thread.join()


def test_a_name_that_is_not_utf8_is_an_error_like_any_other(tmp_path, pets):
    table, name = tmp_path / "table.csv", os.fsdecode(bytes(tmp_path) + b"/caf\xe9.jpg")
    table.write_bytes(b"path,label\n\xe9.jpg,x\nb.jpg,y\n")
    with pytest.raises(cnn.Error, match="table.csv"):
        cnn.Dataset(table)
    with pytest.raises(FileNotFoundError, match="caf\ufffd.jpg: can't be opened") as caught:
        cnn.load_image(name)
    assert caught.value.filename == name
    missing, good = pets.predict_files([name, next((SAMPLE / "test/cats").glob("*.jpg"))])
    assert isinstance(missing.error, FileNotFoundError) and str(missing.error).encode() and good.error is None
    with pytest.raises(FileNotFoundError, match="caf\ufffd.jpg: can't be opened"):
        pets.predict([name])


@pytest.mark.parametrize("name", ["a: b.jpg", "No such file or directory: b.jpg", "a\nb: c: d.jpg"])
def test_a_missing_file_may_have_colons_in_its_name(tmp_path, name):
    for use in (cnn.load_image, cnn.Model.load, cnn.Dataset):
        with pytest.raises(FileNotFoundError) as caught:
            use(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        cnn.load_image(tmp_path / name)
    assert caught.value.filename == str(tmp_path / name)


@pytest.mark.parametrize("label", ["", "a\0b", "caf\udce9"])
def test_a_label_that_is_no_text_is_named(label):
    files = sorted((SAMPLE / "test/cats").glob("*.jpg"))[:2]
    with pytest.raises(cnn.DataError, match=f"{files[1].name}: the label is "):
        cnn.Dataset.from_files(files, ["cat", label])


def files_and_labels():
    paths = [path for kind in ("cats", "dogs") for path in sorted((SAMPLE / f"test/{kind}").glob("*.jpg"))[:4]]
    return [path.read_bytes() for path in paths], [0] * 4 + [1] * 4


def test_a_programs_own_files_are_a_dataset():
    files, labels = files_and_labels()
    photos = cnn.Dataset.from_source(files.__getitem__, 8, labels, ["Cat", "Dog"], names=[f"db:{i}" for i in range(8)])
    assert photos.read(2) == files[2] and photos.paths[7] == "db:7" and photos.labels.tolist() == labels
    assert (photos[5][0] == cnn.decode_image(files[5])).all() and photos[5][1] == 1
    assert photos.verify() == [] and len(photos.split(0.5)[1]) == 4
    assert cnn.Classifier("two_conv", size=48, epochs=1).fit(photos).predict(photos).shape == (8,)


def test_files_that_cannot_be_read_are_reported():
    files, labels = files_and_labels()

    def read(index):
        return files[index] if index != 3 else {}["nothing"]

    photos = cnn.Dataset.from_source(read, 8, labels, ["Cat", "Dog"])
    with pytest.raises(cnn.FileError, match="image 3"):
        photos.read(3)
    assert [path for path, _ in photos.verify()] == ["image 3"] and len(photos) == 7
    with pytest.raises(cnn.ShapeError):
        cnn.Dataset.from_source(read, 8, labels[:7], ["Cat", "Dog"])
    with pytest.raises(cnn.ShapeError):
        cnn.Dataset.from_source(read, 8, labels, ["Cat", "Dog"], names=["one"])


def test_what_an_own_function_raises_is_the_cause():
    files, labels = files_and_labels()

    def read(index):
        if index == 2:
            raise ConnectionError("the database is away")
        return files[index] if index != 3 else "text"

    photos = cnn.Dataset.from_source(read, 8, labels, ["Cat", "Dog"])
    for ask in (lambda: photos[2], lambda: photos.decode(2), lambda: photos.read(2)):
        with pytest.raises(cnn.Error, match="image 2") as raised:
            ask()
        assert isinstance(raised.value.__cause__, ConnectionError)
    with pytest.raises(cnn.Error) as raised:
        photos.read(3)
    assert isinstance(raised.value.__cause__, TypeError)
    assert photos.read(0) == files[0]
    assert len(photos.verify()) == 2 and photos.read(2) == files[4]  # which is counted anew


def test_ctrl_c_in_an_own_function_is_not_lost():
    def read(_index):
        raise KeyboardInterrupt

    photos = cnn.Dataset.from_source(read, 1, [0], ["Cat"])
    with pytest.raises(KeyboardInterrupt):
        photos.read(0)


def test_the_files_of_a_source_are_freed_with_the_last_dataset():
    files, labels = files_and_labels()
    photos = cnn.Dataset.from_source(files.__getitem__, 8, labels, ["Cat", "Dog"])
    training, _ = photos.split(0.5)
    photos.close()
    del photos
    gc.collect()
    assert len(training[0][0].shape) == 3 and training.read(0) in files


def test_an_image_is_decoded_as_asked_for():
    files, labels = files_and_labels()
    photos = cnn.Dataset.from_source([*files[:-1], files[-1][:-200]].__getitem__, 8, labels, ["Cat", "Dog"])
    assert photos.decode(0, min_width=32, min_height=32).shape < photos.decode(0).shape
    with pytest.raises(cnn.FormatError):
        photos.decode(-1)
    assert photos.decode(-1, allow_truncated=1).shape == cnn.decode_image(files[-1]).shape
    with pytest.raises(IndexError):
        photos.decode(8)


def test_duplicates_are_found_within_and_between():
    files, labels = files_and_labels()
    twice = files[:4] + [files[1]] + files[5:]
    photos = cnn.Dataset.from_source(twice.__getitem__, 8, labels, ["Cat", "Dog"])
    assert photos.find_duplicates() == [(4, 1)]
    others = cnn.Dataset.from_source(files.__getitem__, 2, labels[:2], ["Cat", "Dog"])
    assert others.find_duplicates(photos) == [(0, 0), (1, 1)]
    assert cnn.Dataset.from_pixels(*photographs(4), ["Cat", "Dog"]).find_duplicates() == []


def test_the_parts_of_a_dataset_are_counted(tmp_path):
    files, _ = files_and_labels()
    for part, count in (("train", 3), ("test", 2)):
        for label in ("Cat", "Dog"):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(count):
                (tmp_path / part / label / f"{number}.jpg").write_bytes(files[number])
    parts = cnn.Dataset(tmp_path).parts
    assert (parts.divided, parts.training, parts.validation, parts.test) == (1, 6, 0, 4)
    assert cnn.Dataset(tmp_path, part="test").parts == parts


@pytest.mark.parametrize("find_duplicates", [False, True])
def test_no_photograph_is_left_out_because_no_more_files_can_be_opened(find_duplicates):
    dataset = cnn.Dataset(SAMPLE / "test")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(cnn.FileError, match=r"\.jpg: can't be opened: Too many open files; raise the limit .*ulimit -n"):
            dataset.verify(find_duplicates=find_duplicates)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(dataset) == 100 and dataset.verify() == []
