import base64
import io
import re
import xml.etree.ElementTree as ET

import pytest
import torch
from PIL import Image

from residua.plots import Mark, boxes_on
from residua.plots.boxes import LOOKS

PICTURE = torch.full((3, 300, 400), 120, dtype=torch.uint8)


def drawn(*marks, picture=PICTURE):
    return ET.fromstring(boxes_on(picture, marks, name="street"))


def image_in(root):
    kind, data = root.find("image").attrib["href"].split(";base64,")
    return kind, Image.open(io.BytesIO(base64.b64decode(data)))


def test_looks_differ_without_colour():
    dashes = {look: (dashes, width) for look, (_, dashes, width) in LOOKS.items()}
    assert len(set(dashes.values())) == len({d for d, _ in dashes.values()}) == 4
    root = drawn(*(Mark((9, 9, 90, 90), look, look) for look in LOOKS))
    lines = [group.findall("rect") for group in root.findall("g")]
    assert [bright.attrib.get("stroke-dasharray", "") for _, bright in lines] == [
        dashes for _, dashes, _ in LOOKS.values()
    ]
    assert {dark.attrib["stroke"] for dark, _ in lines} == {"#000"}


def test_words_are_written_in_the_picture_and_never_as_markup():
    bad = "<script>x</script>"
    root = drawn(
        Mark((380, 0, 400, 20), "alarm", bad), Mark((0, 280, 9, 300), "miss", "missed: dog")
    )
    assert {text.text for text in root.findall("text")} == {bad, "missed: dog"}
    assert "<script" not in ET.tostring(root, encoding="unicode")
    for strip in root.findall("rect"):
        x, y, wide, high = (float(strip.attrib[key]) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= 400
        assert 0 <= y <= y + high <= 300


def test_words_can_be_left_to_those_who_point_at_the_box():
    root = drawn(Mark((9, 9, 90, 90), "hit", "cat 0.90", written=False))
    assert not root.findall("text")
    assert root.find("g").find("title").text == "cat 0.90"
    assert root.attrib["aria-label"] == "street"


def test_boxes_are_in_pixels_of_the_picture_and_end_at_its_edge():
    (group,) = drawn(Mark((-20, 10.25, 90, 500), "hit", "")).findall("g")
    place = group.find("rect").attrib
    assert [float(place[key]) for key in ("x", "y", "width", "height")] == [0, 10.2, 90, 289.8]


@pytest.mark.parametrize(
    ("height", "width", "kind", "size"),
    [(300, 400, "jpeg", (400, 300)), (20, 30, "png", (30, 20)), (1000, 2000, "jpeg", (640, 320))],
)
def test_a_picture_is_shrunk_to_what_a_page_needs(height, width, kind, size):
    root = drawn(picture=torch.zeros(3, height, width, dtype=torch.uint8))
    assert root.attrib["viewBox"] == f"0 0 {width} {height}"
    declared, image = image_in(root)
    assert (declared, image.format, image.size) == (f"data:image/{kind}", kind.upper(), size)


def test_colours_of_the_picture_are_kept():
    picture = torch.zeros(3, 8, 8, dtype=torch.uint8)
    picture[0, :, :4] = 255
    _, image = image_in(drawn(picture=picture))
    assert image.getpixel((0, 7)) == (255, 0, 0)
    assert image.getpixel((7, 0)) == (0, 0, 0)


def test_nothing_comes_from_outside():
    assert not re.search(r"https?:", boxes_on(PICTURE, [], name="street"))


def test_words_that_would_lie_on_others_give_way_to_those_of_later_boxes():
    first, second, far = (100, 99, 150, 150), (105, 100, 160, 140), (100, 250, 150, 280)
    root = drawn(
        Mark(first, "alarm", "under"), Mark(far, "hit", "far"), Mark(second, "hit", "over")
    )
    assert [text.text for text in root.findall("text")] == ["over", "far"]
    assert [group.find("title").text for group in root.findall("g")] == ["under", "far", "over"]


def test_words_longer_than_the_picture_are_cut_but_told_when_pointed_at():
    words = "× pneumonoultramicroscopicsilicovolcanoconiosis of sheep 0.93 localisation"
    root = drawn(Mark((200, 100, 300, 200), "alarm", words), picture=PICTURE)
    (text,) = root.findall("text")
    assert text.text.endswith("…")
    assert words.startswith(text.text[:-1])
    assert len(text.text) > 50
    strip = root.findall("rect")[-1].attrib
    assert float(strip["x"]) >= 0
    assert float(strip["x"]) + float(strip["width"]) <= 400
    assert root.find("g/title").text == words
