"""Testing: what a network says of pictures under a protocol, and the numbers that follow."""

from residua.evaluate.score import scores
from residua.evaluate.tally import Scores

__all__ = ["Scores", "scores"]
