"""The twelve numbers of COCO, and the average precision of every class by its rule.

They are counted by faster-coco-eval, which agrees with COCO's own code to the last digits.

Sources:
    [C] https://cocodataset.org/#detection-eval
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from residua.data.objects import Objects
from residua.detect.found import Found

if TYPE_CHECKING:
    from faster_coco_eval import COCO

# In the order in which COCO's own code prints them, with what they are ([C]).
NUMBERS = {
    "AP": "AP, mean over IoU 0.50 to 0.95: mAP@[.5,.95]",
    "AP50": "AP at IoU 0.50: mAP@.5",
    "AP75": "AP at IoU 0.75",
    "APs": "AP, objects below 32² pixels",
    "APm": "AP, 32² to 96² pixels",
    "APl": "AP, above 96² pixels",
    "AR1": "recall with 1 detection an image",
    "AR10": "recall with 10 detections an image",
    "AR100": "recall with 100 detections an image",
    "ARs": "recall with 100, objects below 32² pixels",
    "ARm": "recall with 100, 32² to 96² pixels",
    "ARl": "recall with 100, above 96² pixels",
}


@dataclass(frozen=True)
class CocoScores:
    """What COCO's rule says of a set of detections.

    Attributes:
        numbers: the names of `NUMBERS`, in percent; None where there are no such objects.
        by_class: AP over IoU 0.50 to 0.95 of each class, in percent; None of one without objects.
    """

    numbers: dict[str, float | None]
    by_class: tuple[float | None, ...]


def coco_scores(
    found: Sequence[Found],
    objects: Sequence[Objects],
    classes: Sequence[str],
    *,
    difficult: bool = False,
) -> CocoScores:
    """Score detections by the rule of COCO.

    Args:
        found: detections of each picture; of one picture and class the best hundred count.
        objects: of the same pictures. Crowds are ignored, whatever number of detections lies in
            them. Small, medium and large is what the annotated area says.
        classes: K names.
        difficult: count VOC's difficult objects, which COCO does not have; else they are crowds.
    """
    import numpy as np
    from faster_coco_eval import COCOeval_faster

    if not classes or not objects:
        return CocoScores(dict.fromkeys(NUMBERS), (None,) * len(classes))
    truth = _truth(objects, classes, difficult=difficult)
    evaluation = COCOeval_faster(truth, truth.loadRes(_results(found)), "bbox")
    evaluation.run()
    precision_TRKAM: Any = evaluation.eval["precision"]
    of_class = [precision_TRKAM[:, :, k, 0, -1] for k in range(len(classes))]
    known = [values[values > -1] for values in of_class]
    return CocoScores(
        numbers={
            name: None if value < 0 else 100 * float(value)
            for name, value in zip(NUMBERS, evaluation.stats, strict=True)
        },
        by_class=tuple(100 * float(np.mean(values)) if values.size else None for values in known),
    )


def _truth(objects: Sequence[Objects], classes: Sequence[str], *, difficult: bool) -> "COCO":
    from faster_coco_eval import COCO

    annotations: list[dict[str, Any]] = []
    for image, each in enumerate(objects, start=1):
        ignored_R = each.crowd_R if difficult else each.crowd_R | each.difficult_R
        rows = zip(
            each.boxes_R4.double().tolist(),
            each.labels_R.tolist(),
            each.area_R.double().tolist(),
            ignored_R.tolist(),
            strict=True,
        )
        annotations.extend(
            {
                # An annotation of number 0 would be taken for one that nothing matches.
                "id": number,
                "image_id": image,
                "category_id": label,
                "bbox": _corner_and_size(box),
                "area": area,
                "iscrowd": int(ignored),
            }
            for number, (box, label, area, ignored) in enumerate(rows, start=len(annotations) + 1)
        )
    return COCO(
        {
            "images": [{"id": image} for image in range(1, len(objects) + 1)],
            "categories": [{"id": k, "name": name} for k, name in enumerate(classes, start=1)],
            "annotations": annotations,
        }
    )


def _results(found: Sequence[Found]) -> list[dict[str, Any]]:
    return [
        {"image_id": image, "category_id": label, "bbox": _corner_and_size(box), "score": score}
        for image, each in enumerate(found, start=1)
        for box, score, label in zip(
            each.boxes_D4.double().tolist(),
            each.scores_D.double().tolist(),
            each.labels_D.tolist(),
            strict=True,
        )
    ]


def _corner_and_size(box: Sequence[float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]
