"""`residua lab`: experiments of the papers to look at."""

import importlib
from collections.abc import Sequence

from residua.cli.screen import say
from residua.errors import ConfigError, closest

# What `residua lab NAME` does, and the module of `residua.cli.studies` that does it.
STUDIES = {
    "degradation": "plain and residual networks of several depths (He et al. 2015, figure 1)",
    "batchnorm": "what of a run's errors is due to the statistics of batch normalization",
    "shortcuts": "every shortcut of the papers on one network (2015, table 3; 2016, table 1)",
    "activations": "the orders of BN, ReLU and addition (He et al. 2016, table 2)",
    "identity": "plain and residual blocks fit near-identity functions",
    "width": "a wide and a deep network of equal parameters: error and time",
    "backbone": "one detector on a residual trunk and on VGG-16 (He et al. 2015, table 7)",
    "detection-ladder": "what each addition to a detector changes (He et al. 2015, table 9)",
    "responses": "standard deviation of layer responses of RUNs (He et al. 2015, figure 7)",
    "gradients": "gradients of RUNs by depth and by length of paths (Veit et al. 2016)",
    "lesion": "RUNs without blocks, and with blocks in another order (Veit et al. 2016)",
    "surface": "the loss around the weights of RUNs (Li et al. 2018)",
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
