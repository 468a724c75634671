"""A trained net that another learns from: its answers are what the other is to say.

Dimension key:
    N pictures   K classes

Sources:
    [H] Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, arXiv:1503.02531,
        section 2: softened probabilities, their cross-entropy times the square of the temperature.
"""

import torch
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nets import weights
from residua.nets.preprocessing import Preprocessing


def load(
    path: str, shape: tuple[int, int, int], classes: int
) -> tuple[nn.Module, Preprocessing | None]:
    """Load a net that teaches: in eval mode, without gradients.

    Args:
        path: of its weights.
        shape: C, H, W of the pictures.
        classes: that there are.

    Returns:
        The net, and what its pictures are brought to, if the file says it.

    Raises:
        CheckpointError: no such file, or no net in it.
        ConfigError: it tells other classes apart.
    """
    found = weights.load(path)
    net = found.net.eval().requires_grad_(requires_grad=False)
    known = net(torch.zeros(1, *shape)).shape[1]
    if known != classes:
        raise ConfigError(f"{path} tells {known} classes apart and cannot teach {classes}")
    return net, found.preprocessing


def apart(logits_NK: Tensor, taught_NK: Tensor, *, temperature: float) -> Tensor:
    """Say how far softened answers are from the teacher's: a mean over pictures, in nats.

    Its gradient is that of [H]; it is 0 where both agree.
    """
    pupil, teacher = ((each / temperature).log_softmax(dim=1) for each in (logits_NK, taught_NK))
    divergence = nn.functional.kl_div(pupil, teacher, reduction="batchmean", log_target=True)
    return temperature**2 * divergence
