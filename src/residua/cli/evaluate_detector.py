"""`residua evaluate RUN` of a detector: find the objects of a set, and score what was found."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from residua import events, report, runs, runtime, trained_detector
from residua.cli.evaluate_options import OF_CLASSIFIERS, Options
from residua.cli.options import refuse
from residua.cli.screen import Counter, say
from residua.config import encode
from residua.data.annotated_part import annotated_part
from residua.data.objects import Annotated
from residua.data.relabel import relabelled
from residua.detect import results
from residua.detect.found import Found
from residua.detect.metrics import Summary, summarise, table
from residua.detect.scales import in_proportion
from residua.detect.testing import TestingConfig, ask
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError, ResiduaError
from residua.report.detections import Scored, write_detections
from residua.trained_detector import TrainedDetector

SUFFIX = ".json"


def evaluate(options: Options) -> None:
    """Print all numbers of one detector or of several as one, and record those of one.

    Raises:
        ConfigError: the options do not fit a detector or one another.
        CheckpointError: a run has no weights.
        DataError: the pictures cannot be read, or have other classes.
        RunError: what was found or the page cannot be written.
    """
    refuse(options, OF_CLASSIFIERS, f"classifiers, not for {' '.join(options.run)}")
    if options.save is not None and options.save.suffix != SUFFIX:
        raise ConfigError(f"--save must name a file that ends in {SUFFIX}, got {options.save}")
    members = _members(options)
    first = members[0]
    testing = _testing(first.experiment, options)
    pictures, where = _pictures(first, options)
    found = _found(members, pictures, testing)
    objects = [pictures.objects(index) for index in range(len(pictures))]
    summary = summarise(found, objects, first.classes, difficult=options.difficult)
    protocol = testing.protocol + (", difficult objects count" if options.difficult else "")
    if len(members) > 1:
        protocol = f"ensemble of {len(members)}, union of the proposals; {protocol}"
    say(f"{table.text(summary)}\n\n{_headline(summary, where, protocol)}")
    _save(found, pictures, options)
    if options.page is not None:
        scored = Scored(pictures.names, found, objects, pictures.picture)
        title = f"{' and '.join(each.experiment.name for each in members)} on {where}"
        made = write_detections(options.page, summary, scored, title=title, about=f"{protocol}.")
        say(f"page: {made}")
    if len(members) == 1:
        readings = _readings(summary) | {"protocol": protocol, "testing": encode(testing)}
        _record(first, options, readings | {"fingerprint": pictures.fingerprint()})


def _members(options: Options) -> list[TrainedDetector]:
    """Load the detectors, which must know the same classes."""
    device = runtime.pick_device(options.device)
    members = []
    for word in options.run or ("last",):
        folder = runs.find(word, options.runs)
        experiment = runs.read_experiment(folder)
        if not isinstance(experiment, DetectionExperiment):
            raise ConfigError(
                f"{folder} is the run of a classifier, others are of detectors: test them apart"
            )
        dtype = runtime.pick_dtype(experiment.precision, device)
        members.append(
            trained_detector.load(folder, weights=options.weights, device=device, dtype=dtype)
        )
    first = members[0]
    for other in members[1:]:
        if other.classes != first.classes:
            raise ConfigError(
                f"an ensemble knows the same classes in one order: {first.folder} has "
                f"{', '.join(first.classes)}, {other.folder} has {', '.join(other.classes)}"
            )
    return members


def _testing(experiment: DetectionExperiment, options: Options) -> TestingConfig:
    """Switch on what is asked for; all else is as in the run's own test.

    The 224 pixels that regions should have in a pyramid belong to pictures whose shorter side is
    600; elsewhere they are in proportion, as `lab detection-ladder` has them.
    """
    own = experiment.testing
    changes: dict[str, Any] = {}
    for name in ("refine", "vote", "scales", "nms", "score_threshold"):
        asked = getattr(options, name)
        if asked is not None and asked not in (False, ()):
            changes[name] = asked
    if options.scales and not own.scales:
        changes["scale_side"] = in_proportion(own.scale_side, experiment.resize.short)
    testing = dataclasses.replace(own, **changes)
    for name in ("nms", "score_threshold"):
        if not 0 <= getattr(testing, name) <= 1:
            raise ConfigError(
                f"--{name.replace('_', '-')} must be in [0, 1], got {getattr(testing, name)}"
            )
    if any(side < 1 for side in testing.scales):
        raise ConfigError(f"--scales must be at least 1 pixel, got {testing.scales}")
    return testing


def _pictures(trained: TrainedDetector, options: Options) -> tuple[Annotated, str]:
    """Return the pictures, and a phrase that says which they are."""
    if options.data is not None:
        pictures, where = annotated_part(options.data, options.part)
        return relabelled(pictures, trained.classes), where
    own = getattr(trained.experiment.load_data(), options.part)
    if own is None:
        raise ConfigError(f"the run has no {options.part} images: it learned from all but the test")
    return own, f"the {options.part} part of its own data"


def _found(
    members: Sequence[TrainedDetector], pictures: Annotated, testing: TestingConfig
) -> list[Found]:
    found: dict[int, Found] = {}
    with Counter(len(pictures)) as counter:
        for answer in ask([each.detector for each in members], pictures, testing):
            found |= dict(zip(answer.indices, answer.found(testing), strict=True))
            counter.advance(len(answer.indices))
    return [found[index] for index in range(len(pictures))]


def _headline(summary: Summary, where: str, protocol: str) -> str:
    area = summary.of("area", difficult=summary.difficult).mean
    number = "no objects to find" if area is None else f"mAP@.5 {area:.1f} %"
    counted = "with" if summary.difficult else "without"
    return (
        f"{number} ({summary.pictures:,} images, {where}; area under the curve, {counted} "
        f"difficult objects; {summary.detections:,} detections: {protocol})"
    )


def _save(found: Sequence[Found], pictures: Annotated, options: Options) -> None:
    """Write what was found, as COCO takes results."""
    if options.save is None:
        return
    ids = list(getattr(pictures, "category_ids", ()))
    known = [label for label, number in enumerate(ids, start=1) if number >= 0]
    kept = [_of_classes(each, known) for each in found] if ids else list(found)
    results.write(options.save, kept, pictures.names, categories=ids or None)
    left = sum(map(len, found)) - sum(map(len, kept))
    more = f"; {left:,} of classes that the data do not number are left out" if left else ""
    say(f"{sum(map(len, kept)):,} detections: {options.save}{more}")


def _of_classes(found: Found, labels: Sequence[int]) -> Found:
    keep_D = (found.labels_D[:, None] == found.labels_D.new_tensor(labels)).any(dim=1)
    return Found(found.boxes_D4[keep_D], found.scores_D[keep_D], found.labels_D[keep_D])


def _readings(summary: Summary) -> dict[str, Any]:
    """Name what is recorded: the numbers that papers name, and all of COCO's."""
    return {
        "count": summary.pictures,
        "detections": summary.detections,
        "difficult": summary.difficult,
        "map_area": summary.of("area", difficult=summary.difficult).mean,
        "map_11point": summary.of("11-point", difficult=summary.difficult).mean,
        "coco_ap": summary.coco.numbers["AP"],
        "coco_ap50": summary.coco.numbers["AP50"],
        "coco": summary.coco.numbers,
    }


def _record(trained: TrainedDetector, options: Options, readings: dict[str, Any]) -> None:
    """Add what was found to the evaluations of the run, and to its page if it has one."""
    folder: Path = trained.folder
    detector = trained.detector
    try:
        events.Log(folder, file=events.EVALUATIONS).write(
            "evaluation",
            images=options.part if options.data is None else str(options.data),
            weights=options.weights or trained.experiment.select,
            **readings,
            environment=runtime.environment(detector.device, detector.dtype),
            command=runtime.command_line(),
        )
        if (folder / report.FILE).is_file():
            report.write(folder)
    except ResiduaError as error:
        say(f"this test is not recorded: {error}")
