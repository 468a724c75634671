import shutil

import pytest

from boxed import annotation, voc
from residua.cli import doctor
from residua.data.object_doctor import examine_objects
from residua.data.recognise_objects import recognise_objects
from residua.errors import DataError

NAMES = [f"{i:02d}" for i in range(30)]
LISTS = {"train": NAMES[:24], "val": NAMES[24:27], "test": NAMES[27:]}


def things(name="cat", box=(1, 1, 10, 20)):
    return [(name, box), ("dog", (5, 5, 20, 20))]


@pytest.fixture
def tree(tmp_path):
    """A set with nothing wrong with it."""
    return voc(tmp_path / "set", {name: things() for name in NAMES}, LISTS, ending=".jpg")


def told(tree, *, serious=None):
    found = examine_objects(recognise_objects(tree)).findings
    return [f.sentence for f in found if serious is None or f.serious == serious]


def rewrite(tree, name, marked, size=(40, 30)):
    (tree / "Annotations" / f"{name}.xml").write_text(annotation(marked, size))


def test_nothing_is_found_where_nothing_is_wrong(tree):
    assert told(tree) == []


def test_boxes_without_area_outside_and_over_the_edge(tree):
    rewrite(tree, "01", things(box=(4, 4, 4, 4)))
    rewrite(tree, "02", things(box=(4, 4, 80, 20)))
    rewrite(tree, "03", things(box=(60, 4, 80, 20)))
    said = told(tree, serious=False)
    assert any(s.startswith("1 box has no area and is left out (such as 01)") for s in said)
    assert any(s.startswith("1 box reaches over the edge of its picture") for s in said)
    (sentence,) = told(tree, serious=True)
    assert sentence.startswith("1 box lies outside of its picture and is left out (such as 03)")


def test_missing_cut_short_and_unannotated_pictures(tree):
    (tree / "JPEGImages" / "05.jpg").unlink()
    path = tree / "JPEGImages" / "06.jpg"
    path.write_bytes(path.read_bytes()[:-40])
    (tree / "Annotations" / "07.xml").unlink()
    (sentence,) = told(tree, serious=True)
    assert "2 of 29 pictures cannot be read" in sentence
    assert "05.jpg is not there" in sentence
    assert "06.jpg is cut short" in sentence
    (sentence,) = told(tree, serious=False)
    assert sentence.startswith("1 picture has no annotation and is left out (such as 07)")


def test_pixels_from_0_are_told(tree):
    for name in NAMES:
        rewrite(tree, name, things(box=(0, 0, 39, 29)))
    assert told(tree) == ["pixels numbered from 0, the last one inside (VOC numbers them from 1)"]


def test_classes_unknown_spelt_twice_untested_and_rare(tree):
    rewrite(tree, "28", things("cow"))
    rewrite(tree, "03", things("Cat"))
    said = told(tree)
    assert any(
        s.startswith("objects of cow are to be found in the parts held out, but there are none to ")
        for s in said[:2]
    )
    assert any(s.startswith("'Cat' and 'cat' are taken for different classes") for s in said[:2])
    assert "there are no objects of Cat to test on: the AP cannot be told" in said
    assert "there are fewer than 20 objects to learn from of Cat" in said


def test_a_picture_that_is_learned_from_and_tested_on(tree):
    shutil.copy(tree / "JPEGImages" / "28.jpg", tree / "JPEGImages" / "02.jpg")
    (sentence,) = told(tree, serious=True)
    assert sentence.startswith("1 pictures lie in more than one part, such as ")
    assert "02.jpg" in sentence
    assert "28.jpg" in sentence
    (tree / "ImageSets" / "Main" / "test.txt").write_text("28\n03\n")
    assert any("1 picture is in more than one part" in s for s in told(tree, serious=True))


def test_sizes_that_disagree_with_the_annotation(tree):
    rewrite(tree, "04", things(), size=(400, 300))
    (sentence,) = told(tree, serious=True)
    assert sentence.startswith("1 picture has another size than its annotation says")


def test_copies_in_one_part_are_no_disaster(tree):
    shutil.copy(tree / "JPEGImages" / "01.jpg", tree / "JPEGImages" / "02.jpg")
    assert [s.partition(",")[0] for s in told(tree, serious=False)] == ["1 pictures are copies"]


def test_a_set_that_cannot_be_used_is_one_serious_sentence(tree):
    for name in NAMES:
        rewrite(tree, name, [])
    examined = examine_objects(recognise_objects(tree))
    assert examined.surveyed is None
    assert "none has an object" in examined.findings[0].sentence


def test_the_command_prints_a_table_and_what_it_found(tree, capsys):
    rewrite(tree, "01", things(box=(4, 4, 4, 4)))
    doctor.main([str(tree)])
    out = capsys.readouterr().out
    assert "a VOC tree, 30 pictures with 59 objects of 2 classes" in out.replace("\n", " ")
    assert "1 box has no area" in out
    assert "nothing serious was found" in out
    rewrite(tree, "04", things(), size=(400, 300))
    with pytest.raises(DataError, match="1 picture has another size"):
        doctor.main([str(tree)])


@pytest.mark.data
def test_blood_cells_can_be_trained_on(real_data):
    found = examine_objects(recognise_objects(real_data("bccd")))
    assert [f.sentence for f in found.findings if f.serious] == []
    assert any(f.sentence.startswith("2 boxes have no area") for f in found.findings)


@pytest.mark.data
def test_few_objects_of_many_classes_are_told(real_data):
    found = examine_objects(recognise_objects(real_data("coco128")))
    assert any("none to learn from: check the spelling" in f.sentence for f in found.findings)
    assert any("fewer than 20 objects to learn from of" in f.sentence for f in found.findings)
