"""Detections of any detector, scored from the command line."""

import json
import re

import pytest
import torch
from PIL import Image

from residua.cli.dispatch import main
from residua.data.objects import Objects
from residua.data.voc_xml import written

CLASSES = ("cat", "dog")
OBJECTS = {
    "000001": Objects.of([[0, 0, 20, 20], [30, 10, 50, 40]], [1, 2]),
    "000002": Objects.of([[5, 5, 25, 25], [40, 0, 60, 20]], [2, 1], difficult_R=[False, True]),
    "000003": Objects.of([[0, 0, 30, 30]], [1]),
}
# The cat of the first picture, the dog of the second, a dog that is none; and the difficult cat.
FOUND = [
    {"image_id": "000001", "category_id": 1, "bbox": [0, 0, 20, 20], "score": 0.9},
    {"image_id": 2, "category_id": "dog", "bbox": [5, 5, 20, 20], "score": 0.8},
    {"image_id": "2", "category_id": "2", "bbox": [40, 30, 9, 9], "score": 0.7},
    {"image_id": "000002.jpg", "category_id": "cat", "bbox": [40, 0, 20, 20], "score": 0.95},
]


@pytest.fixture
def place(tmp_path):
    """Write the same pictures as a VOC tree, tested on the first two, and as a COCO file."""
    images, annotations = [], []
    for number, (name, objects) in enumerate(OBJECTS.items(), start=1):
        for folder in ("Annotations", "ImageSets/Main"):
            (tmp_path / "voc" / folder).mkdir(parents=True, exist_ok=True)
        text = written(f"{name}.jpg", (48, 64), objects, CLASSES)
        (tmp_path / "voc" / "Annotations" / f"{name}.xml").write_text(text)
        for folder in (tmp_path / "voc" / "JPEGImages", tmp_path / "coco" / "images"):
            folder.mkdir(parents=True, exist_ok=True)
            picture = Image.new("RGB", (64, 48), (40 * number, 90, 120))
            picture.save(folder / f"{name}.jpg")
        images.append({"id": number, "file_name": f"{name}.jpg", "height": 48, "width": 64})
        annotations += [
            {
                "id": 10 * number + i,
                "image_id": number,
                "category_id": 7 * label,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": int(hard),
            }
            for i, ((x1, y1, x2, y2), label, hard) in enumerate(
                zip(
                    objects.boxes_R4.tolist(),
                    objects.labels_R.tolist(),
                    objects.difficult_R.tolist(),
                    strict=True,
                )
            )
        ]
    lists = {"train": ["000003"], "val": ["000003"], "test": ["000001", "000002"]}
    for name, stems in lists.items():
        (tmp_path / "voc" / "ImageSets" / "Main" / f"{name}.txt").write_text("\n".join(stems))
    coco = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 7, "name": "cat"}, {"id": 14, "name": "dog"}],
    }
    (tmp_path / "coco" / "annotations").mkdir()
    (tmp_path / "coco" / "annotations" / "instances.json").write_text(json.dumps(coco))
    (tmp_path / "found.json").write_text(json.dumps(FOUND))
    return tmp_path


@pytest.fixture
def evaluate(place, capsys, monkeypatch):
    monkeypatch.chdir(place)

    def call(*words):
        code = main(["evaluate", *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_a_voc_tree_scores_the_test_part_by_every_rule(evaluate, place):
    code, text, _ = evaluate("found.json", "--data", "voc", "--save", "numbers.json")
    assert code == 0
    # Cat: one object, found. Dog: two objects, one found, by the surest detection of dogs.
    assert re.search(r"\ncat +1 +100\.0 +100\.0 ", text)
    assert re.search(r"\ndog +2 +54\.5 +50\.0 ", text)
    assert re.search(r"\nwithout difficult objects +77\.27 +75\.00 +He 2015", text)
    # With the difficult one, the second cat is found, too.
    assert re.search(r"\nwith difficult objects +77\.27 +75\.00\n", text)
    assert "4 detections of found.json in 2 images: the test part of voc (a VOC tree)" in text
    numbers = json.loads((place / "numbers.json").read_text())
    assert numbers["coco"]["AP50"] == pytest.approx(100 * (1 + 51 / 101) / 2)
    assert [each["objects"] for each in numbers["classes"]] == [1, 2]


def test_difficult_objects_count_if_they_are_to(evaluate):
    _, text, _ = evaluate("found.json", "--data", "voc", "--difficult")
    assert re.search(r"\ncat +2 +100\.0 +100\.0 ", text)
    assert "COCO: with difficult objects" in text


def test_a_coco_set_that_nothing_divides_is_scored_whole_by_its_own_numbers(evaluate, place):
    coco = [{**each, "image_id": int(str(each["image_id"])[:6])} for each in FOUND]
    for each in coco:
        each["category_id"] = {1: 7, "2": 14}.get(each["category_id"], each["category_id"])
    (place / "of_coco.json").write_text(json.dumps(coco))
    code, text, _ = evaluate("of_coco.json", "--data", "coco")
    assert code == 0
    assert "in 3 images: all of coco (a COCO file)" in text
    assert re.search(r"\ncat +2 +54\.5 +50\.0 ", text)


def test_a_page_shows_curves_and_mistakes(evaluate, place):
    code, text, _ = evaluate("found.json", "--data", "voc", "--page", "out")
    assert code == 0
    assert "page: out/report.html" in text
    page = (place / "out" / "report.html").read_text()
    assert "mAP@.5 75.0 %" in page
    assert "missed: dog" in page
    assert page.count('class="boxes"') == 1
    assert not re.search("https?:", page)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["found.json"], 2, "found.json needs --data"),
        (["none.json", "--data", "voc"], 3, "none.json is not there"),
        (["found.json", "--data", "none"], 3, "none is not there"),
        (["found.json", "--data", "coco/images"], 3, "neither a VOC tree nor a COCO file"),
        (["found.json", "--data", "voc", "--part", "validation"], 3, "is of the picture '000001'"),
        (["found.json", "--data", "voc", "--save", "a.txt"], 2, "ends in .json, got a.txt"),
        (["found.json", "b.json", "--data", "voc"], 2, "one file at a time, got 2"),
        (["found.json", "--data", "voc", "--refine"], 2, "--refine is for runs, not for found"),
    ],
)
def test_what_does_not_fit_is_answered_with_a_sentence(evaluate, words, code, sentence):
    assert (evaluate(*words)[0], sentence in evaluate(*words)[2]) == (code, True)


def test_a_detection_outside_of_the_set_is_named(evaluate, place):
    bad = [*FOUND, {**FOUND[0], "category_id": "cow", "image_id": "000009"}]
    (place / "bad.json").write_text(json.dumps(bad))
    code, _, text = evaluate("bad.json", "--data", "voc")
    assert code == 3
    assert "bad.json: detection 5 of 5 is of the picture '000009', which is not among the 2" in text


def test_random_detections_print_no_number_that_is_none(evaluate, place):
    torch.manual_seed(1)
    some = [
        {
            "image_id": f"00000{1 + i % 2}",
            "category_id": 1 + i % 2,
            "bbox": (20 * torch.rand(4)).tolist(),
            "score": torch.rand(()).item(),
        }
        for i in range(30)
    ]
    (place / "some.json").write_text(json.dumps(some))
    code, text, _ = evaluate("some.json", "--data", "voc")
    assert code == 0
    assert "nan" not in text
    assert "inf" not in text
