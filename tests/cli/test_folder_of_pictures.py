import re

import pytest

from pictured import class_folders, photograph, save

FAST = ["--schedule.until", "4", "--schedule.warmup", "0", "--batch-size", "8", "--data.size", "32"]


@pytest.fixture
def pets(tmp_path):
    return class_folders(tmp_path / "pets", {"ant": 16, "bee": 10}, size=(30, 24), ending=".jpg")


def test_a_folder_is_recognised_trained_on_and_tested_again(run, pets, tmp_path):
    code, text = run("train", "pets", "--balance", *FAST)
    assert code == 0, text
    assert "pets: class folders, 26 pictures of 2 classes (ant 16, bee 10), 30x24 pixels" in text
    assert "split here, the same shares of every class" in text
    error = re.search(r"test error (\d+\.\d) % \((\d) images", text)
    assert error[2] == "4"
    assert f"test error {error[1]} % (4 images" in run("evaluate", "last")[1]
    code, text = run("evaluate", "last", "--data", "pets")
    assert (code, "(26 images" in text) == (0, True), text
    code, text = run("predict", "last", "pets/ant/000.jpg")
    assert re.search(r"000.jpg: (ant|bee) \d", text)
    config = (tmp_path / "runs/pictures.pets/seed0/config.yaml").read_text()
    assert f"path: {pets}" in config


def test_evaluating_and_predicting_read_the_middle_as_training_did(run, pets, tmp_path):
    """A wide picture whose middle alone is like what was learned must be judged by it."""
    from residua.data.fit import Center
    from residua.data.pictures import read

    run("train", "pets", *FAST)
    wide = save(tmp_path / "wide.png", photograph(90, 30))
    middle = save(tmp_path / "middle.png", photograph(90, 30)[:, 30:60])
    assert (read(wide, (3, 30, 30), Center()) == read(middle, (3, 30, 30), Center())).all()
    said = [run("predict", "last", str(path))[1].split(": ")[1] for path in (wide, middle)]
    numbers = [[float(n) for n in re.findall(r"(\d+\.\d) %", text)] for text in said]
    assert numbers[0] == pytest.approx(numbers[1], abs=2.0)


def test_the_doctor_says_what_is_wrong_and_leaves_with_3(run, pets):
    code, text = run("doctor", "pets")
    assert code == 0, text
    assert "nothing serious was found" in text
    (pets / "ant" / "000.jpg").write_text("rubbish")
    code, text = run("doctor", "pets")
    assert (code, "1 of 26 files cannot be read" in text) == (3, True)
    assert run("doctor", "nowhere")[0] == 3


def test_the_doctor_looks_at_the_machine_alone(run):
    code, text = run("doctor")
    assert code == 0, text
    assert re.search(r"torch +\d", text)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["train", "pets", "--data.validation", "0.9", "--data.test", "0.2"], 2, "must be shares"),
        (["train", "pets", "--data.size", "0"], 2, "data.size must be at least 1 pixel, got 0"),
        (["train", "pets", "--net.num-classes", "7"], 2, "the data have 2 classes"),
        (["train", "pets/ant"], 3, "pictures but no sub-folders"),
        (["train", "pet"], 2, "no recipe is called pet"),
        (["train", "./pet"], 2, "./pet is not there: there is no such folder or file"),
    ],
)
def test_bad_input_gets_a_sentence(run, pets, words, code, sentence):
    found, text = run(*words)
    assert (found, sentence in text) == (code, True), text
