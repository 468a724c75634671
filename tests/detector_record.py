"""Records of runs with a detector, written by hand around detections that are nearly right."""

import json

import torch
import yaml

from residua import config, runs
from residua.data.scenes import ScenesConfig
from residua.detect.found import Found
from residua.detect.metrics import summarise
from residua.recipes.detection import scenes
from residua.report.detections import Scored, findings

LAYERS = [
    ("trunk.stem.conv", "conv 7x7, 16, /2", [16, 96, 128], 2352, 28_901_376),
    ("pool", "RoI align, 8x8", [64, 8, 8], 0, 0),
    ("predict.classes", "linear, 11", [11], 1419, 85_140),
]
START = {
    "kind": "start",
    "time": 1000.0,
    "task": "detection",
    "recipe": "detection.scenes",
    "seed": 3,
    "digest": "aad8d40ee4b8",
    "sizes": [12, 4, 6],
    "objects": [40, 13, 21],
    "fingerprints": ["b55513d5b3a4", "1704fb3cc169", "7b760dfb99a5"],
    "classes": list("0123456789"),
    "shape": [3, 288, 384],
    "anchors": {"sizes": [40.0, 70.0, 110.0], "ratios": [1.0, 1.5], "convention": "original"},
    "regions": 60,
    "batch_size": 8,
    "until": 400,
    "plan": [
        {"start": 0, "stop": 40, "first_rate": 0.0005, "last_rate": 0.02, "what": "warm-up"},
        {"start": 40, "stop": 400, "first_rate": 0.02, "last_rate": 1e-6, "what": "cosine"},
    ],
    "layers": [
        dict(zip(("name", "kind", "output", "parameters", "multiply_adds"), row, strict=True))
        for row in LAYERS
    ],
    "environment": {"device": "cpu", "threads": 2, "precision": "float32"},
    "command": "residua train detection.scenes --seed 3",
}
TERMS = {"rpn_class": 0.6, "rpn_box": 0.4, "roi_class": 1.6, "roi_box": 0.5}


def epochs(*iterations, validated=True):
    """Write epochs whose losses fall and whose validation mAP rises."""
    rows = []
    for number, iteration in enumerate(iterations, start=1):
        terms = {f"train_{name}": value / number for name, value in TERMS.items()}
        row = {"kind": "epoch", "time": 1000.0 + iteration, "iteration": iteration, "lr": 0.01}
        row |= {"train_loss": sum(terms.values()), **terms, "images_per_second": 3.25}
        if validated:
            row |= {"validation_map": 95 - 90 / number, "validation_coco_ap": 60 - 58 / number}
        rows.append(row)
    return rows


def found_on(pictures, seed=0):
    """Find most objects of a set, a little beside them, some twice, and some that are none."""
    draw = torch.Generator().manual_seed(seed)
    every = []
    for index in range(len(pictures)):
        objects = pictures.objects(index)
        near = objects.boxes_R4 + 6 * torch.randn(len(objects), 4, generator=draw)
        far = objects.boxes_R4 + 40
        labels = torch.cat([objects.labels_R, objects.labels_R])
        scores = torch.rand(len(labels), generator=draw)
        kept = torch.rand(len(labels), generator=draw) < 0.8
        every.append(Found.of(torch.cat([near, far])[kept], scores[kept], labels[kept]))
    return every


def result(found, pictures, **changes):
    """Write what a run that found this on these pictures records at its end."""
    objects = [pictures.objects(index) for index in range(len(pictures))]
    summary = summarise(found, objects, pictures.classes)
    scored = Scored(pictures.names, found, objects, pictures.picture)
    return {
        "kind": "result",
        "time": 1420.0,
        "test_map": summary.of("area").mean or 0.0,
        "test_count": len(pictures),
        "train_loss": 0.5,
        "validation_map": 65.0,
        "seed": 3,
        "seconds": 312.0,
        "map_area": summary.of("area").mean or 0.0,
        "map_11point": summary.of("11-point").mean,
        "coco_ap": summary.coco.numbers["AP"],
        "coco_ap50": summary.coco.numbers["AP50"],
        "protocol": "NMS at an IoU of 0.3, scores above 0.05, at most 100 an image",
        "scores": summary.plain(),
        "found": findings(summary, scored),
        "selected_iteration": 400,
    } | changes


def some_scenes(count=6):
    """Make a few small scenes."""
    return ScenesConfig(train=2, validation=0, test=count).load().test


def record(folder, *events, experiment=None, **start):
    """Write the folder of a run; `start` changes its first event."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = config.encode((experiment or scenes()).recordable())
    (folder / runs.CONFIG).write_text(yaml.safe_dump(settings, sort_keys=False))
    lines = [START | start, *events]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder
