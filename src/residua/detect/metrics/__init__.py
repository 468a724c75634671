"""What detections are worth: the rules of VOC in all readings, and those of COCO."""

from residua.detect.metrics.coco import CocoScores, coco_scores
from residua.detect.metrics.summary import Summary, VocScore, summarise

__all__ = ["CocoScores", "Summary", "VocScore", "coco_scores", "summarise"]
