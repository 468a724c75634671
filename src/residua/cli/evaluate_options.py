"""The options of `residua evaluate`, and which of them are for what is tested."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua.data.views import Rule


@dataclasses.dataclass(frozen=True)
class Options:
    """Test the network of a run, on its own test pictures or on others; several are an ensemble.

    residua evaluate RUN [RUN | SCORES.safetensors ...]
    residua evaluate RUN_OF_A_DETECTOR [RUN ...] [--refine] [--vote] [--scales 200 400 600]
    residua evaluate DETECTIONS.json --data VOC_TREE_OR_COCO_FILE

    Attributes:
        run: the folder of a run, "last", or a file that --save has written; or the detections of
            any detector, as COCO takes results (docs/detections.md).
        data: instead of the run's own pictures a folder with one sub-folder of pictures per class,
            or with a label file; for detectors and detections a VOC tree or COCO annotations.
        part: which of the run's own pictures; of a VOC tree or COCO annotations, which of those.
        weights: best or last; by default those that the run was tested with.
        save: write the scores to this file, FILE.safetensors; of detectors what they found,
            FILE.json, as COCO takes results; of detections the numbers, FILE.json.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
        scales: shorter sides. Of classifiers, for multi; by default 224, 256, 384, 480 and 640
            where 224 is the size of the pictures learned from, and in proportion elsewhere. Of
            detectors, regions are described at two of these scales by maxout; by default at one.
        views: of classifiers: whole, the picture as it is; flips, with its mirror image; center,
            its center (the papers' 1-crop); ten, corners, center and their mirror images (10-crop);
            multi, the whole picture at several scales, fully convolutional.
        size: of classifiers: of the crops of center and ten in pixels; by default that of the
            pictures that the net has learned from.
        short_side: of classifiers: to which pictures are resized for center and ten; by default
            256/224 of size.
        mirror: of classifiers: look at mirror images too, under multi.
        average: of classifiers: what of several views, and of the networks of an ensemble, is
            averaged.
        exact_norm: of classifiers: first take the statistics of batch normalization again, by
            strict averaging over the training pictures, augmented as they were learned from.
        unaugmented: of classifiers: let exact_norm average over the training pictures as they are.
        refine: of detectors: look at every regressed box again as a region (box refinement).
        vote: of detectors: let the boxes around one that is kept decide where it goes.
        nms: of detectors: IoU above which the less probable of two boxes is left out; by default as
            in the run's own test.
        score_threshold: of detectors: probabilities up to this are no detections; by default as in
            the run's own test.
        difficult: of detectors and detections: count difficult objects where there is only one
            number.
        page: of detectors and detections: write report.html with curves and mistakes to this
            folder.
    """

    run: Annotated[tuple[str, ...], Positional] = ("last",)
    data: Path | None = None
    part: Literal["test", "validation", "train"] = "test"
    weights: Literal["best", "last"] | None = None
    save: Path | None = None
    device: str = "auto"
    runs: Path = Path("runs")
    scales: tuple[int, ...] = ()
    views: Literal["whole", "flips", "center", "ten", "multi"] = "whole"
    size: int | None = None
    short_side: int | None = None
    mirror: bool = False
    average: Rule = "probabilities"
    exact_norm: bool = False
    unaugmented: bool = False
    refine: bool = False
    vote: bool = False
    nms: float | None = None
    score_threshold: float | None = None
    difficult: bool = False
    page: Path | None = None


OF_CLASSIFIERS = ("views", "size", "short_side", "mirror", "average", "exact_norm", "unaugmented")
OF_DETECTORS = ("refine", "vote", "nms", "score_threshold")
OF_DETECTIONS = ("difficult", "page")
OF_RUNS = ("weights", "device", "runs", "scales")
