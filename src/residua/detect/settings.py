"""A detector as data: the classifier that it is built on, and every choice of its own.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix A.
"""

from dataclasses import field
from typing import Literal

import torch
from torch import nn

from residua.config import settings
from residua.detect.anchors import AnchorsConfig
from residua.detect.faster_rcnn import FasterRcnn, OutputConfig
from residua.detect.predict import Predict
from residua.detect.roi import RoiConfig, RoiPool
from residua.detect.rpn import Rpn, RpnConfig
from residua.detect.trunk import cut, freeze_trunk
from residua.nets.catalogue import NetConfig
from residua.nets.imagenet import ImagenetConfig

# The most channels of the 3x3 convolution of a region proposal network.
MOST_CHANNELS = 512


@settings
class FasterRcnnConfig:
    """Faster R-CNN on a classifier; the defaults are [R], on VOC.

    Attributes:
        trunk: the classifier; what follows its average pooling is not used.
        num_classes: K, without background.
        anchors: their sizes and ratios.
        rpn: how proposals are made and learned.
        roi: how regions are pooled and learned from.
        output: what `forward` returns.
        context: append to each region's vector that of the whole picture ([R] appendix B).
        freeze: first stages that stay as they are: 1 for the stem, 2 for the stem and C2, ...
        freeze_norm: batch normalization uses the statistics that it has, and does not learn.
    """

    kind: Literal["faster_rcnn"] = "faster_rcnn"
    trunk: NetConfig = field(default_factory=lambda: ImagenetConfig(depth=101))
    num_classes: int = 20
    anchors: AnchorsConfig = field(default_factory=AnchorsConfig)
    rpn: RpnConfig = field(default_factory=RpnConfig)
    roi: RoiConfig = field(default_factory=RoiConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    context: bool = False
    freeze: int = 2
    freeze_norm: bool = True

    def build(self) -> FasterRcnn:
        """Build the detector that these settings describe, with freshly drawn weights.

        A trunk with frozen normalization learns only if it was trained before: see `build_on`.
        """
        return self.build_on(self.trunk.build())

    def build_on(self, classifier: nn.Module) -> FasterRcnn:
        """Build the detector on a classifier that was trained, whose parts become the detector's.

        Args:
            classifier: what `trunk` describes, with its weights.

        Raises:
            ConfigError: it cannot be cut in two, or has fewer stages than shall be frozen.
        """
        trunk = cut(classifier)
        freeze_trunk(trunk, self.freeze, norms=self.freeze_norm)
        channels = self.rpn.channels or min(MOST_CHANNELS, 2 * trunk.channels)
        rpn = Rpn(
            in_channels=trunk.channels,
            stride=trunk.stride,
            cells=self.anchors.cells(trunk.stride),
            channels=channels,
            objectness=self.rpn.objectness,
        )
        size = self.roi.pool_size or trunk.pool_size
        width = 2 * trunk.width if self.context else trunk.width
        detector = FasterRcnn(
            takes=trunk.takes,
            trunk=trunk.shared,
            rpn=rpn,
            pool=RoiPool(
                self.roi.pool,
                size,
                trunk.stride,
                sampling=self.roi.sampling,
                half_pixel=self.roi.half_pixel,
            ),
            head=trunk.head,
            predict=Predict(width, self.num_classes, class_agnostic=self.roi.class_agnostic),
            proposing=self.rpn,
            learning=self.roi,
            output=self.output,
            context=self.context,
        )
        return detector.to(memory_format=torch.channels_last)
