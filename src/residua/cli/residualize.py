"""`residua residualize`: add shortcuts to a net that was built without them."""

import dataclasses
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import nn
from tyro.conf import Positional

from residua import recipes, runtime
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.errors import ConfigError
from residua.experiment import Experiment
from residua.nets import catalogue
from residua.nets.weights import load
from residua.surgery import folder
from residua.surgery.bridge import Option, text
from residua.surgery.candidate import Candidate
from residua.surgery.plan import Plan
from residua.surgery.residualize import describe, greatest_change, propose, residualize

PHOTO = (3, 224, 224)


@dataclasses.dataclass(frozen=True)
class Options:
    """Add shortcuts to a net: residua residualize MODULE:ATTR [--weights F] [--plan P].

    What stands between two values becomes y = F(x) + g h(x), with the gate g at 0: the net computes
    what it did, and goes on from there. The new net is written to a folder with its plan, which can
    be edited and given back with --plan.

    Attributes:
        net: what builds it, as package.module:attribute; or a network of `residua list`.
        weights: file of its weights; without one they are as the code draws them.
        plan: which shortcuts, from an edited plan.yaml; without one they are found.
        shortcut: where shapes differ: A (zeros in new channels), B (1x1 projection) or conv2x2.
        layers: weight layers that a shortcut bridges.
        anneal: updates in which the gates go from 0 to 1; with 0 they are learned.
        example: channels x height x width of a picture, or the length of a vector; by default what
            the network was made for, and 3x224x224 for one of another library.
        into: the folder to write; by default residual/NET.
        dry_run: print the plan and write nothing.
    """

    net: Annotated[str, Positional]
    weights: Path | None = None
    plan: Path | None = None
    shortcut: Option | None = None
    layers: int | None = None
    anneal: int | None = None
    example: str | None = None
    into: Path | None = None
    dry_run: bool = False


@dataclasses.dataclass(frozen=True)
class Built:
    """A net, and the code that builds it again.

    Attributes:
        net: the net.
        imports: the line that imports what builds it.
        call: the expression that does.
        shape: C, H, W of what it takes.
    """

    net: nn.Module
    imports: str
    call: str
    shape: tuple[int, ...] = PHOTO


def main(words: Sequence[str]) -> None:
    """Print the plan, write the new net, and say how much its output changed."""
    options = parse("residualize", Options, words)
    plan = None if options.plan is None else _given(options)
    built = _build(options.net)
    if options.weights is not None:
        load(options.weights, built.net)
    net = built.net.eval()
    shape = _shape(options.example) or built.shape
    example = torch.randn(2, *shape, generator=runtime.generator(0, "example"))
    plan, left = _show(net, example, plan, options)
    new = residualize(net, example, plan=plan)
    change, largest = greatest_change(net, new, example)
    say(f"greatest change of the output: {change:.3g} (its largest number is {largest:.3g})")
    if options.dry_run:
        return
    into = options.into or Path("residual") / re.sub(r"\W+", "-", options.net).strip("-")
    folder.write(into, new, plan, imports=built.imports, call=built.call, left=left)
    say(f"{into / folder.PLAN} can be edited and given back: --plan {into / folder.PLAN}")
    say(f"{into / folder.CODE}: net() builds the new net, with {folder.WEIGHTS}")


def _given(options: Options) -> Plan:
    """Read the plan that was given, and refuse what it says itself."""
    for name in ("shortcut", "layers", "anneal"):
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name} is in the plan: change it there, or leave out --plan")
    return folder.read_plan(options.plan or "")


def _show(
    net: nn.Module, example: torch.Tensor, plan: Plan | None, options: Options
) -> tuple[Plan, tuple[str, ...]]:
    """Print the table of a plan; find the plan first if none was given."""
    left: tuple[str, ...] = ()
    if plan is not None:
        rows = describe(net, example, plan)
    else:
        found = propose(
            net,
            example,
            shortcut=options.shortcut or "B",
            layers=2 if options.layers is None else options.layers,
            anneal=options.anneal or 0,
        )
        plan, rows, left = found.plan, found.rows, found.left
        if found.untraced:
            say(f"{found.untraced}\nso shortcuts are put around modules")
    _table(plan, rows)
    if left and options.dry_run:
        say("\n".join(["not bridged:", *(f"  {line}" for line in left)]))
    elif left:
        parts = "1 part is" if len(left) == 1 else f"{len(left)} parts are"
        say(f"{parts} not bridged: {folder.PLAN} says why")
    return plan, left


def _table(plan: Plan, rows: Sequence[Candidate]) -> None:
    columns = [("", False), ("from what goes into", False), ("to what comes out of", False)]
    columns += [("x", False), ("F(x)", False), ("layers", True), ("shortcut", False)]
    table(
        f"{plan.net}: y = F(x) + g h(x), {len(rows)} times",
        [*columns, ("new weights", True)],
        [
            [
                *(span.name, span.first, span.last, text(row.x), text(row.f)),
                *(str(row.layers), span.shortcut, f"{row.weights:,}"),
            ]
            for span, row in zip(plan.spans, rows, strict=True)
        ],
    )


def _build(name: str) -> Built:
    torch.manual_seed(runtime.derive(0, "weights"))
    if ":" in name:
        return _stranger(name)
    if name in recipes.names():
        return _of_recipe(name)
    config = catalogue.find(name)
    imports = "from residua.nets.catalogue import find"
    return Built(config.build(), imports, f"find({name!r}).build()", config.input_shape)


def _of_recipe(name: str) -> Built:
    experiment = recipes.find(name)
    if not isinstance(experiment, Experiment):
        raise ConfigError(f"{name} is a detector: shortcuts are added to classifiers")
    shape = getattr(experiment.net, "input_shape", PHOTO)
    imports = "from residua import recipes"
    return Built(experiment.build_net(), imports, f"recipes.find({name!r}).build_net()", shape)


def _stranger(name: str) -> Built:
    """Build a net of another library, or of one's own."""
    made: Any = recipes.imported(name, also_in=("models",))
    net = made if isinstance(made, nn.Module) else _called(name, made)
    module, _, attribute = name.partition(":")
    # Where it was defined, which for torchvision:vgg16 is not torchvision itself.
    places = (getattr(made, "__module__", ""), module, f"{module}.models")
    found = (place for place in places if hasattr(sys.modules.get(place), attribute))
    module = next(found, module)
    call = attribute if isinstance(made, nn.Module) else f"{attribute}()"
    return Built(net, f"from {module} import {attribute}", call)


def _called(name: str, made: Any) -> nn.Module:
    try:
        net = made()
    except Exception as error:
        raise ConfigError(
            f"{name} cannot be called without arguments: {error} (write a function that calls it "
            "with them, and name that)"
        ) from error
    if not isinstance(net, nn.Module):
        raise ConfigError(f"{name} made {type(net).__name__}, not a torch.nn.Module")
    return net


def _shape(words: str | None) -> tuple[int, ...] | None:
    if words is None:
        return None
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", words):
        raise ConfigError(
            f"example must be sizes without the batch, like 3x224x224 or 784, got {words}"
        )
    return tuple(map(int, words.split("x")))
