import os

import pytest

from catdog import as_json, fails, succeeds

HAS_ONNX = os.environ.get("CNN_HAS_ONNX", "1") == "1"


@pytest.mark.skipif(HAS_ONNX, reason="built with protobuf-c")
def test_a_build_without_onnx_says_so(pets, tmp_path):
    fails(1, "export", "--model", pets.model, "--out", tmp_path / "pets.onnx", saying="this build")


@pytest.mark.skipif(not HAS_ONNX, reason="built without protobuf-c")
def test_an_exported_model_is_used_like_the_one_it_was(pets, tmp_path):
    exported = tmp_path / "pets.onnx"
    assert succeeds("export", "--model", pets.model, "--out", exported).out == ""
    photographs = [pets.test / "Cat" / "100.jpg", pets.test / "Dog" / "101.jpg"]
    assert succeeds("predict", "--model", exported, "--csv", *photographs).out == \
        succeeds("predict", "--model", pets.model, "--csv", *photographs).out
    mine = as_json("eval", "--model", pets.model, "--data", pets.test, "--json")
    other = as_json("eval", "--model", exported, "--data", pets.test, "--json")
    assert mine["confusion"] == other["confusion"] and mine["loss"] == pytest.approx(other["loss"], rel=1e-5)
    assert "Classes: Cat, Dog" in succeeds("summary", "--model", exported).out


@pytest.mark.skipif(not HAS_ONNX, reason="built without protobuf-c")
def test_the_file_is_onnx_with_the_classes_in_it(pets, tmp_path):
    onnx = pytest.importorskip("onnx")
    exported = tmp_path / "pets.onnx"
    succeeds("export", "--model", pets.model, "--out", exported)
    onnx.checker.check_model(str(exported), full_check=True)
    assert {entry.key: entry.value for entry in onnx.load(str(exported)).metadata_props}["cnn.classes"] == \
        '["Cat", "Dog"]'


@pytest.mark.skipif(not HAS_ONNX, reason="built without protobuf-c")
def test_a_missing_or_shortened_file_of_weights_is_told_with_its_remedy(pets, tmp_path):
    onnx = pytest.importorskip("onnx")
    exported, data = tmp_path / "pets.onnx", tmp_path / "pets.data"
    succeeds("export", "--model", pets.model, "--out", exported)
    onnx.save(onnx.load(str(exported)), str(exported), save_as_external_data=True, location=data.name, size_threshold=0)
    photograph = pets.test / "Cat" / "100.jpg"
    succeeds("predict", "--model", exported, photograph)
    data.write_bytes(data.read_bytes()[:100])
    error = fails(1, "predict", "--model", exported, photograph, saying=f'{exported}: "pets.data" is incomplete').err
    assert error.endswith("copy it again\n")
    data.unlink()
    fails(1, "predict", "--model", exported, photograph, saying=f"holds the weights of {exported}: No such file")


@pytest.mark.skipif(not HAS_ONNX, reason="built without protobuf-c")
def test_what_can_not_be_exported(pets, tmp_path):
    fails(1, "export", "--model", pets.model, "--out", tmp_path / "no" / "pets.onnx", saying="can't be written")
    fails(1, "export", "--model", pets.net, "--out", tmp_path / "pets.onnx", saying="tiny.json")


def test_both_files_are_needed(pets):
    fails(2, "export", "--model", pets.model, saying="--out is missing")
    fails(2, "export", "--out", "pets.onnx", saying="--model is missing")
