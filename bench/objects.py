"""One's own pictures with objects: BCCD by default settings, and coco128 learned by heart.

Needs RESIDUA_DATA. The trunk is trained on tiny-imagenet-20 first. The detector of BCCD is tested
in every way of the ladder, box refinement and voting among them; its test part is looked at when
the training has ended, and nothing is chosen with it. Of coco128, pictures are taken that hold
objects of at least 32 pixels in both directions; smaller ones are neither learned nor counted, and
the test is on the pictures that were learned from. With --root, trainings that have ended there are
read and not repeated, and those that were stopped go on; that of coco128, whose pictures no record
can rebuild, begins anew.
"""

import dataclasses
import os
import tempfile
from pathlib import Path

import torch

from harness import parser, report, table, trained, verdict
from residua import execute, outcome, trained_detector
from residua.cli.studies.detection_ladder import scores
from residua.data.annotated import AnnotatedImages, ObjectTable
from residua.data.objects import AnnotatedSplits
from residua.lab.detection_ladder import measure_ladder
from residua.recipes import objects
from tiny_imagenet import pretrained, scaled

LEAST, PICTURES = 32, 16


def large(everything, count):
    """The first pictures with large objects, whose small ones are flagged as difficult."""
    pictures, found, names = [], [], []
    for index in range(len(everything)):
        held = everything.objects(index)
        sides_R2 = held.boxes_R4[:, 2:] - held.boxes_R4[:, :2]
        small_R = (sides_R2 < LEAST).any(dim=1) | held.crowd_R
        if small_R.all():
            continue
        pictures.append(everything.picture(index))
        found.append(dataclasses.replace(held, difficult_R=held.difficult_R | small_R))
        names.append(everything.names[index])
        if len(pictures) == count:
            break
    chosen = AnnotatedImages(pictures, ObjectTable.of(found), everything.classes, tuple(names))
    return AnnotatedSplits(chosen, None, chosen)


def by_heart(path, weights, root, until):
    """Learn sixteen pictures by heart."""
    experiment = objects.recognised(path, weights=weights).experiment
    data = large(experiment.data.load().train, PICTURES)
    experiment = dataclasses.replace(
        experiment.lasting(until), data=data, name="objects.by-heart", flip=False, look_every=10**6
    )
    folder = root / experiment.name / f"until{until}"
    ended = outcome.recorded(folder) if folder.exists() else None
    return ended or execute.run(experiment, root=root, name=folder.name, page=False), data


def climbed(folder):
    """Test a run in every way of the ladder."""
    loaded = trained_detector.load(folder, dtype=torch.bfloat16)
    pictures = loaded.experiment.load_data().test
    ladder = measure_ladder([loaded.detector], pictures, lambda found: scores(found, pictures))
    rows = [
        [rung.name, *(f"{value:.2f}" for value in rung.numbers.values()), f"{rung.seconds:.2f}"]
        for rung in ladder.rungs
    ]
    return [["way of testing", *ladder.metrics, "s/picture"], rows]


def main():
    options = parser(__doc__)
    options.add_argument("--share", type=float, default=1.0, help="of all updates of BCCD")
    options.add_argument("--until", type=int, default=1250, help="updates for coco128")
    options.add_argument("--root", type=Path, help="where the runs are kept")
    chosen = options.parse_args()
    data = Path(os.environ["RESIDUA_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.root or Path(folder)
        source, weights = pretrained(data, root)
        bccd = objects.recognised(data / "bccd", weights=str(weights)).experiment
        found = trained(scaled(bccd, chosen.share), root, f"bccd_{chosen.share:g}")
        columns, rows = climbed(found.folder)
        heart, held = by_heart(data / "coco128", str(weights), root, chosen.until)
        large_objects = sum(len(held.train.objects(i).learnable()) for i in range(len(held.train)))
        body = "\n".join(
            [
                f"Trunk: {source.seconds / 60:.1f} min on tiny-imagenet-20, to "
                f"{100 - source.test_error:.1f} % accuracy on its test part.",
                "",
                table(columns, rows),
                "",
                f"BCCD: n = 1 training, {found.test_count} test pictures, VOC mAP by area; "
                f"coco128: {large_objects} objects of {len(held.train)} pictures.",
                "",
                verdict("BCCD, test mAP@.5, %", float(rows[0][1]), 75, at_most=False),
                verdict("BCCD, minutes of training", found.seconds / 60, 60, at_most=True),
                verdict("coco128 by heart, AP@.5, %", heart.test_map, 90, at_most=False),
                verdict("coco128, minutes of training", heart.seconds / 60, 20, at_most=True),
            ]
        )
    report("objects", body, write=chosen.write)


if __name__ == "__main__":
    main()
