import torch

from residua.detect.predictions import Predictions
from residua.detect.refine import refined, regressed


def first():
    """Two regions of one picture; two classes."""
    return Predictions(
        torch.tensor([[[0.2, 0.6], [0.4, 0.1]]]),
        torch.tensor([[[[0.0, 0, 1, 1], [2, 2, 8, 8]], [[5, 5, 9, 9], [6, 6, 7, 7]]]]),
        torch.tensor([[True, False]]),
    )


def test_a_region_goes_on_from_the_box_of_its_most_probable_class():
    assert regressed(first()).tolist() == [[[2, 2, 8, 8], [5, 5, 9, 9]]]


def test_old_and_new_predictions_stand_side_by_side():
    asked = []

    def predict(rois, valid):
        asked.append((rois, valid))
        # Each new box is one pixel larger than the region.
        larger = rois + torch.tensor([-1.0, -1, 1, 1])
        return Predictions(
            torch.full((1, 2, 2), 0.9), larger[:, :, None].expand(-1, -1, 2, -1), valid
        )

    said = refined(first(), predict)
    assert len(asked) == 1
    assert asked[0][0].tolist() == [[[2, 2, 8, 8], [5, 5, 9, 9]]]
    assert said.boxes_NRK4.shape == (1, 4, 2, 4)
    assert said.boxes_NRK4[0, :2].equal(first().boxes_NRK4[0])
    assert said.boxes_NRK4[0, 2, 0].tolist() == [1, 1, 9, 9]
    assert said.boxes_NRK4[0, 3, 1].tolist() == [4, 4, 10, 10]
    torch.testing.assert_close(
        said.probabilities_NRK[0], torch.tensor([[0.2, 0.6], [0.4, 0.1], [0.9, 0.9], [0.9, 0.9]])
    )
    assert said.valid_NR.tolist() == [[True, False, True, False]]


def test_three_hundred_proposals_give_six_hundred_predictions():
    many = Predictions(
        torch.rand(1, 300, 3), torch.rand(1, 300, 3, 4), torch.ones(1, 300, dtype=torch.bool)
    )
    assert refined(many, lambda rois, valid: many).valid_NR.shape == (1, 600)
