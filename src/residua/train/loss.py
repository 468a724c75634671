"""What a classifier is trained to make small.

Sources:
    [S] Szegedy et al., Rethinking the Inception Architecture, arXiv:1512.00567, section 7: label
        smoothing.
    [H] Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, arXiv:1503.02531.
"""

import torch
from torch import Generator, Tensor, nn

from residua.config import settings
from residua.errors import ConfigError
from residua.train import mixing
from residua.train.loop import Terms
from residua.train.teacher import apart


@settings
class LossConfig:
    """Cross-entropy; the defaults are the papers', without smoothing or mixing.

    With both mixup and cutmix, each batch has one of them, with even chances.

    Attributes:
        label_smoothing: share of every label that is spread over all classes ([S]), in [0, 1).
        mixup: alpha of the Beta distribution of the shares of pixel-wise mixtures; 0 for none.
        cutmix: alpha of that of the shares of pasted boxes; 0 for none.
        teacher: file of a trained net whose answers are learned beside the labels ([H]).
        taught: share of the loss that its answers have, in (0, 1]; the labels have the rest.
        temperature: that the logits of both are divided by there, above 0.
    """

    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    teacher: str | None = None
    taught: float = 0.9
    temperature: float = 4.0

    def check(self) -> None:
        """Refuse numbers without sense.

        Raises:
            ConfigError: a number is out of range.
        """
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f"loss.label_smoothing must be in [0, 1), got {self.label_smoothing}")
        for name, alpha in (("mixup", self.mixup), ("cutmix", self.cutmix)):
            if not 0 <= alpha < 100:
                raise ConfigError(f"loss.{name} must be in [0, 100), got {alpha}")
        if not 0 < self.taught <= 1:
            raise ConfigError(f"loss.taught must be in (0, 1], got {self.taught}")
        if not 0 < self.temperature < 1000:
            raise ConfigError(f"loss.temperature must be in (0, 1000), got {self.temperature}")

    def mix(self, images: Tensor, labels: Tensor, generator: Generator) -> mixing.Mixed:
        """Mix a batch as these settings say; unmixed is a share of 1.

        Shape:
            images: N, C, H, W.  labels: N.
        """
        kinds = [kind for kind in ("mixup", "cutmix") if getattr(self, kind) > 0]
        if not kinds:
            return mixing.Mixed(images, labels, labels, 1.0)
        kind = kinds[int(torch.randint(len(kinds), (), generator=generator))]
        share = mixing.draw_share(getattr(self, kind), generator)
        if kind == "mixup":
            return mixing.mixup(images, labels, share)
        height, width = images.shape[2:]
        return mixing.cutmix(images, labels, mixing.draw_box(share, height, width, generator))

    def terms(
        self,
        net: nn.Module,
        images: Tensor,
        labels: Tensor,
        generator: Generator,
        teacher: nn.Module | None = None,
    ) -> Terms:
        """Compute the terms of one batch.

        Shape:
            images: N, C, H, W, normalized.  labels: N.

        Args:
            net: the classifier.
            images: the pictures.
            labels: their classes.
            generator: on the processor, seeded for this iteration; unused where nothing is mixed.
            teacher: the trained net, if there is one, which takes the same pictures.

        Returns:
            "loss" in nats, and "error" in percent: how often the highest logit is not the label, or
            of a mixture not the label of its larger share.
        """
        mixed = self.mix(images, labels, generator)
        logits = net(mixed.images).float()
        if mixed.share == 1:
            loss = nn.functional.cross_entropy(
                logits, mixed.labels, label_smoothing=self.label_smoothing
            )
        else:
            loss = mixing.mixed_cross_entropy(logits, mixed, smoothing=self.label_smoothing)
        if teacher is not None:
            with torch.no_grad():
                answers = teacher(mixed.images).float()
            away = apart(logits, answers, temperature=self.temperature)
            loss = (1 - self.taught) * loss + self.taught * away
        wrong = (logits.argmax(dim=1) != mixed.dominant).float()
        return {"loss": loss, "error": 100 * wrong.mean()}
