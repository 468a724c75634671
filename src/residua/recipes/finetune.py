"""Fine-tuning: a network that has learned something goes on with one's own pictures.

No paper of ours: what has become usual for small sets. Early parts learn more slowly than late ones
and the stem not at all; labels are smoothed, pictures mixed, weights averaged; the rate falls along
a cosine. The head is new, unless the classes are those of the weights.

Sources:
    [U] Howard and Ruder, arXiv:1801.06146, section 3.2 (rates that differ by layer).
    [M] Zhang et al., mixup, arXiv:1710.09412.
    [B] He et al., Bag of Tricks, arXiv:1812.01187, sections 4 and 5.1 (cosine, smoothing).

The numbers are rules of thumb, so far without a measurement.
"""

import dataclasses

from residua.data.folder import FilesConfig, FolderConfig
from residua.errors import ConfigError
from residua.experiment import Experiment
from residua.nets.catalogue import for_classes
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from residua.starting import config_of
from residua.train.average import AverageConfig
from residua.train.loss import LossConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig

__all__: list[str] = []

# A third of what training from scratch takes, and a fifth of its rate.
SHARE, LR = 1 / 3, 0.02


def finetuned(experiment: Experiment, weights: str) -> Experiment:
    """Turn an experiment that begins from nothing into one that begins from weights.

    Pictures are read with as many channels as the weights take; grey ones are read as colours.

    Args:
        experiment: of one's own pictures, in memory or in files.
        weights: a file, or "torchvision".

    Raises:
        ConfigError: the weights do not say of which net they are.
        CheckpointError: no such file, or no weights in it.
    """
    net, data = experiment.net, experiment.data
    if not isinstance(net, CifarConfig | ImagenetConfig):
        raise ConfigError(f"{experiment.name} has no net of a kind that can be fine-tuned")
    net = for_classes(config_of(weights), net.num_classes)
    if isinstance(data, FolderConfig | FilesConfig):
        data = dataclasses.replace(data, channels=1 if net.input_shape[0] == 1 else 3)
    until = max(2, round(experiment.schedule.until * SHARE))
    return dataclasses.replace(
        experiment,
        net=net,
        data=data,
        weights=weights,
        loss=LossConfig(label_smoothing=0.1, mixup=0.2),
        average=AverageConfig(decay=0.999),
        optimizer=SgdConfig(weight_decay=5e-4, nesterov=True, stage_lr=0.7, freeze=1),
        schedule=CosineConfig(lr=LR, until=until, warmup=until // 20),
    )
