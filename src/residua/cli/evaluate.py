"""`residua evaluate`: test the networks of runs, one or an ensemble, under a protocol."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import events, outcome, report, runs, runtime
from residua.cli import detections, evaluate_detector
from residua.cli.evaluate_options import (
    OF_CLASSIFIERS,
    OF_DETECTIONS,
    OF_DETECTORS,
    OF_RUNS,
    Options,
)
from residua.cli.options import parse, refuse
from residua.cli.screen import say, table
from residua.config import encode
from residua.data import views
from residua.data.folder import labelled
from residua.data.loading import Pictures, Splits
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError, ResiduaError
from residua.evaluate import Scores, kept, scores
from residua.evaluate.exact_norm import average_as_learned, average_unaugmented


def main(words: Sequence[str]) -> None:
    """Print the errors and the class-by-class table, and record them with the run."""
    options = parse("evaluate", Options, words)
    if any(word.endswith(detections.SUFFIX) for word in options.run):
        _detections(options)
    elif _is_detector(options):
        evaluate_detector.evaluate(options)
    else:
        _classifiers(options)


def _classifiers(options: Options) -> None:
    named = " ".join(options.run)
    refuse(options, (*OF_DETECTORS, *OF_DETECTIONS), f"detectors and detections, not for {named}")
    if options.save is not None and options.save.suffix != kept.SUFFIX:
        raise ConfigError(f"--save must name a file that ends in {kept.SUFFIX}, got {options.save}")
    if options.unaugmented and not options.exact_norm:
        raise ConfigError("--unaugmented says what --exact-norm averages over: give both")
    found = kept.ensemble(
        [_scores(word, options) for word in options.run or ("last",)], rule=options.average
    )
    _print(found, options)
    if options.save is not None:
        kept.save(found, options.save)
        say(f"scores: {options.save}")
    if len(options.run) == 1 and not _is_file(options.run[0]):
        _record(runs.find(options.run[0], options.runs), found, options)


def _is_detector(options: Options) -> bool:
    """Tell by the first run what is tested."""
    first = next((word for word in options.run or ("last",) if not _is_file(word)), None)
    if first is None:
        return False
    experiment = runs.read_experiment(runs.find(first, options.runs))
    return isinstance(experiment, DetectionExperiment)


def _detections(options: Options) -> None:
    refuse(options, (*OF_CLASSIFIERS, *OF_DETECTORS, *OF_RUNS), f"runs, not for {options.run[0]}")
    if len(options.run) != 1:
        raise ConfigError(f"detections are scored one file at a time, got {len(options.run)} words")
    detections.evaluate(
        Path(options.run[0]),
        options.data,
        part=options.part,
        difficult=options.difficult,
        save=options.save,
        page=options.page,
    )


def _is_file(word: str) -> bool:
    return word.endswith(kept.SUFFIX)


def _scores(word: str, options: Options) -> Scores:
    """Read saved scores, or test the network of a run."""
    if _is_file(word):
        return kept.load(Path(word))
    trained = runs.load(runs.find(word, options.runs), weights=options.weights)
    device = runtime.pick_device(options.device)
    dtype = runtime.pick_dtype(trained.experiment.precision, device)
    net, normalize = trained.net.to(device), trained.normalize.to(device)
    own = trained.experiment.load_data() if options.data is None or options.exact_norm else None
    images = _images(trained, own, options)
    words = ""
    if options.exact_norm and own is not None:
        train = own.train.to(device)
        if options.unaugmented:
            over = average_unaugmented(net, train, normalize, dtype=dtype)
        else:
            serving = trained.experiment.serving_at_a_time(normalize)
            over = average_as_learned(net, train, serving, dtype=dtype)
        words = f", with batch-norm statistics {over}"
    looks = _views(trained.shape, options)
    found = scores(net, images.to(device), normalize, views=looks, dtype=dtype)
    return dataclasses.replace(
        found, protocol=found.protocol + words, fingerprint=images.fingerprint()
    )


def _images(trained: runs.TrainedNet, own: Splits | None, options: Options) -> Pictures:
    if own is None or options.data is not None:
        assert options.data is not None
        return labelled(options.data, trained.classes, trained.shape, trained.experiment.data)
    images = getattr(own, options.part)
    if images is None:
        raise ConfigError(f"the run has no {options.part} images: it learned from all but the test")
    return images


def _views(shape: tuple[int, int, int], options: Options) -> views.Views:
    """Fit the papers' protocols, which are for pictures of 224 pixels, to those learned from."""
    side = min(shape[1:])
    size = options.size or side
    short_side = options.short_side or views.proportional(size, views.PAPER_SIDE)
    match options.views:
        case "whole":
            return views.Whole()
        case "flips":
            return views.Flips(rule=options.average)
        case "center":
            return views.CenterCrop(short_side=short_side, size=size)
        case "ten":
            return views.TenCrop(short_side=short_side, size=size, rule=options.average)
        case "multi":
            scales = options.scales or tuple(
                views.proportional(side, scale) for scale in views.PAPER_SCALES
            )
            return views.MultiScale(short_sides=scales, mirror=options.mirror, rule=options.average)


def _what(options: Options) -> str:
    return f"{options.part} error" if options.data is None else f"error on {options.data}"


def _print(found: Scores, options: Options) -> None:
    rows = [
        [each.name, str(each.count), str(each.wrong), f"{each.error:.1f}", each.mistaken_for]
        for each in found.by_class()
    ]
    columns = [("class", False), ("images", True), ("wrong", True), ("error %", True)]
    table("by class", [*columns, ("most often taken for", False)], rows)
    five = found.top5_error
    say(
        f"{_what(options)} {found.top1_error:.1f} % ({len(found.labels)} images, top-1, "
        f"{found.protocol})\n"
        f"of the same: {'' if five is None else f'top-5 error {five:.1f} %, '}calibration error "
        f"{found.calibration_error:.1f} % (ECE, 15 bins), loss {found.loss:.3f} nats"
    )


def _record(folder: Path, found: Scores, options: Options) -> None:
    """Add what was found to the evaluations of the run, and to its page if it has one."""
    device = runtime.pick_device(options.device)
    experiment = runs.read_experiment(folder)
    dtype = runtime.pick_dtype(experiment.precision, device)
    try:
        channels, height, width = runs.start(folder)["shape"]
        events.Log(folder, file=events.EVALUATIONS).write(
            "evaluation",
            images=options.part if options.data is None else str(options.data),
            weights=options.weights or experiment.select,
            count=len(found.labels),
            fingerprint=found.fingerprint,
            views=encode(_views((channels, height, width), options)),
            exact_norm=options.exact_norm,
            **outcome.tested(found),
            environment=runtime.environment(device, dtype),
            command=runtime.command_line(),
        )
        if (folder / report.FILE).is_file():
            report.write(folder)
    except ResiduaError as error:
        say(f"this test is not recorded: {error}")
