import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boxed import annotation, voc
from pictured import photograph, save
from residua.data.annotated import AnnotatedImages, ObjectTable
from residua.data.objects import AnnotatedSplits, Objects
from residua.data.voc import VocConfig
from residua.data.voc_tree import write_voc
from residua.data.voc_xml import guess_pixels, read_annotation, to_half_open, to_voc
from residua.errors import ConfigError, DataError, DataWarning

LISTS = {"train": ["a", "b"], "val": ["c"], "test": ["d"], "trainval": ["a", "b", "c"]}


def one(box=(1, 1, 10, 20), name="cat"):
    return [(name, box)]


def four(**others):
    return {"a": one(), "b": one(name="dog"), "c": one(), "d": one(), **others}


def boxes(part):
    return {name: part.objects(i).boxes_R4.tolist() for i, name in enumerate(part.names)}


def test_a_tree_with_lists(tmp_path):
    pictures = four(b=[("dog", (3, 4, 40, 30), True), ("cat", (5.5, 6, 7.25, 8), False)])
    splits = VocConfig(path=str(voc(tmp_path, pictures, LISTS))).load()
    assert splits.train.classes == ("cat", "dog")
    assert [splits.train.names, splits.validation.names, splits.test.names] == [
        ("a", "b"),
        ("c",),
        ("d",),
    ]
    # VOC's first pixel is 1, and its last is inside.
    assert boxes(splits.train) == {"a": [[0, 0, 10, 20]], "b": [[2, 3, 40, 30], [4.5, 5, 7.25, 8]]}
    found = splits.train.objects(1)
    assert found.labels_R.tolist() == [2, 1]
    assert found.difficult_R.tolist() == [True, False]
    assert found.area_R.tolist() == [38 * 27, 2.75 * 3]
    assert splits.train.sizes == [(30, 40), (30, 40)]
    assert torch.equal(
        splits.train.picture(0), torch.tensor(photograph(40, 30, seed=0)).permute(2, 0, 1)
    )


def test_the_lists_of_the_papers(tmp_path):
    path = str(voc(tmp_path, four(), LISTS))
    splits = VocConfig(path=path, train="trainval", validation="").load()
    assert [splits.train.names, splits.validation, splits.test.names] == [
        ("a", "b", "c"),
        None,
        ("d",),
    ]
    with pytest.raises(ConfigError, match=r"trainval holds the pictures of data\.validation val"):
        VocConfig(path=path, train="trainval").load()


def test_difficult_objects_are_flagged_used_or_dropped(tmp_path):
    pictures = four(a=[("cat", (1, 1, 5, 5), True), ("cat", (2, 2, 9, 9), False)])
    path = str(voc(tmp_path, pictures, LISTS))

    def flags(difficult):
        splits = VocConfig(path=path, difficult=difficult).load()
        return splits.train.objects(0).difficult_R.tolist()

    assert flags("flag") == [True, False]
    assert flags("use") == [False, False]
    assert flags("drop") == [False]


def test_several_years_are_used_together_and_a_secret_test_part_is_none(tmp_path):
    voc(tmp_path / "VOC2007", four(), LISTS)
    voc(tmp_path / "VOC2012", {"a": one(), "x": one()}, {"train": ["a", "x"], "test": ["secret"]})
    splits = VocConfig(path=str(tmp_path)).load()
    assert splits.train.names == ("VOC2007/a", "VOC2007/b", "VOC2012/a", "VOC2012/x")
    assert splits.test.names == ("VOC2007/d",)
    assert VocConfig(path=str(tmp_path)).surveyed().survey.kind == "VOC trees (VOC2007, VOC2012)"


def test_pictures_beside_annotations_in_folders_of_the_parts(tmp_path):
    for number, part in enumerate(("train", "valid", "test")):
        save(tmp_path / part / "a.v1.jpg", photograph(40, 30, seed=number))
        (tmp_path / part / "a.v1.xml").write_text(annotation(one()))
    splits = VocConfig(path=str(tmp_path)).load()
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [1, 1, 1]
    assert splits.test.names == ("test/a.v1",)


def test_without_lists_every_class_is_in_every_part(tmp_path):
    names = [f"{i:03d}" for i in range(100)]
    pictures = {stem: one(name="rare" if i % 5 == 0 else "often") for i, stem in enumerate(names)}
    found = VocConfig(path=str(voc(tmp_path, pictures))).surveyed()
    splits = found.splits
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [70, 15, 15]
    assert found.how.startswith("split here by content")
    for part in (splits.validation, splits.test):
        assert [int((part.table.held.labels_R == k).sum()) for k in (1, 2)] == [12, 3]
    every = {*splits.train.names, *splits.validation.names, *splits.test.names}
    assert every == set(names)
    again = VocConfig(path=str(tmp_path)).load()
    assert again.test.names == splits.test.names


def test_copies_of_a_picture_stay_in_one_part(tmp_path):
    root = voc(tmp_path, {f"{i:02d}": one() for i in range(30)})
    for i in range(0, 30, 3):
        content = (root / "JPEGImages" / f"{i:02d}.png").read_bytes()
        (root / "JPEGImages" / f"{i + 1:02d}.png").write_bytes(content)
    splits = VocConfig(path=str(root)).load()
    for part in (splits.train, splits.validation, splits.test):
        numbers = {int(name) for name in part.names}
        assert all((i in numbers) == (i + 1 in numbers) for i in range(0, 30, 3))


def test_one_part_held_out_is_tested_on_and_never_chosen_with(tmp_path):
    pictures = {f"{i:02d}": one() for i in range(20)}
    listed = [*pictures]
    root = voc(tmp_path, pictures, {"train": listed[:15], "val": listed[15:]})
    found = VocConfig(path=str(root)).surveyed()
    assert found.splits.test.names == tuple(listed[15:])
    assert len(found.splits.validation) == 2
    assert found.how.startswith("validation part to test on, pictures to choose with taken out")


@pytest.mark.parametrize(
    ("box", "said", "expected"),
    [
        ((0, 5, 10, 10), "1 box reaches over the edge of its picture", [[0, 4, 10, 10]]),
        ((5, 5, 60, 40), "1 box reaches over the edge of its picture", [[4, 4, 40, 30]]),
        ((7, 7, 7, 7), r"1 box has no area and is left out \(such as a\)", []),
        ((9, 5, 5, 9), "1 box has no area", []),
        ((50, 5, 60, 9), "1 box lies outside of its picture", []),
        (("x", 5, 60, 9), "1 object has no name or no readable box", []),
        (("nan", 5, 60, 9), "1 object has no name or no readable box", []),
    ],
)
def test_odd_boxes_are_cut_or_left_out_and_said(tmp_path, box, said, expected):
    root = voc(tmp_path, four(a=one(box)), LISTS)
    with pytest.warns(DataWarning, match=said):
        splits = VocConfig(path=str(root)).load()
    assert boxes(splits.train)["a"] == expected


def test_a_line_one_pixel_wide_is_a_box_in_vocs_pixels(tmp_path):
    splits = VocConfig(path=str(voc(tmp_path, four(a=one((7, 3, 7, 9))), LISTS))).load()
    assert boxes(splits.train)["a"] == [[6, 2, 7, 9]]


def test_odd_files_are_read(tmp_path):
    named = annotation(one(), size=None, filename="other.jpg", extra="<made><by>x</by></made>")
    root = voc(tmp_path, four(a=named, b=annotation(one(), size=(0, 0)), c=annotation([])), LISTS)
    (root / "JPEGImages" / "a.png").rename(root / "JPEGImages" / "other.jpg")
    # What one operating system leaves behind when another unpacks.
    (root / "Annotations" / "._a.xml").write_bytes(b"\0\5\26\7")
    splits = VocConfig(path=str(root)).load()
    assert splits.train.sizes == [(30, 40), (30, 40)]
    assert splits.train.paths[0].name == "other.jpg"
    assert len(splits.validation.objects(0)) == 0


def test_pictures_without_objects_can_be_left_out_of_what_is_learned_from(tmp_path):
    root = voc(tmp_path, four(a=[], d=[]), LISTS)
    splits = VocConfig(path=str(root), keep_empty=False).load()
    assert splits.train.names == ("b",)
    assert splits.test.names == ("d",)


def test_missing_pictures_and_annotations_are_told(tmp_path):
    root = voc(tmp_path, four(), LISTS)
    (root / "JPEGImages" / "a.png").unlink()
    with pytest.raises(DataError, match=r"1 of 4 pictures cannot be read: .*a.jpg is not there"):
        VocConfig(path=str(root)).load()
    with pytest.warns(DataWarning, match="they are left out"):
        splits = VocConfig(path=str(root), max_unreadable=0.5).load()
    assert splits.train.names == ("b",)
    (root / "Annotations" / "b.xml").write_text("<annotation>")
    with pytest.raises(DataError, match=r"1 of 2 annotations cannot be read: .*b.xml"):
        VocConfig(path=str(root)).load()
    (root / "Annotations" / "b.xml").unlink()
    with pytest.raises(DataError, match="leaves no pictures to train on"):
        VocConfig(path=str(root), max_unreadable=0.5).load()


def test_a_picture_on_its_side_that_was_annotated_so_has_its_boxes_turned(tmp_path):
    pictures = {
        stem: annotation(one((1, 1, 10, 20)), size=(40, 30)) for stem in ("a", "b", "c", "d")
    }
    root = voc(tmp_path, pictures, LISTS, ending=".jpg", turn=6)
    with pytest.warns(DataWarning, match="4 pictures are stored on their sides"):
        splits = VocConfig(path=str(root)).load()
    # Turned by a quarter: what was at the left is at the top, what was at the top at the right.
    assert splits.train.sizes[0] == (40, 30)
    assert boxes(splits.train)["a"] == [[10, 0, 30, 10]]
    assert splits.train.picture(0).shape == (3, 40, 30)


def test_classes_can_be_chosen_and_others_are_counted(tmp_path):
    root = voc(tmp_path, four(), LISTS)
    with pytest.warns(DataWarning, match=r"1 object is of a class that is not .*dog in b"):
        splits = VocConfig(path=str(root), classes=("bird", "cat")).load()
    assert splits.train.classes == ("bird", "cat")
    assert splits.test.objects(0).labels_R.tolist() == [2]
    assert len(splits.train.objects(1)) == 0


@pytest.mark.parametrize(
    ("box", "pixels", "expected"),
    [
        ((1, 1, 40, 30), "voc", (0, 0, 40, 30)),
        ((0, 0, 39, 29), "zero", (0, 0, 40, 30)),
        ((0, 0, 40, 30), "half_open", (0, 0, 40, 30)),
    ],
)
def test_pixels_are_told_by_the_boxes_that_touch_the_edges(tmp_path, box, pixels, expected):
    path = tmp_path / "a.xml"
    path.write_text(annotation([("cat", box), ("cat", (5, 6, 7, 8))]))
    assert guess_pixels([read_annotation(path)]) == pixels
    root = voc(tmp_path / "set", dict.fromkeys("abcd", one(box)), LISTS)
    found = VocConfig(path=str(root)).surveyed()
    assert boxes(found.splits.train)["a"] == [list(expected)]
    said = [] if pixels == "voc" else ["VOC numbers them from 1" in s for s in found.sentences()]
    assert all(said)
    assert len(said) == len(found.sentences())


def test_one_zero_among_many_ones_does_not_change_the_pixels(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(annotation([("cat", (1, 1, 5, 5)), ("cat", (0, 9, 12, 14))]))
    assert guess_pixels([read_annotation(path)]) == "voc"


@given(st.lists(st.floats(0, 5000, width=32), min_size=4, max_size=4))
def test_there_and_back_is_the_same_box(edges):
    left, right = sorted(edges[:2])
    top, bottom = sorted(edges[2:])
    box = (left, top, right + 2, bottom + 2)
    assert to_half_open(to_voc(box), "voc") == pytest.approx(box, abs=1e-9)


def small_set():
    random = torch.Generator().manual_seed(3)
    sizes = [(9, 7), (1, 12), (20, 20), (8, 8)]
    pictures = [torch.randint(0, 256, (3, *s), generator=random).byte() for s in sizes]
    objects = [
        Objects.of([[1, 2, 5, 9], [0.5, 0.25, 7, 3]], [2, 1], difficult_R=[True, False]),
        Objects.of([[3, 0, 12, 1]], [1]),
        Objects.none(),
        Objects.of([[0, 0, 8, 8]], [2]),
    ]
    names = ("p/a", "p/b", "c", "d")
    return AnnotatedImages(pictures, ObjectTable.of(objects), ("ant", "bee"), names)


def test_a_set_written_as_a_tree_is_read_as_it_was(tmp_path):
    held = small_set()
    parts = [held.select(torch.tensor(chosen)) for chosen in ([0, 1], [2], [3])]
    root = write_voc(AnnotatedSplits(*parts), tmp_path / "tree")
    read = VocConfig(path=str(root), pixels="voc").load()
    assert read.train.names == ("p_a", "p_b")
    for before, after in zip(parts, (read.train, read.validation, read.test), strict=True):
        assert after.sizes == before.sizes
        for index in range(len(before)):
            assert torch.equal(after.picture(index), before.picture(index))
            for name in ("boxes_R4", "labels_R", "difficult_R"):
                expected = getattr(before.objects(index), name)
                assert torch.equal(getattr(after.objects(index), name), expected)
    with pytest.raises(DataError, match="is not empty"):
        write_voc(AnnotatedSplits(*parts), root)
    twice = write_voc(AnnotatedSplits(held, None, held), tmp_path / "twice")
    assert len(list((twice / "JPEGImages").iterdir())) == 8


def test_what_is_no_tree_is_said(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        VocConfig(path=str(tmp_path / "nowhere")).load()
    with pytest.raises(DataError, match="is no VOC tree: it should have the folders JPEGImages"):
        VocConfig(path=str(tmp_path)).load()
    with pytest.raises(ConfigError, match=r"data\.path is not set"):
        VocConfig().load()
    root = voc(tmp_path / "set", dict.fromkeys("abcd", annotation([])), LISTS)
    with pytest.raises(DataError, match="has 4 annotations, but none has an object"):
        VocConfig(path=str(root)).load()
    for file in (root / "Annotations").iterdir():
        file.write_text("<annotation>")
    with pytest.raises(DataError, match=r"none of 2 annotations can be read: .*\.xml cannot be"):
        VocConfig(path=str(root), max_unreadable=1.0).load()
    with pytest.raises(ConfigError, match=r"must leave something to learn from, got 0\.5 and 0\.5"):
        VocConfig(
            path=str(voc(tmp_path / "b", four())), validation_share=0.5, test_share=0.5
        ).load()


@pytest.mark.data
def test_blood_cells(real_data):
    path = str(real_data("bccd"))
    with pytest.warns(DataWarning, match="2 boxes have no area and are left out"):
        splits = VocConfig(path=path).load()
    parts = (splits.train, splits.validation, splits.test)
    assert [len(part) for part in parts] == [205, 87, 72]
    assert splits.train.classes == ("Platelets", "RBC", "WBC")
    assert sum(len(part.table.held) for part in parts) == 4888 - 2
    assert {size for part in parts for size in part.sizes} == {(480, 640)}
    for part in parts:
        assert (part.table.held.area_R > 0).all()
        assert part.table.held.boxes_R4.amax(0).tolist()[2:] == [640, 480]
