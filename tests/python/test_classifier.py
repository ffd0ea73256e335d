import copy
import pickle
import shutil
import threading
import time
import warnings

import numpy as np
import pytest

import cnn
from conftest import SAMPLE, photographs, tiny_classifier, tiny_net


def test_it_learns_arrays_and_names_their_classes(pets):
    X, y = photographs(20, seed=1)
    labels = np.array(["Cat", "Dog"])[y]
    assert list(pets.classes_) == ["Cat", "Dog"]
    assert pets.score(X, labels) == 1
    assert (pets.predict(X) == labels).all()
    probabilities = pets.predict_proba(X)
    assert probabilities.shape == (20, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert (pets.predict_proba(list(X)) == probabilities).all()
    metrics = pets.evaluate(X, labels)
    assert metrics.accuracy == metrics.auc == 1 and metrics.confusion.tolist() == [[10, 0], [0, 10]]
    assert len(pets.history_) == 6 and pets.history_[-1].asdict()["validation_accuracy"] == 1


def test_classes_keep_the_type_and_order_of_y():
    X, y = photographs(20)
    pets = tiny_classifier(epochs=3).fit(X, 9 + y)  # "10" sorts before "9"
    assert pets.classes_.tolist() == [9, 10] and pets.score(X, 9 + y) == 1
    assert set(pets.predict(X)) == {9, 10}


def test_folders_files_and_datasets_are_the_same_images(tmp_path):
    folder = tmp_path / "pets"
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir(parents=True)
        for path in sorted((SAMPLE / f"test/{kind}").glob("*.jpg"))[:8]:
            shutil.copy(path, folder / kind)
    pets = tiny_classifier(epochs=2, augment="flip").fit(folder, validation=folder)
    files = sorted(folder.glob("*/*.jpg"))
    names = [path.parent.name for path in files]
    expected = pets.predict_proba(folder)
    np.testing.assert_allclose(pets.predict_proba(files), expected, atol=1e-6)
    np.testing.assert_allclose(pets.predict_proba(files[::-1]), expected[::-1], atol=1e-6)
    np.testing.assert_allclose(pets.predict_proba(cnn.Dataset(folder)), expected, atol=1e-6)
    assert pets.score(folder) == pytest.approx(pets.score(files, names)) == pets.evaluate(files, names).accuracy
    again = tiny_classifier(epochs=2, augment="flip").fit(files, names, validation=(files, names))
    np.testing.assert_allclose(again.predict_proba(folder), expected, atol=1e-6)


def test_broken_files_warn_in_training_and_have_their_error_in_prediction(tmp_path, pets):
    for kind in ("cats", "dogs"):
        (tmp_path / kind).mkdir()
        for path in sorted((SAMPLE / f"test/{kind}").glob("*.jpg"))[:4]:
            shutil.copy(path, tmp_path / kind)
    bad = tmp_path / "cats" / "bad.jpg"
    bad.write_bytes(b"no image")
    with pytest.warns(UserWarning, match="bad.jpg: is left out"):
        tiny_classifier(epochs=1).fit(tmp_path)
    good = next((SAMPLE / "test/cats").glob("*.jpg"))
    found = pets.predict_files([good, bad])
    assert found[0].error is None and 0.5 <= found[0].confidence <= 1
    assert found[0].candidates[0] == (found[0].label, found[0].confidence) and len(found[0].candidates) == 2
    assert isinstance(found[1].error, cnn.FormatError) and found[1].label is None
    with pytest.raises(cnn.FormatError, match="bad.jpg"):
        pets.predict([good, bad])


def test_a_saved_classifier_is_the_same(tmp_path, pets):
    X, y = photographs(8, seed=2)
    pets.save(tmp_path / "pets.safetensors")
    with cnn.Classifier.load(tmp_path / "pets.safetensors") as again:
        assert (again.predict_proba(X) == pets.predict_proba(X)).all()
        assert list(again.classes_) == ["Cat", "Dog"]
        model = again.model_
    filters = model.parameters()["conv2d_1.weight"].value
    assert filters.shape == (3, 3, 3, 8) and model.predict(np.zeros((1, 16, 16, 3))).shape == (1, 1)


@pytest.mark.parametrize("labels", [
    [9, 10], np.array([3, 300], np.int16), np.array([0, 2 ** 63], np.uint64), [True, False], [0.1, -2.5],
    np.array([0.1, 0.2], np.float32), ["1", "2"], ["True", "False"], [b"cat", b"dog"], np.array([7, 8], object),
    np.array(["a", "b"], object)], ids=lambda labels: f"{labels!r}")
def test_the_labels_type_is_kept_in_the_file(tmp_path, labels):
    X, y = photographs(16)
    labels = np.asarray(labels)[y]
    pets = tiny_classifier(epochs=3, optimizer={"learning_rate": 0.03}).fit(X, labels)
    pets.save(tmp_path / "pets.safetensors")
    again = cnn.Classifier.load(tmp_path / "pets.safetensors")
    assert again.classes_.tolist() == pets.classes_.tolist()
    assert [type(label) for label in again.classes_.tolist()] == [type(label) for label in pets.classes_.tolist()]
    assert (again.predict(X) == pets.predict(X)).all() and again.score(X, labels) == pets.score(X, labels) > 0.5
    assert again.evaluate(X, labels).accuracy == pets.score(X, labels)


@pytest.mark.parametrize("labels, error", [([1.0, float("nan")], TypeError), ([None, None], TypeError),
                                           ([[0], [1]], ValueError), ([1j, 2j], TypeError)])
def test_labels_that_are_none_are_refused(labels, error):
    X, y = photographs(8)
    with pytest.raises(error, match="labels are|a label for each"):
        tiny_classifier(epochs=1).fit(X, np.asarray(labels)[y])


def test_of_no_images_there_is_an_empty_result(tmp_path, pets):
    X, _ = photographs(1)
    for nothing in (X[:0], [], (), np.empty(0, object)):
        assert pets.predict(nothing).shape == (0,) and pets.predict(nothing).dtype == pets.classes_.dtype
        assert pets.predict_proba(nothing).shape == (0, 2)
    assert pets.predict_files([]) == []
    assert pets.model_.predict(np.zeros((0, 16, 16, 3))).shape == (0, 1)
    with pytest.raises(cnn.ShapeError):
        pets.model_.predict(np.zeros((0, 16, 17, 3)))
    with pytest.raises(cnn.DataError, match="no images to score"):
        pets.score(X[:0], [])


@pytest.mark.parametrize("count", [1, 2, 3, 7, 33])
def test_any_number_of_images_is_predicted_as_each_is(pets, count):
    X, _ = photographs(count, seed=count)
    together, alone = pets.predict_proba(X), np.concatenate([pets.predict_proba(X[i:i + 1]) for i in range(count)])
    assert (together == alone).all()


def test_a_file_that_is_not_there_is_named_as_it_was_given(tmp_path, monkeypatch, pets):
    monkeypatch.chdir(tmp_path)
    shutil.copy(next((SAMPLE / "test/cats").glob("*.jpg")), "good.jpg")
    (tmp_path / "bad.jpg").write_text("no image")
    (tmp_path / "folder.jpg").mkdir()
    for use in (pets.predict, pets.predict_proba, lambda files: tiny_classifier().fit(files, ["Cat", "Dog"])):
        with pytest.raises(FileNotFoundError, match="^nope.jpg: can't be opened: No such file") as caught:
            use(["good.jpg", "nope.jpg"])
        assert isinstance(caught.value, cnn.FileError) and caught.value.filename == "nope.jpg"
        with pytest.raises(IsADirectoryError, match="^folder.jpg: "):
            use(["good.jpg", "folder.jpg"])
    with pytest.raises(cnn.FormatError, match="^bad.jpg: "):
        pets.predict(["good.jpg", "bad.jpg"])
    found = pets.predict_files(["good.jpg", "nope.jpg", "bad.jpg"])
    assert isinstance(found[1].error, FileNotFoundError) and isinstance(found[2].error, cnn.FormatError)


def test_three_classes_are_told_apart():
    X, y = photographs(36)
    y = np.arange(36) % 3
    X[y == 2] = 20
    X[y == 1] = X[y == 1][:, :, :, ::-1] // 2 + 100
    pets = cnn.Classifier("two_conv", size=24, epochs=8, batch_size=8, flip=True, options={"keep_last": 1}).fit(X, y)
    assert pets.classes_.tolist() == [0, 1, 2] and pets.score(X, y) > 0.9
    probabilities = pets.predict_proba(X)
    assert probabilities.shape == (36, 3)
    metrics = pets.evaluate(X, y)
    assert metrics.accuracy == pets.score(X, y) and metrics.confusion.shape == (3, 3)
    assert [one.images for one in metrics.per_class] == [12, 12, 12]
    loss = -np.log(probabilities[np.arange(36), y]).mean()  # calibrated, and averaged with the mirror image
    assert metrics.loss == pytest.approx(loss, rel=1e-4)


def test_it_begins_with_a_pretrained_model(tmp_path, pets):
    X, y = photographs(24, seed=3)
    epochs = []
    head = tiny_classifier(pretrained=pets.model_, head_epochs=2, epochs=1).fit(
        X, y, on_epoch=lambda epoch: epochs.append(epoch))
    assert len(head.history_) == len(epochs) == 3 and head.classes_.tolist() == [0, 1]
    pets.save(tmp_path / "pets.safetensors")
    again = tiny_classifier(pretrained=tmp_path / "pets.safetensors", head_epochs=2, epochs=1).fit(X, y)
    assert (again.predict_proba(X) == head.predict_proba(X)).all()


def test_the_best_of_both_phases_is_kept(pets):
    """The second phase, whose learning rate ruins the network, goes on from the first: it numbers its epochs on."""
    X, y = photographs(24, seed=3)
    shown = []
    both = tiny_classifier(pretrained=pets.model_, head_epochs=3, epochs=2, optimizer={"kind": "sgd", "learning_rate": 3},
                           options={"early_stopping": 9})
    both.fit(X, y, validation=(X, y), on_epoch=lambda epoch: shown.append(epoch.epoch))
    assert shown == [epoch.epoch for epoch in both.history_] == [1, 2, 3, 4, 5]
    assert both.score(X, y) == max(epoch.validation_accuracy for epoch in both.history_)


def test_copies_and_pickles_are_the_same(pets):
    X, y = photographs(8, seed=2)
    for again in (pickle.loads(pickle.dumps(pets)), copy.deepcopy(pets)):
        assert (again.predict_proba(X) == pets.predict_proba(X)).all()
        assert again.classes_.tolist() == ["Cat", "Dog"] and again.history_[0].loss == pets.history_[0].loss
    model = pickle.loads(pickle.dumps(pets.model_))
    images = np.ones((1, 16, 16, 3), np.float32)
    assert (model.predict(images) == pets.model_.predict(images)).all()
    unfitted = pickle.loads(pickle.dumps(tiny_classifier(epochs=7)))
    assert unfitted.epochs == 7 and unfitted.net.to_json() == pets.net.to_json()


def test_it_is_calibrated_and_resized(pets):
    X, y = photographs(30, seed=5)
    again = copy.deepcopy(pets)
    labels = np.array(["Cat", "Dog"])[np.where(np.arange(30) % 5, y, 1 - y)]  # a fifth is labelled wrongly
    assert again.calibrate(X, labels) > 1
    assert again.predict_proba(X).max() < pets.predict_proba(X).max()
    convolutional = cnn.Graph()
    x = convolutional.relu(convolutional.conv2d(convolutional.input(16, 16), 4))
    convolutional.dense(convolutional.global_avg_pool(x), 1)
    larger = cnn.Classifier(convolutional, epochs=1).fit(X, labels)
    before = larger.predict_proba(X)
    larger.resize(20, 24)
    assert larger.model_.input_shape == (20, 24, 3) and not (larger.predict_proba(X) == before).all()


def test_the_threshold_decides():
    X, y = photographs(16)
    never = tiny_classifier(epochs=1, threshold=1).fit(X, y)
    assert (never.predict(X) == 0).all() or (never.predict_proba(X)[:, 1] == 1).any()
    assert (tiny_classifier(epochs=1, threshold=0).fit(X, y).predict(X) == 1).all()


def test_callbacks_see_the_training_and_stop_it():
    X, y = photographs(32)
    steps, epochs = [], []
    pets = tiny_classifier(epochs=3).fit(X, y, on_step=steps.append, on_epoch=epochs.append)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3] == [epoch.epoch for epoch in pets.history_]
    assert [step.step for step in steps if step.epoch == 1 and not step.validating] == [1, 2, 3, 4]
    stopped = tiny_classifier(epochs=50).fit(X, y, on_epoch=lambda epoch: epoch.epoch == 2)
    assert len(stopped.history_) == 2 and stopped.score(X, y) >= 0


def test_an_exception_in_a_callback_ends_the_training_and_is_raised():
    X, y = photographs(16)

    def interrupt(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny_classifier(epochs=50).fit(X, y, on_step=interrupt)


def test_the_same_seed_gives_the_same_bits():
    X, y = photographs(16)
    first, second = (tiny_classifier(epochs=2, seed=5, context=cnn.Context(threads=threads)).fit(X, y) for threads in (1, 2))
    assert (first.predict_proba(X) == second.predict_proba(X)).all()


def test_mistakes_are_explained():
    X, y = photographs(8)
    with pytest.raises(TypeError, match="y is missing"):
        tiny_classifier().fit(X)
    with pytest.raises(ValueError, match="not fitted"):
        tiny_classifier().predict(X)
    with pytest.raises(cnn.DataError, match="3 classes"):
        tiny_classifier().fit(X, np.arange(8) % 3)
    with pytest.raises(cnn.DataError, match="only one|1 class"):
        tiny_classifier().fit(X, np.zeros(8))
    with pytest.raises(cnn.ArgumentError, match="nine_conv"):
        cnn.Classifier("nine_conv").fit(X, y)
    with pytest.raises(TypeError, match="no field 'lr'"):
        tiny_classifier(options={"lr": 1}).fit(X, y)
    with pytest.raises(cnn.FileError):
        tiny_classifier().fit("missing-folder")
    with pytest.raises(ValueError, match="no parameter depth"):
        tiny_classifier().set_params(depth=3)


def test_scikit_learn_clones_searches_and_validates_it():
    base = pytest.importorskip("sklearn.base")
    selection = pytest.importorskip("sklearn.model_selection")
    X, y = photographs(24)
    pets = tiny_classifier(epochs=2)
    assert pets.set_params(options={"precision": "bfloat16", "mixup": 0.2}).fit(X, y).score(X, y) > 0.5
    clone = base.clone(pets.set_params(context=cnn.Context(threads=1)))
    assert clone is not pets and clone.epochs == 2 and clone.net.to_json() == pets.net.to_json()
    assert base.is_classifier(pets)
    scores = selection.cross_val_score(pets, X, y, cv=2)
    assert scores.shape == (2,) and (scores >= 0).all()
    search = selection.GridSearchCV(pets, {"epochs": [1, 3]}, cv=2).fit(X, y)
    assert search.best_params_["epochs"] in (1, 3) and search.predict(X).shape == (24,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0 <= selection.cross_val_predict(pets, X, y, cv=2, method="predict_proba").min()


def test_a_fit_that_fails_leaves_the_classifier_as_it_was():
    X, y = photographs(16)
    names = np.array(["cat", "dog"])[y]
    pets = tiny_classifier(epochs=2).fit(X, names)
    expected, history = pets.predict_proba(X), pets.history_
    failures = [(X.astype(float), {}, {}), (X, {"threshold": 2.0}, {}), (X, {"options": {"mixup": 7.0}}, {}),
                (X, {"optimizer": {"kind": "sgd", "learning_rate": 1e30}}, {}), (X, {"net": "no_net"}, {}),
                (X, {}, {"on_step": lambda _: 1 / 0})]  # before it has learned anything
    for images, parameters, callbacks in failures:
        before = {name: getattr(pets, name) for name in parameters}
        first = tiny_classifier(epochs=2).set_params(**parameters)
        for one in (pets.set_params(**parameters), first):
            with pytest.raises((cnn.Error, TypeError, ZeroDivisionError)):
                one.fit(images, np.where(y, "up", "down"), **callbacks)
        pets.set_params(**before)
        assert pets.classes_.tolist() == ["cat", "dog"] and pets.history_ is history
        assert (pets.predict_proba(X) == expected).all() and pets.score(X, names) == (pets.predict(X) == names).mean()
        assert not hasattr(first, "classes_") and not hasattr(first, "history_")
        for use in (lambda: first.predict(X), lambda: first.evaluate(X, y), lambda: first.predict_files(["a.jpg"])):
            with pytest.raises(ValueError, match="not fitted"):
                use()


def test_a_score_takes_a_label_for_each_image(pets):
    X, y = photographs(10)
    labels = np.array(["Cat", "Dog"])[y]
    for wrong in (labels[:, None], labels[None], labels[:1], labels[:3], labels[:0], "Cat"):
        with pytest.raises(cnn.ShapeError, match="there are 10 images, and labels of shape"):
            pets.score(X, wrong)
    assert pets.score(X, list(labels)) == 1


def test_one_path_is_no_list_of_paths(pets):
    with pytest.raises(TypeError, match="a list of paths, not one: use .'photo.jpg'."):
        pets.predict_files("photo.jpg")


def test_a_callback_of_the_first_training_may_use_what_has_been_learned(tmp_path):
    X, y = photographs(24)
    names = np.array(["cat", "dog"])[y]
    seen = []

    def on_epoch(epoch):
        path = tmp_path / f"{epoch.epoch}.safetensors"
        pets.save(path)
        copies = [cnn.Classifier.load(path), pickle.loads(pickle.dumps(pets)), copy.deepcopy(pets)]
        probabilities = pets.predict_proba(X)
        assert all((one.predict_proba(X) == probabilities).all() for one in copies)
        assert pets.classes_.tolist() == ["cat", "dog"] and pets.evaluate(X, names).accuracy == pets.score(X, names)
        seen.append(pets.model_.parameters()["conv2d_1.weight"].value.copy())

    pets = tiny_classifier(epochs=3)
    pets.fit(X, names, on_epoch=on_epoch)
    assert len(seen) == 3 and not (seen[0] == seen[1]).all() and pets.history_[-1].epoch == 3


def test_another_thread_sees_a_classifier_as_it_was_until_it_is_fitted_again():
    X, y = photographs(24)
    pets, old, new = tiny_classifier(epochs=2).fit(X, y), {0, 1}, {"cat", "dog", "bird"}
    pets.set_params(net="two_conv", size=24)
    found, wrong, done = [], [], threading.Event()

    def predict():
        while not done.is_set():
            classes = set(pets.classes_.tolist())
            labels, probabilities = set(pets.predict(X).tolist()), pets.predict_proba(X)
            found.append(labels)
            if not (labels <= old or labels <= new) or probabilities.shape not in ((24, 2), (24, 3)) or (
                    classes not in (old, new)):
                wrong.append((classes, labels))

    def on_epoch(_epoch):
        time.sleep(0.05)
        assert set(pets.classes_.tolist()) == new and pets.predict_proba(X).shape == (24, 3)

    threads = [threading.Thread(target=predict) for _ in range(3)]
    for thread in threads:
        thread.start()
    while not found:  # the first is sure to be the old classifier's
        time.sleep(0.01)
    pets.fit(X, np.array(["bird", "cat", "dog"])[np.arange(24) % 3], on_epoch=on_epoch)
    fitted = len(found)
    while len(found) < fitted + 6:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong and found[0] <= old and any(labels <= new for labels in found[fitted:])


def test_what_a_classifier_is_asked_before_it_is_fitted_is_scikit_learns_error():
    pets = tiny_classifier()
    for ask in (lambda: pets.classes_, lambda: pets.history_, lambda: pets.model_, lambda: pets.save("file")):
        with pytest.raises(cnn.NotFittedError, match="this Classifier is not fitted yet") as caught:
            ask()
        assert isinstance(caught.value, ValueError) and isinstance(caught.value, AttributeError)


@pytest.mark.parametrize("parameters, error", [
    ({"options": {"mixups": 1}}, "mixups"), ({"optimizer": "adamm"}, "adamm"), ({"epochs": "many"}, "epochs|many"),
    ({"augment": "flipp"}, "flipp"), ({"schedule": {"kind": "cosin"}}, "cosin"),
])
def test_options_that_do_not_exist_are_told_before_photographs_are_read(place, parameters, error, monkeypatch):
    read = []
    monkeypatch.setattr(cnn.Dataset, "verify", lambda self: read.append(self) or [])
    with pytest.raises((TypeError, ValueError), match=error):
        tiny_classifier(**parameters).fit(place / "PetImages")
    assert not read
