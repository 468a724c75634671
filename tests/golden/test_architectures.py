"""Parameters and multiply-adds of 154 nets, derived layer by layer from the papers and their code.

The counts in architectures.json were made by two independent programs, neither of them this one.
"""

import functools
import json
from pathlib import Path

import pytest
import torch
from named import settings_of
from torch import nn

from residua.nets.describe import layers, total_multiply_adds, total_parameters

GOLDEN = json.loads((Path(__file__).parent / "architectures.json").read_text())
ENTRIES = GOLDEN["architectures"] | {
    alias: GOLDEN["architectures"][name] for alias, name in GOLDEN["aliases"].items()
}


@functools.cache
def table(config):
    """Return the layer table, all parameters, and those of batch normalization."""
    with torch.device("meta"):
        net = config.build()
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    return (
        layers(net, config.input_shape),
        sum(p.numel() for p in net.parameters()),
        sum(p.numel() for m in norms for p in m.parameters()),
    )


def test_there_are_154_entries_and_all_have_settings():
    assert len(GOLDEN["architectures"]) == 154
    assert all(settings_of(name) for name in GOLDEN["architectures"])


@pytest.mark.parametrize("name", ENTRIES)
def test_counts_are_those_of_the_papers(name, record_property):
    entry = ENTRIES[name]
    if "conjecture" in name:
        record_property("conjecture", entry["note"])
    rows, parameters, of_norms = table(settings_of(GOLDEN["aliases"].get(name, name)))
    assert total_parameters(rows) == parameters == entry["params"]
    assert parameters - of_norms == entry["params_without_bn"]
    assert total_multiply_adds(rows) == entry["macs"]
    assert rows[-1].output == (entry["classes"],)
