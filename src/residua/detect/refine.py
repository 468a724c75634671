"""Iterative box refinement: a box that was predicted is looked at again as a region.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix B, "Box refinement".
    [G] Gidaris and Komodakis, Object detection via a multi-region & semantic segmentation-aware
        CNN model, arXiv:1505.01749, section 5.

Dimension key:
    N pictures   R regions of each   K classes without background
"""

from torch import Tensor

from residua.detect.predictions import Look, Predictions


def regressed(predictions: Predictions) -> Tensor:
    """Give each region's box of its most probable class other than the background.

    Differs: [R] has one regressed box for each region, and says nothing of which where every class
    has its own. With that of the most probable class, 300 regions give 300 new ones, as in [R].

    Shape:
        y: N, R, 4.
    """
    best_NR11 = predictions.probabilities_NRK.argmax(dim=2)[:, :, None, None]
    return predictions.boxes_NRK4.gather(2, best_NR11.expand(-1, -1, 1, 4)).squeeze(2)


def refined(first: Predictions, look: Look) -> Predictions:
    """Predict anew from each regressed box, and return old and new together: N, 2R.

    Args:
        first: what was predicted from the proposals.
        look: pools features from regions, scores them and moves their borders.
    """
    return Predictions.joined([first, look(regressed(first), first.valid_NR)])
