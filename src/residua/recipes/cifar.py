"""CIFAR-10 as in He et al. 2015, section 4.2, tables 6 and figure 6.

64,000 updates of 128 pictures, rate 0.1 divided by 10 after 32,000 and 48,000; 4 pixels of zeros
around each picture, a random crop, mirrored half the time; the mean of each pixel subtracted. The
authors chose the schedule with 5,000 pictures held out (`--data.holdout 5000`) and tested what was
learned from the training set; here that is all 50,000, and the weights of the last update.

Source: He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2 and table 6.
"""

from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config
from residua.data.normalize import PixelMean
from residua.experiment import Claim, Experiment
from residua.nets.cifar import CifarConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig

__all__ = ["resnet20"]


def resnet20() -> Experiment:
    """ResNet-20 on CIFAR-10: 8.75 % test error in the paper."""
    return Experiment(
        name="cifar.resnet20",
        net=CifarConfig(depth=20),
        data=Cifar10Config(),
        augment=PadCropFlip(pad=4),
        normalize=PixelMean(),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4),
        schedule=StepsConfig(lr=0.1, at=(32_000, 48_000), until=64_000),
        batch_size=128,
        claims=(
            Claim(
                metric="test_error",
                value=8.75,
                unit="percent",
                statistic="single run",
                source="arXiv:1512.03385, table 6",
            ),
        ),
    )
