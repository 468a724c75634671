"""A small detector learns two pictures by heart, in ninety updates."""

import torch

from detect.tiny import batch, config
from residua.data.objects import Objects
from residua.detect.boxes import iou
from residua.nets.imagenet import ImagenetConfig

# Without batch normalization, which would be frozen: residual functions begin at zero instead.
TRUNK = ImagenetConfig(depth=18, widen=0.25, norm=False, zero_init_residual=True)
PICTURES = (
    Objects.of([[10, 12, 44, 44], [70, 30, 118, 80]], [1, 2]),
    Objects.of([[60, 20, 92, 54]], [2]),
)


def coloured():
    """Return pictures whose objects are coloured by their class."""
    given = batch(*PICTURES)
    given.images_NCHW.mul_(0.1)
    for image, objects in zip(given.images_NCHW, PICTURES, strict=True):
        for box, label in zip(objects.boxes_R4.long(), objects.labels_R, strict=True):
            left, top, right, bottom = box.tolist()
            image[label, top:bottom, left:right] += 2
    return given


def test_two_pictures_are_learned_by_heart():
    given = coloured()
    rule = {"background": (0.0, 0.5), "per_picture": 24}
    detector = config(trunk=TRUNK, num_classes=2, roi=rule, rpn={"per_picture": 64}).build()
    optimizer = torch.optim.Adam(detector.parameters(), lr=2e-3)
    random = torch.Generator().manual_seed(0)
    detector.train()
    slower = torch.optim.lr_scheduler.MultiStepLR(optimizer, [110])
    for _ in range(140):
        optimizer.zero_grad()
        detector.losses(given, random)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 10.0)
        optimizer.step()
        slower.step()
    detector.eval()
    with torch.no_grad():
        found = detector(given.images_NCHW, given.sizes_N2)
    for number, objects in enumerate(PICTURES):
        likely = found.scores_NE[number] > 0.5
        labels = found.labels_NE[number, likely]
        overlaps = iou(found.boxes_NE4[number, likely], objects.boxes_R4)
        same = labels[:, None] == objects.labels_R
        assert ((overlaps > 0.6) & same).any(dim=0).all()
        assert len(labels) <= len(objects) + 1
