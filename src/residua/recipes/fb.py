"""ImageNet as fb.resnet.torch trains it: 90 epochs, crops of random size, Nesterov's momentum.

Batches of 256, rate 0.1 divided by 10 every 30 epochs, decay 1e-4 of everything; crops of 8 to
100 % of the area, brightness, contrast and saturation changed by up to 0.4, then the colour of
AlexNet's augmentation; the mean and deviation of each channel. Bottlenecks have their stride on the
3x3. All training pictures are learned from; those of the validation folder are tested, once.

Differs: convolutions start from N(0, 2 / fan_in) as in the papers; there it is the fan out. Crops
are resized bicubically there, bilinearly here. The released ResNet-50, whose 24.01 and 7.02 % are
claimed, has its last batch norm after the addition; the net here, like the code there, before it.

Source: facebook/fb.resnet.torch, README.md, pretrained/README.md and its code.
"""

from residua.data.augment import Chain, ColourJitter, PcaColour
from residua.data.fit import InceptionCrop
from residua.data.folder import FilesConfig
from residua.data.normalize import FixedStats
from residua.data.views import CenterCrop, TenCrop
from residua.experiment import Claim, Experiment
from residua.nets.imagenet import ImagenetConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig, iterations

__all__ = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet200",
]

PICTURES, BATCH = 1_281_167, 256
# There the outputs of the net are summed over the crops, before the softmax.
TEN = TenCrop(rule="logits")


def _fb(
    depth: int, one_top1: float, one_top5: float, ten_top1: float, ten_top5: float
) -> Experiment:
    source = "facebook/fb.resnet.torch, pretrained/README.md"
    thirty, sixty, ninety = (iterations(epochs, PICTURES, BATCH) for epochs in (30, 60, 90))
    return Experiment(
        name=f"fb.resnet{depth}",
        net=ImagenetConfig(
            depth=depth, stride_on="3x3", order="full_preact" if depth == 200 else "post"
        ),
        data=FilesConfig(size=224, crop=InceptionCrop(), validation=0.0),
        augment=Chain(
            steps=(
                ColourJitter(brightness=0.4, contrast=0.4, saturation=0.4),
                PcaColour(std=0.1),
            )
        ),
        normalize=FixedStats(),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4, nesterov=True),
        schedule=StepsConfig(lr=0.1, at=(thirty, sixty), factor=0.1, until=ninety),
        batch_size=BATCH,
        claims=(
            Claim.error(one_top1, source, views=CenterCrop()),
            Claim.error(one_top5, source, metric="top5_error", views=CenterCrop()),
            Claim.error(ten_top1, source, views=TEN),
            Claim.error(ten_top5, source, metric="top5_error", views=TEN),
        ),
    )


def resnet18() -> Experiment:
    """ResNet-18 of fb.resnet.torch: 30.43 % with one view."""
    return _fb(18, 30.43, 10.76, 28.22, 9.42)


def resnet34() -> Experiment:
    """ResNet-34 of fb.resnet.torch: 26.73 % with one view."""
    return _fb(34, 26.73, 8.74, 24.76, 7.35)


def resnet50() -> Experiment:
    """ResNet-50 of fb.resnet.torch: 24.01 % with one view."""
    return _fb(50, 24.01, 7.02, 22.24, 6.08)


def resnet101() -> Experiment:
    """ResNet-101 of fb.resnet.torch: 22.44 % with one view."""
    return _fb(101, 22.44, 6.21, 21.08, 5.35)


def resnet152() -> Experiment:
    """ResNet-152 of fb.resnet.torch: 22.16 % with one view."""
    return _fb(152, 22.16, 6.16, 20.69, 5.21)


def resnet200() -> Experiment:
    """Pre-activation ResNet-200 of fb.resnet.torch: 21.66 % with one view."""
    return _fb(200, 21.66, 5.79, 20.15, 4.93)
