import numpy as np
import pytest

from pictured import class_folders, save
from residua.data.recognise import recognise
from residua.errors import DataError


def names(layout):
    return {part: found.names for part, found in layout.parts.items()}


def test_class_folders_are_sorted_and_their_pictures_numbered(tmp_path):
    class_folders(tmp_path, {"cat": 2, "ant": 1})
    save(tmp_path / "cat" / "deeper" / "x.JPG")
    layout = recognise(tmp_path)
    assert layout.classes == ("ant", "cat")
    assert names(layout) == {
        "all": ["ant/000.png", "cat/000.png", "cat/001.png", "cat/deeper/x.JPG"]
    }
    assert layout.parts["all"].labels == [0, 1, 1, 1]
    assert layout.counts() == [1, 3]


def test_clutter_is_left_out_and_other_files_are_counted(tmp_path):
    class_folders(tmp_path, {"ant": 1, "cat": 1})
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "IMG.HEIC", "README"):
        (tmp_path / "ant" / name).write_text("x")
    for folder in ("__MACOSX", ".git"):
        save(tmp_path / folder / "a.png")
        save(tmp_path / "cat" / folder / "._a.png")
    save(tmp_path / "cat" / "._b.png")
    layout = recognise(tmp_path)
    assert layout.classes == ("ant", "cat")
    assert layout.counts() == [1, 1]
    assert layout.ignored == {".txt": 1, ".heic": 1, "no ending": 1}


def test_links_are_followed_and_circles_end(tmp_path):
    class_folders(tmp_path / "set", {"ant": 1, "cat": 1})
    class_folders(tmp_path / "elsewhere", {"more": 2})
    (tmp_path / "set" / "ant" / "up").symlink_to(tmp_path / "set" / "ant")
    (tmp_path / "set" / "cat" / "more").symlink_to(tmp_path / "elsewhere" / "more")
    layout = recognise(tmp_path / "set")
    assert layout.counts() == [1, 3]


def test_a_folder_in_a_folder_is_gone_into(tmp_path):
    class_folders(tmp_path / "flowers" / "flowers", {"rose": 1, "tulip": 1})
    layout = recognise(tmp_path)
    assert layout.root == tmp_path / "flowers" / "flowers"
    assert layout.classes == ("rose", "tulip")


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "Validation"])
def test_a_split_that_is_there_is_taken(tmp_path, validation):
    class_folders(tmp_path / "train", {"ant": 2, "cat": 1})
    class_folders(tmp_path / validation, {"ant": 1, "cat": 1})
    class_folders(tmp_path / "test", {"cat": 1})
    layout = recognise(tmp_path)
    assert names(layout) == {
        "train": ["train/ant/000.png", "train/ant/001.png", "train/cat/000.png"],
        "validation": [f"{validation}/ant/000.png", f"{validation}/cat/000.png"],
        "test": ["test/cat/000.png"],
    }
    assert layout.parts["test"].labels == [1]
    assert layout.remarks == ("test has no pictures of ant",)


def test_a_class_called_train_is_a_class(tmp_path):
    class_folders(tmp_path, {"train": 2, "bus": 2, "car": 1})
    assert recognise(tmp_path).classes == ("bus", "car", "train")


SYNSETS = ("n01440764", "n01443537", "n02084071")


def imagenet(root, said, file, val="val"):
    """Lay out ImageNet as its archives unpack: class folders, and a flat part of three pictures."""
    class_folders(root / "train", dict.fromkeys(SYNSETS, 1), ending=".JPEG")
    for number in (1, 2, 3):
        save(root / val / f"ILSVRC2012_val_{number:08d}.JPEG")
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("\n".join(said) + "\n")


@pytest.mark.parametrize(
    ("said", "file"),
    [
        (["n02084071", "n01440764", "n01440764"], "imagenet_2012_validation_synset_labels.txt"),
        (
            [
                "ILSVRC2012_val_00000003.JPEG n01440764",
                "ILSVRC2012_val_00000001.JPEG n02084071",
                "ILSVRC2012_val_00000002.JPEG n01440764",
            ],
            "val/val.txt",
        ),
        (
            [
                "ILSVRC2012_val_00000001.JPEG 2",
                "ILSVRC2012_val_00000002.JPEG 0",
                "ILSVRC2012_val_00000003.JPEG 0",
            ],
            "val.txt",
        ),
        (
            [
                "ImageId,PredictionString",
                "ILSVRC2012_val_00000001,n02084071 85 1 499 272",
                "ILSVRC2012_val_00000002,n01440764 1 1 2 2 n01440764 3 3 4 4",
                "ILSVRC2012_val_00000003,n01440764 1 1 2 2",
            ],
            "LOC_val_solution.csv",
        ),
        (
            [f"ILSVRC2012_val_0000000{i}.JPEG\t{SYNSETS[j]}\t0\t0\t9\t9" for i, j in
             ((1, 2), (2, 0), (3, 0))],
            "val/val_annotations.txt",
        ),
    ],
)  # fmt: skip
def test_a_flat_part_is_labelled_by_the_file_beside_it(tmp_path, said, file):
    imagenet(tmp_path, said, file)
    layout = recognise(tmp_path)
    assert "ImageNet" in layout.kind
    found = layout.parts["validation"]
    assert found.names == [f"val/ILSVRC2012_val_0000000{i}.JPEG" for i in (1, 2, 3)]
    assert found.labels == [2, 0, 0]


def test_the_ground_truth_of_the_kit_counts_in_the_order_of_its_table(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    truth = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"
    imagenet(tmp_path, ["1", "3", "2"], truth)
    with pytest.raises(DataError, match=r"meta.mat that says which these are is not beside it"):
        recognise(tmp_path)
    table = np.zeros(4, dtype=[("ILSVRC2012_ID", "i4"), ("WNID", "O"), ("words", "O")])
    table["ILSVRC2012_ID"] = (1, 2, 3, 1001)
    table["WNID"] = (SYNSETS[2], SYNSETS[0], SYNSETS[1], "n00000001")
    table["words"] = "something"
    scipy_io.savemat((tmp_path / truth).with_name("meta.mat"), {"synsets": table})
    assert recognise(tmp_path).parts["validation"].labels == [2, 1, 0]


def test_test_pictures_without_labels_are_left_out_and_said(tmp_path):
    class_folders(tmp_path / "train", {"ant": 1, "cat": 1})
    save(tmp_path / "test" / "1.png")
    layout = recognise(tmp_path)
    assert set(layout.parts) == {"train"}
    assert layout.remarks == ("test is left out: its pictures have no labels",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "holds no pictures: it should have one sub-folder"),
        (lambda root: save(root / "1.png"), "holds 1 pictures but no sub-folders"),
        (lambda root: class_folders(root, {"ant": 2}), "one class ant"),
        (lambda root: (root / "ant").mkdir(), "holds no pictures in its 1 sub-folders"),
        (
            lambda root: (class_folders(root, {"ant": 2, "bee": 1}), (root / "cat").mkdir()),
            "no pictures in cat: put some there, or remove the folder",
        ),
        (
            lambda root: (
                class_folders(root / "train", {"ant": 2, "bee": 1}),
                class_folders(root / "val", {"ant": 1, "wasp": 1}),
            ),
            r"val has the class wasp, which is none of those learned from \(ant, bee\)",
        ),
        (
            lambda root: (
                class_folders(root / "train", {"ant": 2, "bee": 1}),
                save(root / "val" / "1.png"),
            ),
            "neither in class folders nor with a label file",
        ),
        (
            lambda root: imagenet(root, SYNSETS[:2], "val.txt"),
            "has 2 lines for 3 pictures",
        ),
        (
            lambda root: imagenet(root, [*SYNSETS[:2], "n09999999"], "val.txt"),
            "has the class n09999999",
        ),
        (
            lambda root: imagenet(root, ["other.jpg n01440764"], "val.txt"),
            "speaks of none of the 3 pictures",
        ),
    ],
)
def test_what_is_no_data_set_gets_a_sentence(tmp_path, make, message):
    root = tmp_path / "set"
    root.mkdir()
    make(root)
    with pytest.raises(DataError, match=message):
        recognise(root)


def test_a_path_that_is_not_there_or_no_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing is not there"):
        recognise(tmp_path / "nothing")
    with pytest.raises(DataError, match="is a file, not a folder"):
        recognise(save(tmp_path / "1.png"))
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(DataError, match="does not begin as annotations of COCO do"):
        recognise(tmp_path / "a.json")
