"""The page of layer responses, and of how close blocks are to the identity.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figure 7 and section 3.1.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from residua.report.inside import About, Section, Table, write_inside
from residua.report.inside_parts import (
    HE,
    HE_URL,
    figure,
    listed,
    panel,
    plain_values,
    short,
    spread,
)

if TYPE_CHECKING:
    from residua.analyze.closeness import Closeness
    from residua.analyze.responses import Responses


def write_responses(
    folder: Path,
    responses: Mapping[str, Sequence["Responses"]],
    closeness: Mapping[str, Sequence[tuple["Closeness", ...]]],
    about: About,
) -> Path:
    """Draw [R] figure 7 and the closeness of blocks to identities, and write the page.

    Args:
        folder: of the page.
        responses: of every run of each network.
        closeness: of every run of each network that has residual blocks.
        about: what was looked at.
    """
    means = [
        f"{name} {statistics.mean(each.mean for each in found):.2f}"
        for name, found in responses.items()
    ]
    finding = f"Mean standard deviation of layer responses: {listed(means)}"
    sections = [_responses(responses, about)]
    if closeness:
        sections.append(_closeness(closeness, about))
    record = {"responses": plain_values(responses), "closeness": plain_values(closeness)}
    return write_inside(folder, "responses", finding, sections, about=about, record=record)


def _responses(found: Mapping[str, Sequence["Responses"]], about: About) -> Section:
    ylabel = "standard deviation"
    panels = [
        panel("Layers in their order", "3x3 layer", ylabel, found, lambda it: it.in_order),
        panel("Layers by magnitude", "rank of the layer", ylabel, found, lambda it: it.ranked),
    ]
    bare = [n for n, each in found.items() if not all(layer.normalized for layer in each[0].layers)]
    sentences = [
        "A response is the output of a 3x3 layer of the main path after batch normalization and "
        "before ReLU or addition; its deviation is taken over all pictures, channels and places, "
        "in eval mode. In the paper residual networks respond less than plain ones, and deeper "
        "ones less in each layer: what a block adds is small beside what it passes on.",
        "With batch normalization a deviation is about the layer's scale parameter, which is 1 at "
        "the start.",
    ]
    if bare:
        sentences.append(
            f"In {listed(bare)} not every layer is followed by batch normalization: of those the "
            "response is the output of the convolution."
        )
    rows = [
        [layer.name, name, spread([each.layers[i].std for each in some], short)]
        for name, some in found.items()
        for i, layer in enumerate(some[0].layers)
    ]
    columns = [("layer", False), ("network", False), ("standard deviation", True)]
    return Section(
        heading="Responses of layers",
        figure=figure(
            "responses",
            panels,
            about=about,
            caption="Standard deviation of the responses of 3x3 layers.",
            source=(f"{HE}, figure 7", HE_URL),
        ),
        sentences=sentences,
        table=Table(caption=f"Standard deviation; {about.n}", columns=columns, rows=rows),
    )


def _closeness(found: Mapping[str, Sequence[tuple["Closeness", ...]]], about: About) -> Section:
    panels = [
        panel(
            "What F adds beside what h passes on",
            "block",
            "‖F(x)‖ / ‖h(x)‖",
            found,
            lambda it: [block.ratio for block in it],
        ),
        panel(
            "Angle between the two",
            "block",
            "cosine of F(x) and h(x)",
            found,
            lambda it: [block.cosine for block in it],
        ),
    ]
    rows = [
        [
            block.name + ("" if block.keeps_shape else " (changes the shape)"),
            name,
            *(
                spread([getattr(each[i], what) for each in some], short)
                for what in ("residual", "shortcut", "ratio", "cosine")
            ),
        ]
        for name, some in found.items()
        for i, block in enumerate(some[0])
    ]
    columns = [("block", False), ("network", False), ("‖F(x)‖", True), ("‖h(x)‖", True)]
    columns += [("ratio", True), ("cosine", True)]
    return Section(
        heading="Closeness of blocks to the identity",
        figure=figure(
            "closeness",
            panels,
            about=about,
            caption="Residual function F beside shortcut h, block by block; means over pictures.",
            source=(f"{HE}, section 3.1", HE_URL),
        ),
        sentences=[
            "A ratio of 0 is a block that only passes on what it gets. A cosine below 0 means that "
            "F takes back part of what h passes on, above 0 that it strengthens it."
        ],
        table=Table(caption=f"L2 norms and cosines; {about.n}", columns=columns, rows=rows),
    )
