"""The commands that train, test and use detectors, on tiny ones."""

import dataclasses
import json
import re

import pytest
from PIL import Image

from boxed import coco, voc
from residua import execute, recipes, report
from residua.cli.dispatch import main
from residua.data.scenes import ScenesConfig
from residua.detect import results
from residua.train.schedule import StepsConfig
from test_detection import tiny

ONE, TWO = "tests.detector/seed0", "tests.detector/seed1"
DIGITS = "tests.digits/seed0"
NUMBER = r"\d+\.\d"


def two(**changes):
    """A detector of cats and dogs, for files."""
    net = dataclasses.replace(tiny().net, num_classes=2)
    return tiny(net=net, **changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two detectors of digits, one of cats and dogs, a classifier, and pictures for them."""
    root = tmp_path_factory.mktemp("detectors")
    short = StepsConfig(lr=0.01, at=(), until=2)
    for seed in (0, 1):
        execute.run(tiny(seed=seed, schedule=short), root=root / "runs", page=False)
    box, other = (3, 4, 20, 22), (15, 5, 35, 28)
    things = [("cat", box), ("dog", other)]
    pictures = {f"{i:03d}": things[: 1 + i % 2] for i in range(6)}
    lists = {"train": ["000", "001"], "val": ["002"], "test": ["003", "004", "005"]}
    voc(root / "voc", pictures, lists)
    voc(root / "strange", {"1": [("horse", box)]})
    numbered = {i: [(7, (3, 4, 10, 12))] for i in (1, 2)}
    coco(root / "coco/annotations/a.json", numbered, root / "coco/images", {7: "dog"})
    pets = two(name="tests.pets", schedule=short, data=voc_config(root / "voc"))
    execute.run(pets, root=root / "runs", page=False)
    digits = recipes.find("digits.resnet20")
    net = dataclasses.replace(digits.net, depth=8)
    schedule = dataclasses.replace(digits.schedule, until=1, warmup=0)
    classifier = dataclasses.replace(digits, name="tests.digits", net=net, schedule=schedule)
    execute.run(classifier, root=root / "runs", page=False)
    scenes(root)
    return root


def voc_config(path):
    from residua.data.voc import VocConfig

    return VocConfig(path=str(path), train="train", validation="val", test="test")


def scenes(root):
    """Write one scene in every way in which pictures come."""
    picture = ScenesConfig(train=1, validation=0, test=1, height=64, width=80, sides=(16, 40))
    pixels = picture.load().test.picture(0).permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    folder = root / "pictures"
    (folder / "more").mkdir(parents=True)
    image.save(folder / "a.png")
    image.save(folder / "more" / "a.png")
    image.convert("L").save(folder / "grey.jpg")
    image.convert("CMYK").save(folder / "cmyk.jpg")
    turned = Image.Exif()
    turned[274] = 6
    image.save(folder / "exif.jpg", exif=turned)
    image.resize((40, 50)).save(folder / "small.png")
    (folder / "broken.jpg").write_text("no picture")


@pytest.fixture
def run(capsys, place, monkeypatch):
    monkeypatch.chdir(place)

    def call(*words):
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def recorded(place, name):
    path = place / "runs" / name / "evaluations.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_detector_is_tested_again_as_it_was_in_its_run(run, place):
    code, text = run("evaluate", ONE)
    assert code == 0
    assert re.search(r"\nwithout difficult objects +\d", text)
    assert re.search(r"\nAP50 +\d", text)
    line = text.strip().splitlines()[-1]
    assert re.match(rf"mAP@.5 {NUMBER} % \(3 images, the test part of its own data; area", line)
    ended = json.loads((place / "runs" / ONE / "events.jsonl").read_text().splitlines()[-1])
    again = recorded(place, ONE)[-1]
    for name in ("map_area", "map_11point", "coco_ap", "coco_ap50", "protocol"):
        assert again[name] == ended[name]
    assert again["detections"] == ended["scores"]["detections"]


def test_switches_change_the_test_and_are_recorded_with_it(run, place):
    words = ("--refine", "--vote", "--scales", "48", "64", "--nms", "0.4")
    code, text = run("evaluate", ONE, *words, "--score-threshold", "0.01", "--part", "train")
    assert code == 0
    test = recorded(place, ONE)[-1]
    asked = {"refine": True, "vote": True, "scales": [48, 64], "nms": 0.4, "score_threshold": 0.01}
    assert asked.items() <= test["testing"].items()
    # 224 pixels where the shorter side is 600 are 24 where it is 64.
    assert test["testing"]["scale_side"] == 24
    assert (test["images"], test["weights"], test["count"]) == ("train", "last", 6)
    assert "box refinement, box voting" in test["protocol"]
    assert test["protocol"] in text
    assert test["environment"]["torch"]


def test_a_test_is_shown_on_the_page_of_its_run(run, place):
    folder = place / "runs" / TWO
    report.write(folder)
    run("evaluate", TWO, "--vote", "--weights", "best")
    page = (folder / "report.html").read_text()
    assert "Tested again" in page
    assert recorded(place, TWO)[-1]["protocol"] in page
    assert recorded(place, TWO)[-1]["weights"] == "best"


def test_what_is_saved_is_scored_alike_from_its_file(run, place):
    words = ("--score-threshold", "0.01", "--data", "voc")
    code, text = run("evaluate", "tests.pets/seed0", *words, "--save", "found.json", "--page", "pg")
    assert code == 0
    assert "the test part of voc (a VOC tree)" in text
    _, again = run("evaluate", "found.json", "--data", "voc")
    table = text.partition("\n\nmAP@.5")[0]
    assert again.startswith(table)
    assert (place / "pg" / "report.html").read_text().count('class="boxes"') == 3
    assert recorded(place, "tests.pets/seed0")[-1]["images"] == "voc"


def test_numbers_of_a_coco_file_are_those_of_its_classes(run, place):
    words = ("--data", "coco", "--score-threshold", "0", "--save", "coco.json")
    code, text = run("evaluate", "tests.pets/seed0", *words)
    assert code == 0
    held = json.loads((place / "coco.json").read_text())
    assert {each["category_id"] for each in held} == {7}
    assert {each["image_id"] for each in held} <= {1, 2}
    assert "of classes that the data do not number are left out" in text
    found = results.read(place / "coco.json", ("1", "2"), ("dog",), categories=[7])
    assert sum(map(len, found)) == len(held)


def test_several_detectors_are_an_ensemble_that_is_not_recorded(run, place):
    run("evaluate", ONE)
    before = recorded(place, ONE)
    code, text = run("evaluate", ONE, TWO)
    assert code == 0
    assert "ensemble of 2, union of the proposals; NMS" in text
    assert recorded(place, ONE) == before


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([ONE, "--views", "ten", "--mirror"], 2, "--views and --mirror are for classifiers, not"),
        ([ONE, "--save", "a.safetensors"], 2, "--save must name a file that ends in .json"),
        ([ONE, "--nms", "1.5"], 2, "--nms must be in [0, 1], got 1.5"),
        ([ONE, "--scales", "0"], 2, "--scales must be at least 1 pixel, got (0,)"),
        ([ONE, "--data", "strange"], 3, "of the classes horse, which the detector has not learned"),
        ([ONE, "--data", "pictures"], 3, "neither a VOC tree nor a COCO file"),
        ([ONE, DIGITS], 2, "is the run of a classifier, others are of detectors"),
        ([DIGITS, ONE], 2, "is the run of a detector, which does not name pictures"),
        ([ONE, "tests.pets/seed0"], 2, "an ensemble knows the same classes in one order"),
        ([DIGITS, "--refine"], 2, "--refine is for detectors and detections, not for"),
        ([DIGITS, "--difficult", "--page", "x"], 2, "--difficult and --page are for detectors and"),
        (["x.json", "--data", "voc", "--vote"], 2, "--vote is for runs, not for x.json"),
    ],
)
def test_what_does_not_fit_is_answered_with_a_sentence(run, words, code, sentence):
    found, text = run("evaluate", *words)
    assert (found, sentence in text) == (code, True), text


ALL = ["a.png", "more/a.png", "grey.jpg", "cmyk.jpg", "exif.jpg", "small.png"]


def test_objects_on_pictures_are_said_drawn_and_written(run, place):
    files = [f"pictures/{name}" for name in ALL]
    code, text = run(
        "predict", ONE, *files, "--threshold", "0.02", "--draw", "out", "--json", "out/o.json"
    )
    assert code == 0
    lines = text.splitlines()
    assert [line.partition(":")[0] for line in lines[:6]] == files
    assert re.match(r"pictures/a.png: [0-9] 0\.\d\d \(\d+, \d+, \d+, \d+\)", lines[0])
    assert lines[0].partition(":")[2] == lines[1].partition(":")[2]
    drawn = sorted(path.name for path in (place / "out").iterdir())
    assert drawn == [
        *("a-2.png", "a.png", "cmyk.jpg", "exif.jpg", "grey.jpg", "o.json", "small.png"),
    ]
    told = json.loads((place / "out" / "o.json").read_text())
    assert [each["file"] for each in told] == files
    sizes = {each["file"]: (each["width"], each["height"]) for each in told}
    assert sizes["pictures/exif.jpg"] == (64, 80)
    assert sizes["pictures/small.png"] == (40, 50)
    for each in told:
        scores = [item["score"] for item in each["objects"]]
        assert scores == sorted(scores, reverse=True)
        assert all(score >= 0.02 for score in scores)
        for x1, y1, x2, y2 in (item["box"] for item in each["objects"]):
            assert 0 <= x1 < x2 <= each["width"]
            assert 0 <= y1 < y2 <= each["height"]
    with Image.open(place / "out" / "a.png") as image:
        assert image.size == (480, 384)


def test_a_higher_threshold_tells_less(run):
    count = [
        run("predict", ONE, "pictures/a.png", "--threshold", threshold)[1].count("(")
        for threshold in ("0", "0.08", "1")
    ]
    assert count[0] > count[1] >= count[2] == 0
    assert "nothing found" in run("predict", ONE, "pictures/a.png", "--threshold", "1")[1]


def test_a_picture_that_cannot_be_read_is_said_and_the_others_are_done(run):
    code, text = run("predict", ONE, "pictures/broken.jpg", "pictures/a.png", "pictures/none.png")
    assert code == 3
    assert "pictures/a.png: " in text
    assert "broken.jpg is not a picture" in text
    assert "none.png is not there" in text


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([ONE, "a.png", "--top", "2"], 2, "--top is for classifiers, and"),
        ([ONE, "a.png", "--invert", "--features", "f.npz"], 2, "--invert and --features are for"),
        ([ONE, "a.png", "--threshold", "2"], 2, "threshold must be in [0, 1], got 2.0"),
        ([ONE, "a.png", "--json", "o.txt"], 2, "--json must name a file that ends in .json"),
        ([DIGITS, "a.png", "--draw", "out"], 2, "--draw is for detectors, and"),
        ([ONE], 2, "no pictures are named"),
    ],
)
def test_predict_refuses_what_does_not_fit(run, words, code, sentence):
    found, text = run("predict", *words)
    assert (found, sentence in text) == (code, True), text


def test_a_card_tells_the_parts_counts_and_schedule_of_a_detector(run):
    code, text = run("show", "detection.voc07_resnet101")
    assert code == 0
    assert re.search(r"parameters +47,462,111\n", text)
    assert "27,535,424 parameters, 67,516,928,000 multiply-adds" in text
    assert re.search(r"multiply-adds +319,370,854,400 for such a picture", text)
    assert "17,100; 9 at every place: 128, 256 and 512 pixels" in text
    assert "the best 6,000 boxes, of which 300 stay" in text
    assert re.search(r"schedule +steps, lr 0.001, at 50000", text)
    assert re.search(r"rpn.conv +conv 3x3, 512 +512x38x50", text)
    assert "frozen batch norm" in text


def test_a_card_answers_what_is_not_meant_for_detectors(run):
    code, text = run("show", "scenes", "--batch", "8")
    assert (
        code,
        "detection.scenes is a detector, whose training step is not predicted" in text,
    ) == (2, True)
    code, text = run("show", "detection.scenes", "--size", "3x64x64")
    assert (code, "which takes pictures of any size" in text) == (2, True)


def test_two_detectors_are_compared(run):
    code, text = run("show", "detection.scenes", "--against", "detection.scenes_alternating")
    assert code == 0
    assert re.search(r"schedule +cosine, lr 0.02, until 800.* +sequence", text)
    assert "main layer" not in text


def test_the_recipes_of_detectors_are_listed(run):
    code, text = run("list")
    assert code == 0
    assert re.search(r"detection.voc07_resnet101 +ResNet-101 on VOC 2007", text)


def test_a_dry_run_says_plan_layers_and_time(run, place):
    code, text = run("train", "test_detection:tiny", "--dry-run", "--runs", "dry")
    assert code == 0
    assert "6 images to learn from (" in text
    assert re.search(r"rpn.conv +conv 3x3", text)
    assert re.search(r"0 to 6 +0.0 to 2.0 +12 +0.01", text)
    assert re.search(r"estimated time \d+ s, tests not counted", text)
    assert not (place / "dry").exists()


def test_a_tree_of_pictures_with_objects_is_trained_tested_and_used(run, place):
    small = ("--net.trunk.widen", "0.0625", "--resize.short", "64", "--resize.long", "96")
    code, text = run("train", "voc", "--smoke", "--dry-run", *small, "--runs", "own")
    assert code == 0
    assert re.search(r"the trunk is trained first, as objects.voc_trunk: 2 updates of 8", text)
    code, text = run("train", "voc", "--smoke", *small, "--runs", "own")
    assert code == 0, text
    assert "voc: a VOC tree, 6 pictures with 9 objects of 2 classes" in text
    assert re.search(rf"test mAP@.5 {NUMBER} % \(area under the curve, 3 images, seed 0\)", text)
    assert (place / "own" / "objects.voc" / "seed0" / "report.html").is_file()
    _, text = run("train", "voc", "--smoke", "--dry-run", *small, "--runs", "own")
    assert "the trunk is there already: own/objects.voc_trunk/seed0" in text
    code, text = run("predict", "objects.voc/seed0", "voc/JPEGImages/003.png", "--runs", "own")
    assert code == 0
    assert text.startswith("voc/JPEGImages/003.png: ")


@pytest.mark.slow
def test_a_stopped_training_of_a_detector_ends_in_equal_bits(run):
    code, text = run("verify-resume", "test_detection:tiny", "--updates", "6", "--device", "cpu")
    assert code == 0, text
    assert "end in equal bits" in text


def test_memory_is_not_planned_for_detectors(run):
    code, text = run("train", "test_detection:tiny", "--memory", "1GB", "--dry-run")
    assert (code, "memory is for classifiers" in text) == (2, True)


def test_lasting_shortens_the_trunk_too_and_never_lengthens_it():
    found = recipes.find("detection.scenes").lasting(30)
    assert (found.schedule.until, found.pretrain.schedule.until) == (30, 30)
    long = recipes.find("detection.scenes").lasting(3000)
    assert (long.schedule.until, long.pretrain.schedule.until) == (3000, 400)
