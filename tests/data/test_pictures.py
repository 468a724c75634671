import numpy as np
import pytest
import torch
from PIL import Image

from residua.data.fit import Center
from residua.data.pictures import read, read_all
from residua.errors import DataError


def save(path, mode="L", size=(8, 8), value=128):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)
    return path


@pytest.mark.parametrize(
    ("mode", "value"), [("L", 200), ("RGB", (200, 200, 200)), ("1", 1), ("P", 3)]
)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7)])
def test_pictures_of_any_mode_and_size_take_the_shape_asked_for(tmp_path, mode, value, shape):
    path = save(tmp_path / "a.png", mode, (31, 17), value)
    pixels = read(path, shape)
    assert pixels.shape == shape
    assert pixels.dtype == torch.uint8


def test_a_picture_of_the_right_size_keeps_its_pixels(tmp_path):
    source = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(source).save(tmp_path / "a.png")
    assert torch.equal(read(tmp_path / "a.png", (1, 8, 8))[0], torch.from_numpy(source))


def test_a_turned_photograph_is_read_upright(tmp_path):
    source = np.zeros((8, 8), dtype=np.uint8)
    source[0] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(source).save(tmp_path / "a.png", exif=exif)
    pixels = read(tmp_path / "a.png", (1, 8, 8))[0]
    assert pixels[7].min() == 255
    assert pixels[0].max() == 0


def test_ink_on_a_transparent_ground_is_seen(tmp_path):
    source = np.zeros((8, 8, 4), dtype=np.uint8)
    source[2, 2] = (0, 0, 0, 255)
    Image.fromarray(source).save(tmp_path / "a.png")
    pixels = read(tmp_path / "a.png", (1, 8, 8))[0]
    assert pixels[2, 2] == 0
    assert (pixels == 255).sum() == 63


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    path = save(tmp_path / "a.png")
    with pytest.raises(DataError, match="more than 50 pixels"):
        read(path, (1, 8, 8))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a.png is not there"):
        read(tmp_path / "a.png", (1, 8, 8))


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(DataError, match="is not a picture"):
        read(tmp_path / "a.png", (1, 8, 8))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_truncated_picture_is_named(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.random.randint(0, 255, (64, 64), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(DataError, match="cannot be read as a picture"):
        read(path, (1, 8, 8))


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match="is not a picture"):
        read(tmp_path / "a.png", (1, 8, 8))


def test_the_middle_of_a_picture_keeps_its_proportions(tmp_path):
    source = np.zeros((10, 30), dtype=np.uint8)
    source[:, 10:20] = 255
    Image.fromarray(source).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png", (1, 5, 5), Center())[0, :, 1:4] == 255).all()
    assert read(tmp_path / "a.png", (1, 5, 5)).min() == 0


def test_many_pictures_keep_their_order_and_those_unread_are_named(tmp_path):
    paths = [save(tmp_path / f"{i}.png", value=i) for i in range(100)]
    paths[7].write_text("rubbish")
    images, unread = read_all(paths, (1, 8, 8))
    assert [fault.index for fault in unread] == [7]
    assert "7.png is not a picture" in unread[0].why
    assert images[:, 0, 0, 0].tolist() == [0 if i == 7 else i for i in range(100)]
