"""`residua train`: train, test once, and write a page."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from residua import execute, outcome, pretraining, recipes, runs, runtime, tensorboard
from residua.cli.options import parse, parse_with_experiment
from residua.cli.screen import Screen, say
from residua.config import digest, encode
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.errors import ConfigError
from residua.experiment import Experiment
from residua.session import Session
from residua.train import parallel
from residua.train.memory import choose, parse_bytes, size
from residua.train.parallel import World

DEFAULT = "digits.resnet20"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train a network and write a page.

    residua train [RECIPE | FOLDER | ANNOTATIONS.json | CONFIG.yaml | module:function] [options]
    residua train --resume RUN

    Attributes:
        seeds: run this many seeds, counting up from --seed, and print their statistics.
        dry_run: print plan, layers and an estimate of the time, and stop.
        smoke: cut the training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        memory: that a training step may take, such as 6GB; activations are recomputed to fit.
        tensorboard: write the epochs for TensorBoard too.
        runs: the folder of all runs.
    """

    seeds: int = 1
    dry_run: bool = False
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    memory: str | None = None
    tensorboard: bool = False
    runs: Path = Path("runs")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResumeOptions:
    """Go on with a run that stopped: residua train --resume RUN.

    Attributes:
        resume: the folder of the run, or "last".
        threads: of the processor; by default as many as before, for equal bits.
        device: auto, cpu, cuda, cuda:1 or mps; by default as before.
        memory: that a training step may take, such as 6GB; by default as before.
        tensorboard: write the epochs for TensorBoard too.
        runs: the folder of all runs.
    """

    resume: str
    threads: int | None = None
    device: str | None = None
    memory: str | None = None
    tensorboard: bool = False
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train a recipe, or resume a run."""
    if any(word == "--resume" or word.startswith("--resume=") for word in words):
        _resume(parse("train", ResumeOptions, words))
        return
    experiment, others = named(words)
    options, experiment = parse_with_experiment("train", Options, experiment, others)
    runtime.set_threads(options.threads)
    if options.smoke:
        experiment = experiment.smoke()
    if options.dry_run:
        _dry_run(experiment, options)
    else:
        _train(experiment, options)


def named(words: Sequence[str]) -> tuple[AnyExperiment, Sequence[str]]:
    """Find the experiment that the first word names, or the usual one; return the other words too.

    With --weights among them, the net of a folder of pictures is that of the weights, fine-tuned.
    """
    weights = _given("--weights", words)
    if not words or words[0].startswith("-"):
        return find(DEFAULT, weights=weights), words
    return find(words[0], weights=weights), words[1:]


def find(name: str, *, weights: str | None = None) -> AnyExperiment:
    """Find an experiment by a recipe's name, a folder of pictures or a YAML file of a run.

    With weights to start from, a folder's pictures get the net of the weights, fine-tuned.
    """
    is_data = Path(name).is_dir() or (name.endswith(".json") and Path(name).is_file())
    if is_data and name not in recipes.names():
        found = recipes.own(name, weights=weights)
        say("\n".join(found.sentences))
        return found.experiment
    if not name.endswith((".yaml", ".yml")):
        return recipes.find(name)
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"{name} is not a file")
    return runs.experiment_of(path)


def _given(option: str, words: Sequence[str]) -> str | None:
    """Return the value of an option before the others are parsed; None if it is not there."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _train(experiment: AnyExperiment, options: Options) -> None:
    if options.seeds < 1:
        raise ConfigError(f"seeds must be at least 1, got {options.seeds}")
    if options.seeds > 1 and isinstance(experiment.net, nn.Module):
        raise ConfigError(
            "the recipe hands over a module, so every seed would start from the same weights: hand "
            "over a function that makes it (net=make_net)"
        )
    results = []
    for seed in range(experiment.seed, experiment.seed + options.seeds):
        with Screen(encode(experiment.recordable())) as screen:
            result = execute.run(
                dataclasses.replace(experiment, seed=seed),
                root=options.runs,
                device=options.device,
                memory=_bytes(options.memory),
                listen=tensorboard.beside(screen) if options.tensorboard else screen,
            )
        results.append(result)
        _conclude(result)
    if len(results) > 1 and parallel.leads():
        say(outcome.statistics_line(results))


def _resume(options: ResumeOptions) -> None:
    folder = runs.find(options.resume, options.runs)
    start = runs.start(folder)
    before = start["environment"]
    threads = before["threads"] if options.threads is None else options.threads
    runtime.set_threads(min(threads, runtime.cores()) if options.threads is None else threads)
    device = options.device or before["device_type"]
    memory = _bytes(options.memory) or start.get("memory", {}).get("budget")
    with Screen() as screen:
        listen = tensorboard.beside(screen) if options.tensorboard else screen
        result = execute.resume(folder, device=device, memory=memory, listen=listen)
    _conclude(result)


def _conclude(result: outcome.AnyResult) -> None:
    if not parallel.leads():
        return
    say(f"{result.sentence}\n{result.page}")


def _dry_run(experiment: AnyExperiment, options: Options) -> None:
    device = runtime.pick_device(options.device)
    first = pretraining.first_of(experiment)
    if first is not None:
        _say_first(first, options)
    session = Session(experiment, World(0, 1, device), memory=_bytes(options.memory))
    with Screen(encode(experiment.recordable())) as screen:
        screen.describe(session.description(), layer_table=True)
        if isinstance(experiment, DetectionExperiment):
            say(f"estimated time {session.estimate_seconds():.0f} s, tests not counted")
            return
        plan = session.plan or choose(session.profile(), session.part_size)
        say(plan.prediction())
        free = runtime.free_memory(device)
        # Updates are tried only where they fit; where they do not, the prediction has to do.
        fits = plan.peak < free
        seconds = plan.seconds * experiment.accumulate * experiment.schedule.until
        say(f"estimated time {session.estimate_seconds() if fits else seconds:.0f} s")
        if not fits:
            say(
                f"that is more than the {size(free)} free: --memory 4GB would recompute activations"
            )


def _say_first(first: Experiment, options: Options) -> None:
    """Say how long it takes to train the trunk of a detector first, or where it is already."""
    done = runs.finished(options.runs / first.name, digest(first.recordable()))
    if done is not None:
        say(f"the trunk is there already: {done}")
        return
    session = Session(first, World(0, 1, runtime.pick_device(options.device)))
    say(
        f"the trunk is trained first, as {first.name}: {first.schedule.until:,} updates of "
        f"{first.batch_size} images, estimated time {session.estimate_seconds():.0f} s"
    )


def _bytes(text: str | None) -> int | None:
    return None if text is None else parse_bytes(text)
