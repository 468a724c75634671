import io
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pictured import photograph, save
from residua.data.decode import cut
from residua.data.upright import TURNS, Box, plain
from residua.errors import DataError


def all_of(size, out):
    return Box(0, 0, *size), out


def reference(path, box, size):
    """The same part the plain way: decode everything, turn it upright, resize the box."""
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    part = upright.resize(size, Image.Resampling.BILINEAR, box=box)
    return torch.from_numpy(np.array(part)).permute(2, 0, 1)


@pytest.mark.parametrize("turn", [1, *TURNS, 9])
@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_a_part_of_a_turned_picture_is_that_of_the_upright_one(tmp_path, turn, ending):
    path = save(tmp_path / f"a{ending}", photograph(61, 40), turn=turn)
    seen = []

    def choose(size):
        seen.append(size)
        return Box(3.5, 8, 27.25, 33), (20, 17)

    found = cut(path, choose, 3)
    assert seen == [(40, 61) if turn in {5, 6, 7, 8} else (61, 40)]
    expected = reference(path, (3.5, 8, 27.25, 33), (20, 17))
    assert (found.int() - expected.int()).abs().max() <= 1


def test_a_jpeg_is_decoded_small_and_looks_the_same(tmp_path, monkeypatch):
    path = save(tmp_path / "a.jpg", photograph(1200, 900), quality=95)
    sizes = []
    monkeypatch.setattr(
        "residua.data.upright.plain", lambda picture: sizes.append(picture.size) or plain(picture)
    )
    box = Box(100, 50, 700, 500)
    found = cut(path, lambda _: (box, (100, 75)), 3)
    assert sizes == [(300, 225)]
    expected = reference(path, box, (100, 75))
    assert (found.int() - expected.int()).abs().max() <= 4


@pytest.mark.parametrize(("wanted", "decoded"), [(100, 100), (101, 200), (200, 200), (300, 400)])
def test_a_jpeg_is_never_decoded_smaller_than_asked_for(tmp_path, monkeypatch, wanted, decoded):
    path = save(tmp_path / "a.jpg", photograph(800, 800))
    sizes = []
    monkeypatch.setattr(
        "residua.data.upright.plain",
        lambda picture: sizes.append(picture.size[0]) or plain(picture),
    )
    cut(path, lambda size: all_of(size, (wanted, wanted)), 3)
    assert sizes == [decoded]


def test_mirroring_swaps_left_and_right(tmp_path):
    path = save(tmp_path / "a.png")
    found = [cut(path, lambda size: all_of(size, (9, 7)), 3, mirror=m) for m in (False, True)]
    assert torch.equal(found[0].flip(2), found[1])


def as_read(path, channels=3):
    with Image.open(path) as picture:
        size = picture.size
    return cut(path, lambda _: all_of(size, size), channels)


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, ending):
    values = np.array([[0, 257, 32_896, 65_535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"a{ending}")
    assert as_read(tmp_path / f"a{ending}", 1).flatten().tolist() == [0, 1, 128, 255]


def test_fractions_and_large_integers_are_scaled_by_their_range(tmp_path):
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32)).save(tmp_path / "a.tif")
    assert as_read(tmp_path / "a.tif", 1).flatten().tolist() == [0, 128, 255]
    Image.fromarray(np.array([[0, 500_000, 1_000_000]], dtype=np.int32)).save(tmp_path / "b.tif")
    assert as_read(tmp_path / "b.tif", 1).flatten().tolist() == [0, 128, 255]


def test_four_inks_become_the_colours_that_pillow_gives(tmp_path):
    inks = Image.fromarray(photograph()).convert("CMYK")
    inks.save(tmp_path / "a.jpg", quality=95)
    found = as_read(tmp_path / "a.jpg").permute(1, 2, 0).numpy().astype(int)
    assert np.abs(found - photograph().astype(int)).mean() < 6


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "YCbCr", "LAB", "HSV"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_becomes_grey_or_colour(mode, channels, tmp_path):
    picture = Image.fromarray(photograph()).convert("RGB")
    if mode in {"LAB", "HSV"}:
        assert plain(picture.convert("HSV") if mode == "HSV" else picture).mode == "RGB"
        return
    picture = picture.convert("L").convert(mode) if mode == "LA" else picture.convert(mode)
    path = tmp_path / ("a.tif" if mode == "YCbCr" else "a.png")
    picture.save(path)
    assert as_read(path, channels).shape == (channels, 48, 64)


def test_transparent_palettes_are_laid_on_white(tmp_path):
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "a.gif", transparency=1)
    found = as_read(tmp_path / "a.gif")
    assert found[:, 0, 0].tolist() == [0, 0, 0]
    assert found[:, 1, 1].tolist() == [255, 255, 255]


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert as_read(tmp_path / "a.gif")[:, 0, 0].tolist() == [255, 0, 0]


def test_a_file_cut_short_is_named(tmp_path):
    path = save(tmp_path / "a.jpg", photograph(200, 200))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"a.jpg cannot be read as a picture: .*truncated"):
        as_read(path)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_odd_exif_is_no_reason_to_refuse_a_picture(tmp_path):
    path = save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert as_read(path).shape == (3, 48, 64)


def encoded(kind, **options):
    file = io.BytesIO()
    Image.fromarray(photograph(40, 30)).save(file, kind, **options)
    return file.getvalue()


KINDS = {
    "JPEG": {},
    "PNG": {},
    "GIF": {},
    "BMP": {},
    "WEBP": {},
    "PPM": {},
    "TIFF": {"compression": "tiff_lzw"},
}
ENCODED = [encoded(kind, **options) for kind, options in KINDS.items()]


# What Pillow warns of in damaged files is no news.
@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ENCODED),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12),
    st.booleans(),
)
def test_a_damaged_picture_is_read_or_answered_in_a_sentence(content, changes, in_head):
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % (min(len(damaged), 120) if in_head else len(damaged))] = value
    with suppress(DataError):
        assert cut(bytes(damaged), all_of_it, 3, most_pixels=10**6).shape == (3, 8, 8)


def all_of_it(size):
    return all_of(size, (8, 8))
