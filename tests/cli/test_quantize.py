import shutil

import pytest

from catdog import as_json, fails, notes, succeeds


@pytest.fixture(scope="module")
def small(pets):
    out = pets.root / "small.safetensors"
    figures = as_json("quantize", "--model", pets.model, "--data", pets.data, "--out", out, "--images", 15, "--json")
    assert figures == {"images": 15, "bytes_before": pets.model.stat().st_size, "bytes_after": out.stat().st_size}
    return out


def test_a_quantised_model_classifies_as_the_first_does(pets, small):
    before = as_json("eval", "--model", pets.model, "--data", pets.test, "--json")
    after = as_json("eval", "--model", small, "--data", pets.test, "--json")
    assert after["accuracy"] == before["accuracy"] and after["classes"] == before["classes"]
    assert after["loss"] == pytest.approx(before["loss"], abs=0.05) and after["loss"] != before["loss"]
    photo = pets.test / "Cat" / "100.jpg"
    assert succeeds("predict", "--model", small, photo).out.count("Cat") == succeeds(
        "predict", "--model", pets.model, photo).out.count("Cat")


def test_a_quantised_model_is_not_exported_to_onnx(small, tmp_path):
    out = tmp_path / "small.onnx"
    fails(1, "export", "--model", small, "--out", out)
    assert not out.exists()


def test_it_says_what_became_of_the_size(pets, tmp_path):
    done = succeeds("quantize", "--model", pets.model, "--data", pets.data, "--out", tmp_path / "q.safetensors")
    for word in ("images      40", "before", "after", "MB"):
        assert word in done.out
    assert done.err == ""


def test_what_the_model_knows_of_itself_is_kept(pets, small):
    kept = {key: text for key, text in notes(pets.model).items() if key not in ("cnn.graph", "cnn.version", "format")}
    assert {key: notes(small)[key] for key in kept} == kept


def test_the_draw_is_the_seeds(pets, small, tmp_path):
    outs = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for out, seed in zip(outs, (0, 0, 1)):
        succeeds("quantize", "--model", pets.model, "--data", pets.data, "--out", out, "--images", 15, "--seed", seed,
                 "--threads", 1 + seed)
    a, b, c = (out.read_bytes() for out in outs)
    assert a == b == small.read_bytes() and a != c


def test_broken_photographs_are_named(pets, tmp_path):
    data = shutil.copytree(pets.test, tmp_path / "data")
    (data / "Cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    done = succeeds("quantize", "--model", pets.model, "--data", data, "--out", tmp_path / "q")
    assert done.err.count("broken.jpg") == 1
    assert "images      12\n" in done.out  # those that could be read


def test_what_can_not_be_is_refused(pets, small, tmp_path):
    out = tmp_path / "q"
    fails(1, "quantize", "--model", small, "--data", pets.data, "--out", out, saying="quantised")
    fails(1, "quantize", "--model", pets.root / "absent", "--data", pets.data, "--out", out, saying="absent")
    fails(1, "quantize", "--model", pets.model, "--data", pets.root / "absent", "--out", out, saying="absent")
    fails(1, "quantize", "--model", pets.model, "--data", pets.data, "--out", tmp_path / "no" / "q", saying="no/q")
    fails(2, "quantize", "--model", pets.model, "--data", pets.data, saying="--out")
    fails(2, "quantize", "--model", pets.model, "--data", pets.data, "--out", pets.model, saying="overwritten")
    assert not out.exists()


def test_bench_of_a_quantised_net(pets):
    figures = as_json("bench", "--net", pets.net, "--batch", 4, "--precision", "int8", "--part", "net", "--json")
    assert figures["precision"] == "int8" and "train_images_per_second" not in figures
    assert figures["predict_latency_ms"] > 0 and figures["predict_images_per_second"] > 0


def test_photographs_of_one_class_or_none_will_do(pets, tmp_path):
    for name, data in ("one", pets.data / "Cat"), ("none", tmp_path / "flat"):
        (tmp_path / "flat").mkdir(exist_ok=True)
        for number in range(4):
            shutil.copy(pets.data / "Dog" / f"{number}.jpg", tmp_path / "flat" / f"{number}.jpg")
        succeeds("quantize", "--model", pets.model, "--data", data, "--out", tmp_path / name)


def test_sentences_do_not_name_functions(pets, small, tmp_path):
    done = fails(1, "quantize", "--model", small, "--data", pets.data, "--out", tmp_path / "q", saying="is quantised")
    assert "cnn_" not in done.err
