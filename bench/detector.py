"""Our detector beside one that is put together from torchvision's parts, in training and testing.

Both have the same C4 trunk, anchors, counts and RoIAlign, the same weights and the same pictures of
made scenes; torchvision's are AnchorGenerator, RegionProposalNetwork and RoIHeads. The weights are
drawn, with normalization that keeps the features of many blocks from growing (else nearly all boxes
leave the picture, and what is left of them is not the same number for both), and the background as
sure as it is in a trained detector, so that some boxes are kept and most are not. A round is some
updates (or tests) of each; rounds alternate, and the ratio is of the medians.
"""

import copy
import itertools
import statistics
import time

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import MultiScaleRoIAlign

from harness import parser, report, table, verdict
from residua.data.objectbatches import ObjectBatches, ObjectServing
from residua.data.resize import ResizeConfig
from residua.data.scenes import ScenesConfig
from residua.detect.anchors import AnchorsConfig
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.detect.trunk import cut
from residua.nets.imagenet import ImagenetConfig
from residua.nn.frozen import FrozenNorm

SIZES, RATIOS, CLASSES = (64.0, 128.0, 256.0), (0.5, 1.0, 2.0), 10


class Same(nn.Module):
    """torchvision's transform without a change: our batches are resized and normalized already."""

    def forward(self, images, targets=None):
        from torchvision.models.detection.image_list import ImageList

        batch = torch.stack(images)
        return ImageList(batch, [tuple(batch.shape[2:])] * len(batch)), targets

    def postprocess(self, result, *_):
        return result


class Head(nn.Module):
    """C5 and the average pooling of a detector of ours, as torchvision's box head."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net.head(x.contiguous(memory_format=torch.channels_last))


class Predictor(nn.Module):
    """The two sibling layers of a detector of ours, as torchvision's."""

    def __init__(self, net):
        super().__init__()
        self.classes, self.boxes = net.predict.classes, net.predict.boxes

    def forward(self, x):
        return self.classes(x), self.boxes(x)


def ours(depth, widen):
    trunk = ImagenetConfig(depth=depth, widen=widen)
    config = FasterRcnnConfig(
        trunk=trunk,
        num_classes=CLASSES,
        anchors=AnchorsConfig(sizes=SIZES, ratios=RATIOS, convention="torchvision"),
        rpn=RpnConfig(
            # torchvision's proposal network is as wide as its features.
            channels=cut(trunk.build()).channels,
            objectness="sigmoid",
            train_pre=2000,
            train_post=1000,
            test_pre=1000,
            test_post=300,
            min_size=1e-3,
            inside_only=False,
        ),
        roi=RoiConfig(pool="align", sampling=2, per_picture=64, background=(0.0, 0.5)),
        freeze=1,
    )
    net = config.build()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, FrozenNorm):
                module.weight.mul_(0.7)
        net.predict.classes.weight.mul_(30)
        net.predict.classes.bias[0] = 4
    return net


def theirs(net):
    """A detector of torchvision's parts on a copy of the same trunk and head."""
    net = copy.deepcopy(net)
    trunk = net.trunk
    trunk.out_channels = net.rpn.conv.in_channels
    rpn_head = RPNHead(trunk.out_channels, len(SIZES) * len(RATIOS))
    rpn_head.conv[0][0].load_state_dict(net.rpn.conv.state_dict())
    rpn_head.cls_logits.load_state_dict(net.rpn.objectness.state_dict())
    rpn_head.bbox_pred.load_state_dict(net.rpn.deltas.state_dict())
    found = FasterRCNN(
        trunk,
        rpn_anchor_generator=AnchorGenerator((SIZES,), (RATIOS,)),
        rpn_head=rpn_head,
        box_roi_pool=MultiScaleRoIAlign(["0"], net.pool.size, 2),
        box_head=Head(net),
        box_predictor=Predictor(net),
        rpn_pre_nms_top_n_train=2000,
        rpn_post_nms_top_n_train=1000,
        rpn_pre_nms_top_n_test=1000,
        rpn_post_nms_top_n_test=300,
        rpn_batch_size_per_image=256,
        box_batch_size_per_image=64,
        box_nms_thresh=0.3,
    )
    found.transform = Same()
    return found.to(memory_format=torch.channels_last)


def updater(net, losses):
    """Return what makes one update of a net on a batch."""
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1e-5)

    def update(batch, dtype):
        net.train()
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            loss = losses(batch)
        loss.backward()
        optimizer.step()

    return update


def our_losses(net):
    return lambda batch: net.losses(batch, torch.default_generator)["loss"]


def their_losses(net):
    def losses(batch):
        targets = [{"boxes": o.boxes_R4, "labels": o.labels_R} for o in batch.objects]
        return sum(net(list(batch.images_NCHW), targets).values())

    return losses


def our_test(net):
    return lambda batch: net(batch.images_NCHW, batch.sizes_N2)


def their_test(net):
    return lambda batch: net(list(batch.images_NCHW))


def tester(net, ask):
    def test(batch, dtype):
        net.eval()
        with (
            torch.inference_mode(),
            torch.autocast("cpu", dtype, enabled=dtype is not torch.float32),
        ):
            ask(batch)

    return test


def counted(net, other, batch):
    """Count the proposals and the boxes that both keep of a batch."""
    net.eval()
    other.eval()
    proposed = []
    watch = other.roi_heads.register_forward_pre_hook(
        lambda _, given: proposed.append(sum(map(len, given[1])))
    )
    with torch.inference_mode():
        rois = net.propose(net.features(batch.images_NCHW), batch.sizes_N2).valid_NP
        ours = net(batch.images_NCHW, batch.sizes_N2)
        theirs = other(list(batch.images_NCHW))
    watch.remove()
    kept = sum(len(found["boxes"]) for found in theirs)
    return (int(rois.sum()), int(ours.valid_NE.sum())), (proposed[0], kept)


def seconds(act, batches, dtype, count):
    began = time.perf_counter()
    for _ in range(count):
        act(next(batches), dtype)
    return time.perf_counter() - began


def measured(acts, stream, dtype, chosen):
    """Return the images a second of each, from the median of alternating rounds."""
    taken = [[] for _ in acts]
    for act in acts:
        seconds(act, stream, dtype, 1)
    for _ in range(chosen.rounds):
        for act, found in zip(acts, taken, strict=True):
            found.append(seconds(act, stream, dtype, chosen.updates))
    return [chosen.updates * chosen.batch / statistics.median(found) for found in taken]


def main():
    options = parser(__doc__)
    options.add_argument("--depth", type=int, default=50)
    options.add_argument("--widen", type=float, default=1.0)
    options.add_argument("--short", type=int, default=320)
    options.add_argument("--batch", type=int, default=2)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--updates", type=int, default=2, help="of each in a round")
    chosen = options.parse_args()
    torch.manual_seed(0)
    net = ours(chosen.depth, chosen.widen)
    other = theirs(net)
    scenes = ScenesConfig(train=64, validation=0, test=1).load().train
    resize = ResizeConfig(short=chosen.short, long=2 * chosen.short)
    serving = ObjectServing(
        batch_size=chosen.batch, seed=0, resize=resize, normalize=lambda x: x.float() / 128 - 1
    )
    batches = ObjectBatches(scenes, serving)
    stream = (batches[i] for i in itertools.count())
    first = next(stream)
    own, foreign = counted(net, other, first)
    rows, verdicts = [], []
    for dtype in (torch.float32, torch.bfloat16):
        for what, mine, his in (
            ("training", updater(net, our_losses(net)), updater(other, their_losses(other))),
            ("testing", tester(net, our_test(net)), tester(other, their_test(other))),
        ):
            rates = measured((mine, his), stream, dtype, chosen)
            name = f"{what}, {str(dtype).removeprefix('torch.')}"
            rows.append([name, f"{rates[1]:.2f}", f"{rates[0]:.2f}", f"{rates[0] / rates[1]:.2f}"])
            verdicts.append(verdict(f"{name}, ratio", rates[0] / rates[1], 1.0, at_most=False))
    batches.close()
    columns = ["", "torchvision's parts, images/s", "ours, images/s", "ratio"]
    body = (
        f"ResNet-{chosen.depth} (widen {chosen.widen:g}) on C4, shorter side {chosen.short}, batch "
        f"{chosen.batch}, median of {chosen.rounds} alternating rounds of {chosen.updates}; of the "
        f"first batch, theirs keeps {foreign[1]} boxes of {foreign[0]} proposals and ours {own[1]} "
        f"of {own[0]}\n\n"
        f"{table(columns, rows)}\n\n" + "\n".join(verdicts)
    )
    report("detector", body, write=chosen.write)


if __name__ == "__main__":
    main()
