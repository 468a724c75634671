import json

import pytest
import torch

from boxed import coco
from residua.data.coco import CocoConfig
from residua.data.probe import header
from residua.errors import ConfigError, DataError, DataWarning

CATEGORIES = {7: "cat", 3: "dog", 90: "toothbrush"}


def things(count=12):
    return {n: [(7 if n % 2 else 3, (1, 2, 10.5, 20))] for n in range(1, count + 1)}


def one_set(root, pictures=None, **options):
    return coco(
        root / "annotations" / "instances.json",
        pictures or things(),
        root / "images",
        CATEGORIES,
        **options,
    )


def every(splits):
    return [part for part in (splits.train, splits.validation, splits.test) if part is not None]


def test_one_set_is_divided_and_categories_are_numbered_from_1(tmp_path):
    one_set(tmp_path)
    splits = CocoConfig(path=str(tmp_path)).load()
    assert [len(part) for part in every(splits)] == [8, 2, 2]
    assert splits.train.classes == ("dog", "cat", "toothbrush")
    assert splits.train.category_ids == (3, 7, 90)
    for part in every(splits):
        for index, name in enumerate(part.names):
            found = part.objects(index)
            assert found.boxes_R4.tolist() == [[1, 2, 11.5, 22]]
            assert found.labels_R.tolist() == [2 if int(name) % 2 else 1]
            assert part.paths[index].name == f"{int(name):06d}.png"


def test_a_file_is_as_good_as_its_folder(tmp_path):
    path = one_set(tmp_path)
    by_file = CocoConfig(path=str(path)).load()
    assert by_file.test.fingerprint() == CocoConfig(path=str(tmp_path)).load().test.fingerprint()


def test_the_official_layout(tmp_path):
    for year, count in (("train2014", 6), ("val2014", 3)):
        path = tmp_path / "annotations" / f"instances_{year}.json"
        coco(path, things(count), tmp_path / year, CATEGORIES)
        (tmp_path / "annotations" / f"captions_{year}.json").write_text('{"info": {}}')
    splits = CocoConfig(path=str(tmp_path), validation_share=0.0).load()
    assert splits.validation is None
    assert [len(splits.train), len(splits.test)] == [6, 3]
    assert splits.test.paths[0].parent.name == "val2014"


def test_a_folder_for_each_part_with_the_file_beside_the_pictures(tmp_path):
    categories = {0: "animals", 1: "cat", 2: "dog"}
    for part, count in (("train", 4), ("valid", 2), ("test", 1)):
        path = tmp_path / part / "_annotations.coco.json"
        pictures = {n: [(1 + n % 2, (0, 0, 5, 5))] for n in range(count)}
        coco(path, pictures, tmp_path / part, categories)
        held = json.loads(path.read_text())
        for category in held["categories"]:
            category["supercategory"] = "animals" if category["id"] else "none"
        path.write_text(json.dumps(held))
    with pytest.warns(DataWarning, match="categories only group the others"):
        splits = CocoConfig(path=str(tmp_path)).load()
    assert [len(part) for part in every(splits)] == [4, 2, 1]
    assert splits.train.classes == ("cat", "dog")
    assert splits.train.names == ("0", "1", "2", "3")


def test_other_parts_may_number_the_categories_otherwise(tmp_path):
    coco(tmp_path / "train" / "a.json", things(4), tmp_path / "train", CATEGORIES)
    other = {1: "toothbrush", 2: "cat", 3: "cow"}
    pictures = {9: [(1, (0, 0, 4, 4)), (2, (1, 1, 4, 4)), (3, (2, 2, 4, 4))]}
    coco(tmp_path / "test" / "a.json", pictures, tmp_path / "test", other)
    with pytest.warns(DataWarning, match=r"1 object is of a class that is not .*cow in 9"):
        splits = CocoConfig(path=str(tmp_path), validation_share=0.0).load()
    assert splits.test.objects(0).labels_R.tolist() == [3, 2]


def test_crowds_and_annotated_areas(tmp_path):
    marked = [
        (7, (0, 0, 10, 10), {"iscrowd": 1, "area": 33.5}),
        (3, (5, 5, 10, 10), {"iscrowd": 0, "area": 50}),
        (3, (6, 5, 10, 10)),
    ]
    one_set(tmp_path, dict.fromkeys(range(1, 13), marked))
    found = CocoConfig(path=str(tmp_path)).load().train.objects(0)
    assert found.crowd_R.tolist() == [True, False, False]
    assert found.area_R.tolist() == [33.5, 50, 100]
    assert len(found.learnable()) == 2
    without = CocoConfig(path=str(tmp_path), crowds=False).load().train.objects(0)
    assert without.area_R.tolist() == [50, 100]


def test_pictures_without_objects_are_kept_or_left_out_of_what_is_learned_from(tmp_path):
    one_set(tmp_path, {**things(10), **{n: [] for n in range(11, 31)}})
    kept = CocoConfig(path=str(tmp_path)).load()
    assert sum(map(len, every(kept))) == 30
    left = CocoConfig(path=str(tmp_path), keep_empty=False).load()
    assert all(len(left.train.objects(index)) for index in range(len(left.train)))
    assert len(left.test) == len(kept.test)


def test_odd_boxes_are_cut_or_left_out_and_said(tmp_path):
    marked = [
        (7, (-3, 2, 10, 10)),
        (7, (5, 5, 0, 10)),
        (7, (50, 5, 5, 5)),
        (55, (5, 5, 5, 5)),
        (7, (5, 5, 5)),
        (7, (35, 25, 5.005, 5)),
    ]
    pictures = {**things(12), 20: marked}
    one_set(tmp_path, pictures)
    found = CocoConfig(path=str(tmp_path)).surveyed()
    assert dict(found.odd.counts) == {"cut": 1, "no_area": 1, "outside": 1, "nameless": 2}
    (part,) = [part for part in every(found.splits) if "20" in part.names]
    boxes = part.objects(part.names.index("20")).boxes_R4
    assert boxes.tolist() == [[0, 2, 7, 12], [35, 25, 40, 30]]


def test_what_is_no_coco_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.path is not set"):
        CocoConfig().load()
    with pytest.raises(DataError, match="holds no COCO file"):
        CocoConfig(path=str(tmp_path)).load()
    path = tmp_path / "a.json"
    path.write_text("[]")
    with pytest.raises(DataError, match="is no COCO file"):
        CocoConfig(path=str(path)).load()
    path.write_text('{"images": [], "annotations": []}')
    with pytest.raises(DataError, match="cannot be read as a COCO file: lacks 'categories'"):
        CocoConfig(path=str(path)).load()
    path.write_text('{"images": [')
    with pytest.raises(DataError, match="cannot be read as a COCO file"):
        CocoConfig(path=str(path)).load()
    one_set(tmp_path / "set")
    (tmp_path / "set" / "annotations" / "more.json").write_text('{"images": []}')
    assert len(CocoConfig(path=str(tmp_path / "set")).load().train) == 8
    (tmp_path / "set" / "annotations" / "instances_b.json").write_text('{"images": []}')
    with pytest.raises(DataError, match="it is not clear which part it is of"):
        CocoConfig(path=str(tmp_path / "set")).load()


def test_ids_and_names_that_are_used_twice_are_refused(tmp_path):
    path = one_set(tmp_path)
    held = json.loads(path.read_text())
    held["images"][1]["id"] = 1
    path.write_text(json.dumps(held))
    with pytest.raises(DataError, match="gives 1 images an id that another has"):
        CocoConfig(path=str(path)).load()
    path = coco(tmp_path / "b.json", things(), tmp_path / "b", {3: "cat", 7: "cat"})
    with pytest.raises(DataError, match="two categories of the name cat"):
        CocoConfig(path=str(path)).load()


@pytest.mark.data
def test_coco128(real_data):
    splits = CocoConfig(path=str(real_data("coco128"))).load()
    parts = every(splits)
    assert sum(map(len, parts)) == 128
    assert sum(len(part.table.held) for part in parts) == 929
    assert len(splits.train.classes) == 80
    labels = torch.cat([part.table.held.labels_R for part in parts]).unique()
    assert len(labels) == 71
    grey = [
        (part, index)
        for part in parts
        for index, path in enumerate(part.paths)
        if header(path).mode == "L"
    ]
    ((part, index),) = grey
    picture = part.picture(index)
    assert picture.shape == (3, *part.sizes[index])
    assert torch.equal(picture[0], picture[2])
