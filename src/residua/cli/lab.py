"""`residua lab`: experiments of the papers to look at."""

import importlib
from collections.abc import Sequence

from residua.cli.screen import say
from residua.errors import ConfigError, closest

# What `residua lab NAME` does, and the module of `residua.cli.studies` that does it.
STUDIES = {
    "degradation": "plain and residual networks of several depths (He et al. 2015, figure 1)",
    "batchnorm": "what of a run's errors is due to the statistics of batch normalization",
    "backbone": "one detector on a residual trunk and on VGG-16 (He et al. 2015, table 7)",
    "detection-ladder": "what each addition to a detector changes (He et al. 2015, table 9)",
}


def main(words: Sequence[str]) -> None:
    """Run the study that the first word names.

    Raises:
        ConfigError: there is no such study.
    """
    name, *others = words or ("--help",)
    if name in {"-h", "--help"}:
        told = [f"  {study:<18}{what}" for study, what in STUDIES.items()]
        say("\n".join(["usage: residua lab STUDY [options]", "", *told]))
        return
    if name not in STUDIES:
        hint = closest(name, STUDIES) or f" (there is {', '.join(STUDIES)})"
        raise ConfigError(f"no study is called {name}{hint}")
    module = importlib.import_module(f"residua.cli.studies.{name.replace('-', '_')}")
    module.main(others)
