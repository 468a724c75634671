"""ImageNet as in He et al. 2015 and 2016.

Both: batches of 256, rate 0.1 at first, momentum 0.9, decay 1e-4; the shorter side scaled to a
random length in [256, 480], a random crop of 224 or its mirror image, the colour of AlexNet's
augmentation. Point `--data.path` at a folder of ImageNet: all of its training pictures are learned
from, and its validation pictures are those that are tested, once.

2015: 600,000 updates; the rate is divided by 10 "when the error plateaus", which error is not said.
The recipes that end in `_plateau` look at the training error for that, which is our choice, so that
they too learn from all pictures; the others have it fall after 30, 60 and 90 epochs, which is our
assumption, after [P] and fb.resnet.torch. 2016: the rate falls after 30 and 60
epochs; how many there are in all is not in our sources, and 90 here. Table 5 is tested on a crop of
320 of a shorter side of 320.

Differs: the authors subtract the mean of each pixel, here of each channel.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.4, tables 2 to 4; for one
        view, KaimingHe/deep-residual-networks, README.md.
    [P] He et al., Identity Mappings, arXiv:1603.05027, section 5 and table 5.
"""

from typing import Literal

from residua.data.augment import PcaColour
from residua.data.fit import InceptionCrop, ScaleJitterCrop
from residua.data.folder import FilesConfig
from residua.data.normalize import FixedStats
from residua.data.views import CenterCrop, MultiScale, TenCrop, Views
from residua.experiment import Claim, Experiment
from residua.nets.imagenet import ImagenetConfig
from residua.train.feedback import PlateauConfig
from residua.train.optimize import SgdConfig
from residua.train.pace import Schedule
from residua.train.schedule import StepsConfig, iterations

__all__ = [
    "original152",
    "original200",
    "plain18",
    "plain18_plateau",
    "plain34",
    "plain34_plateau",
    "preresnet152",
    "preresnet200",
    "preresnet200_aspect",
    "resnet18",
    "resnet18_plateau",
    "resnet34",
    "resnet34_b",
    "resnet34_c",
    "resnet34_plateau",
    "resnet50",
    "resnet50_plateau",
    "resnet101",
    "resnet101_plateau",
    "resnet152",
    "resnet152_plateau",
]

PICTURES, BATCH = 1_281_167, 256
EPOCHS_30, EPOCHS_60, EPOCHS_90 = (iterations(epochs, PICTURES, BATCH) for epochs in (30, 60, 90))
STEPS = StepsConfig(lr=0.1, at=(EPOCHS_30, EPOCHS_60, EPOCHS_90), factor=0.1, until=600_000)
PLATEAU = PlateauConfig(lr=0.1, factor=0.1, watch="train_error", until=600_000)
# ImageNet's colours; the authors divide by nothing.
MEAN = FixedStats(mean=(0.485, 0.456, 0.406), std=(1.0, 1.0, 1.0))

CROP_320 = CenterCrop(short_side=320, size=320)

# Top-1 and top-5, in percent.
Errors = tuple[float, float | None]
# With ten views, one, and several scales.
BOTTLENECKS: dict[int, tuple[Errors, Errors, Errors]] = {
    50: ((22.85, 6.71), (24.7, 7.8), (20.74, 5.25)),
    101: ((21.75, 6.05), (23.6, 7.1), (19.87, 4.60)),
    152: ((21.43, 5.71), (23.0, 6.7), (19.38, 4.49)),
}


def _imagenet(
    name: str,
    net: ImagenetConfig,
    schedule: Schedule,
    crop: ScaleJitterCrop | InceptionCrop,
    claims: tuple[Claim, ...],
) -> Experiment:
    return Experiment(
        name=f"imagenet.{name}",
        net=net,
        data=FilesConfig(size=224, crop=crop, validation=0.0),
        augment=PcaColour(std=0.1),
        normalize=MEAN,
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4),
        schedule=schedule,
        batch_size=BATCH,
        claims=claims,
    )


def _errors(errors: Errors, source: str, views: Views) -> list[Claim]:
    """Claim a top-1 error and, where it is known, a top-5 error."""
    top1, top5 = errors
    claims = [Claim.error(top1, source, views=views)]
    if top5 is not None:
        claims.append(Claim.error(top5, source, metric="top5_error", views=views))
    return claims


def _he2015(
    name: str,
    net: ImagenetConfig,
    ten_views: Errors,
    *,
    one_view: Errors | None = None,
    scales: Errors | None = None,
    schedule: Schedule = STEPS,
) -> Experiment:
    paper = "arXiv:1512.03385, table"
    claims = _errors(ten_views, f"{paper} {2 if ten_views[1] is None else 3}", TenCrop())
    if one_view is not None:
        claims += _errors(one_view, "KaimingHe/deep-residual-networks, README.md", CenterCrop())
    if scales is not None:
        claims += _errors(scales, f"{paper} 4", MultiScale())
    crop = ScaleJitterCrop(short_side=(256, 480))
    return _imagenet(name, net, schedule, crop, tuple(claims))


def _bottleneck(name: str, depth: int, schedule: Schedule = STEPS) -> Experiment:
    ten_views, one_view, scales = BOTTLENECKS[depth]
    return _he2015(
        name,
        ImagenetConfig(depth=depth, shortcut="B"),
        ten_views,
        one_view=one_view,
        scales=scales,
        schedule=schedule,
    )


def _he2016(
    name: str,
    depth: int,
    order: Literal["post", "full_preact"],
    crop_320: Errors,
    *,
    crop_224: Errors | None = None,
    aspect: bool = False,
) -> Experiment:
    source = "arXiv:1603.05027, table 5"
    claims = _errors(crop_320, source, CROP_320)
    if crop_224 is not None:
        claims += _errors(crop_224, source, CenterCrop())
    return _imagenet(
        name,
        ImagenetConfig(depth=depth, order=order),
        StepsConfig(lr=0.1, at=(EPOCHS_30, EPOCHS_60), factor=0.1, until=EPOCHS_90),
        InceptionCrop() if aspect else ScaleJitterCrop(short_side=(256, 480)),
        tuple(claims),
    )


def plain18() -> Experiment:
    """Plain net of 18 layers, the rate falls every 30 epochs: 27.94 % with ten views."""
    return _he2015("plain18", ImagenetConfig(depth=18, shortcut="none"), (27.94, None))


def plain18_plateau() -> Experiment:
    """Plain net of 18 layers, the rate falls when the error stops to: 27.94 % with ten views."""
    return _he2015(
        "plain18_plateau",
        ImagenetConfig(depth=18, shortcut="none"),
        (27.94, None),
        schedule=PLATEAU,
    )


def plain34() -> Experiment:
    """Plain net of 34 layers, the rate falls every 30 epochs: 28.54 % with ten views."""
    return _he2015("plain34", ImagenetConfig(depth=34, shortcut="none"), (28.54, 10.02))


def plain34_plateau() -> Experiment:
    """Plain net of 34 layers, the rate falls when the error stops to: 28.54 % with ten views."""
    return _he2015(
        "plain34_plateau",
        ImagenetConfig(depth=34, shortcut="none"),
        (28.54, 10.02),
        schedule=PLATEAU,
    )


def resnet18() -> Experiment:
    """ResNet-18 with option A, the rate falls every 30 epochs: 27.88 % with ten views."""
    return _he2015("resnet18", ImagenetConfig(depth=18, shortcut="A"), (27.88, None))


def resnet18_plateau() -> Experiment:
    """ResNet-18 with option A, the rate falls when the error stops to: 27.88 % with ten views."""
    return _he2015(
        "resnet18_plateau", ImagenetConfig(depth=18, shortcut="A"), (27.88, None), schedule=PLATEAU
    )


def resnet34() -> Experiment:
    """ResNet-34 with option A, the rate falls every 30 epochs: 25.03 % with ten views."""
    return _he2015("resnet34", ImagenetConfig(depth=34, shortcut="A"), (25.03, 7.76))


def resnet34_plateau() -> Experiment:
    """ResNet-34 with option A, the rate falls when the error stops to: 25.03 % with ten views."""
    return _he2015(
        "resnet34_plateau", ImagenetConfig(depth=34, shortcut="A"), (25.03, 7.76), schedule=PLATEAU
    )


def resnet50() -> Experiment:
    """ResNet-50 with option B, the rate falls every 30 epochs: 22.85 % with ten views."""
    return _bottleneck("resnet50", 50)


def resnet50_plateau() -> Experiment:
    """ResNet-50 with option B, the rate falls when the error stops to: 22.85 % with ten views."""
    return _bottleneck("resnet50_plateau", 50, PLATEAU)


def resnet101() -> Experiment:
    """ResNet-101 with option B, the rate falls every 30 epochs: 21.75 % with ten views."""
    return _bottleneck("resnet101", 101)


def resnet101_plateau() -> Experiment:
    """ResNet-101 with option B, the rate falls when the error stops to: 21.75 % with ten views."""
    return _bottleneck("resnet101_plateau", 101, PLATEAU)


def resnet152() -> Experiment:
    """ResNet-152 with option B, the rate falls every 30 epochs: 21.43 % with ten views."""
    return _bottleneck("resnet152", 152)


def resnet152_plateau() -> Experiment:
    """ResNet-152 with option B, the rate falls when the error stops to: 21.43 % with ten views."""
    return _bottleneck("resnet152_plateau", 152, PLATEAU)


def resnet34_b() -> Experiment:
    """ResNet-34 with option B: 24.52 % with ten views."""
    net = ImagenetConfig(depth=34, shortcut="B")
    return _he2015("resnet34_b", net, (24.52, 7.46), scales=(21.84, 5.71))


def resnet34_c() -> Experiment:
    """ResNet-34 with option C: 24.19 % with ten views."""
    net = ImagenetConfig(depth=34, shortcut="C")
    return _he2015("resnet34_c", net, (24.19, 7.40), scales=(21.53, 5.60))


def original152() -> Experiment:
    """ResNet-152: 21.3 % on a crop of 320, 23.0 % on one of 224."""
    return _he2016("original152", 152, "post", (21.3, 5.5), crop_224=(23.0, 6.7))


def original200() -> Experiment:
    """ResNet-200: 21.8 % on a crop of 320."""
    return _he2016("original200", 200, "post", (21.8, 6.0))


def preresnet152() -> Experiment:
    """Pre-activation ResNet-152: 21.1 % on a crop of 320."""
    return _he2016("preresnet152", 152, "full_preact", (21.1, 5.5))


def preresnet200() -> Experiment:
    """Pre-activation ResNet-200: 20.7 % on a crop of 320."""
    return _he2016("preresnet200", 200, "full_preact", (20.7, 5.3))


def preresnet200_aspect() -> Experiment:
    """Pre-activation ResNet-200, crops of random size and shape: 20.1 % on a crop of 320."""
    return _he2016("preresnet200_aspect", 200, "full_preact", (20.1, 4.8), aspect=True)
