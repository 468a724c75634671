import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from pictured import photograph, save
from residua.data.annotated import AnnotatedFiles, AnnotatedImages, ObjectTable
from residua.data.objects import TYPES, Objects
from residua.errors import DataError, ShapeError

FOUND = [
    Objects.of([[0, 0, 5, 5], [1, 1, 4, 6]], [1, 2], crowd_R=[True, False]),
    Objects.none(),
    Objects.of([[2, 2, 3, 9]], [2], difficult_R=[True]),
]


def in_memory():
    pictures = [torch.full((3, 10 + i, 8), i, dtype=torch.uint8) for i in range(3)]
    return AnnotatedImages(pictures, ObjectTable.of(FOUND), ("ant", "bee"), ("x", "y", "z"))


def in_files(root):
    paths = tuple(save(root / f"{i}.png", photograph(8, 10 + i, seed=i)) for i in range(3))
    sizes = [(10 + i, 8) for i in range(3)]
    return AnnotatedFiles(paths, ObjectTable.of(FOUND), ("ant", "bee"), ("x", "y", "z"), sizes)


def same(one, other):
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in TYPES)


@pytest.fixture(params=["memory", "files"])
def held(request, tmp_path):
    return in_memory() if request.param == "memory" else in_files(tmp_path)


def test_a_table_gives_back_what_it_was_made_of():
    table = ObjectTable.of(FOUND)
    assert len(table) == 3
    assert all(same(table[index], FOUND[index]) for index in range(3))
    assert table.picture_of().tolist() == [0, 0, 2]
    chosen = table.select(torch.tensor([2, 0, 1]))
    assert all(same(chosen[place], FOUND[index]) for place, index in enumerate([2, 0, 1]))
    empty = ObjectTable.of([Objects.none()])
    assert len(empty[0]) == 0


def test_pictures_and_their_objects(held):
    assert len(held) == 3
    assert held.sizes == [(10, 8), (11, 8), (12, 8)]
    for index in range(3):
        assert held.picture(index).shape == (3, *held.sizes[index])
        assert held.picture(index).dtype == torch.uint8
        assert same(held.objects(index), FOUND[index])


def test_what_is_selected_belongs_together(held):
    chosen = held.select(torch.tensor([2, 0]))
    assert chosen.names == ("z", "x")
    assert chosen.sizes == [(12, 8), (10, 8)]
    assert torch.equal(chosen.picture(0), held.picture(2))
    assert same(chosen.objects(1), FOUND[0])


def test_a_fingerprint_names_all_that_matters(held):
    same_order = held.select(torch.tensor([0, 1, 2]))
    assert same_order.fingerprint() == held.fingerprint()
    assert len(held.fingerprint()) == 12
    others = [
        held.select(torch.tensor([1, 0, 2])),
        dataclasses.replace(held, names=("x", "y", "w")),
        dataclasses.replace(held, classes=("ant", "wasp")),
        dataclasses.replace(held, table=ObjectTable.of([FOUND[0], FOUND[0], FOUND[2]])),
    ]
    assert len({held.fingerprint(), *(other.fingerprint() for other in others)}) == 5


def test_pixels_are_part_of_the_fingerprint_in_memory():
    held, other = in_memory(), in_memory()
    other.pictures[1][0, 0, 0] = 9
    assert held.fingerprint() != other.fingerprint()


def test_a_file_that_changed_or_went_is_told(tmp_path):
    held = in_files(tmp_path)
    save(held.paths[0], photograph(9, 9))
    with pytest.raises(DataError, match=r"0\.png has 9x9 pixels, but 8x10 were expected"):
        held.picture(0)
    held.paths[1].unlink()
    with pytest.raises(DataError, match=r"1\.png is not there"):
        held.picture(1)
    with pytest.raises(DataError, match=r"1\.png is not there any more"):
        held.fingerprint()


@pytest.mark.parametrize(("mode", "turn"), [("L", 1), ("CMYK", 1), ("RGB", 6), ("RGB", 3)])
def test_pictures_are_read_upright_in_three_colours_and_whole(tmp_path, mode, turn):
    pixels = photograph(64, 48, seed=2)
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(pixels).convert(mode).save(path, quality=95, exif=exif)
    size = (64, 48) if turn == 6 else (48, 64)
    held = AnnotatedFiles((path,), ObjectTable.of([Objects.none()]), ("ant",), ("a",), [size])
    with Image.open(path) as picture:
        expected = ImageOps.exif_transpose(picture).convert("RGB")
    found = held.picture(0).permute(1, 2, 0).int()
    assert torch.equal(found, torch.tensor(np.array(expected)).int())


def test_what_does_not_belong_together_is_refused():
    held = in_memory()
    with pytest.raises(DataError, match="two pictures have the name x"):
        dataclasses.replace(held, names=("x", "y", "x"))
    with pytest.raises(DataError, match="the label 2, but there are 1 classes"):
        dataclasses.replace(held, classes=("ant",))
    with pytest.raises(ShapeError, match="2 names"):
        dataclasses.replace(held, names=("x", "y"), table=ObjectTable.of(FOUND[:2]))
    with pytest.raises(ShapeError, match="3 pictures have the objects of 2"):
        dataclasses.replace(held, table=ObjectTable.of(FOUND[:2]))
    with pytest.raises(ShapeError, match=r"must be 3, H, W of type uint8, got \(1, 4, 4\)"):
        dataclasses.replace(held, pictures=[torch.zeros(1, 4, 4, dtype=torch.uint8)] * 3)
    with pytest.raises(DataError, match="a set of pictures is empty"):
        AnnotatedImages([], ObjectTable.of([]), ("ant",), ())
