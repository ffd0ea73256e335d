from catdog import SAMPLE, fails, succeeds


def test_predict_needs_no_model_for_cats_and_dogs():
    cats, dogs = sorted((SAMPLE / "test/cats").iterdir())[:5], sorted((SAMPLE / "test/dogs").iterdir())[:5]
    rows = succeeds("predict", "--csv", *cats, *dogs).out.splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == 5 * ["Cat"] + 5 * ["Dog"]


def test_training_may_begin_with_it(tmp_path):
    done = succeeds("train", "--data", SAMPLE, "--from", "shipped", "--head", "linear", "--size", 96, "--epochs", 3,
                    "--model", tmp_path / "m.safetensors")
    assert "saved" in done.out


def test_a_layer_that_it_does_not_have_is_named(tmp_path):
    fails(1, "train", "--data", SAMPLE, "--from", "shipped", "--freeze", "nowhere", "--model", tmp_path / "m",
          saying="nowhere")
