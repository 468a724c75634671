import torch

from residua.detect.boxes import decode
from residua.detect.predictions import Predictions, look


def test_boxes_are_moved_for_each_class_and_cut_at_the_border_of_their_own_picture():
    rois = torch.tensor([[[0.0, 0, 10, 10]], [[0.0, 0, 10, 10]]])
    # Background first, whose deltas mean nothing; then one class moved right by half its width,
    # one moved down by its height.
    deltas = torch.tensor([[9.0, 9, 9, 9], [0.5, 0, 0, 0], [0, 1, 0, 0]]).expand(2, 1, 3, 4)
    probabilities = torch.tensor([[[0.5, 0.3, 0.2]], [[0.1, 0.2, 0.7]]])
    said = look(
        rois,
        torch.tensor([[True], [False]]),
        classify=lambda regions: (probabilities, deltas),
        decode=decode,
        sizes_N2=torch.tensor([[100, 12], [15, 100]]),
    )
    assert said.boxes_NRK4.tolist() == [
        [[[5, 0, 12, 10], [0, 10, 10, 20]]],
        [[[5, 0, 15, 10], [0, 10, 10, 15]]],
    ]
    torch.testing.assert_close(said.probabilities_NRK, probabilities[..., 1:])
    assert said.valid_NR.tolist() == [[True], [False]]


def test_predictions_of_the_same_pictures_are_joined_region_by_region():
    one = Predictions(torch.ones(2, 3, 4), torch.ones(2, 3, 4, 4), torch.ones(2, 3).bool())
    two = Predictions(torch.zeros(2, 1, 4), torch.zeros(2, 1, 4, 4), torch.zeros(2, 1).bool())
    both = Predictions.joined([one, two])
    assert [tuple(part.shape) for part in both] == [(2, 4, 4), (2, 4, 4, 4), (2, 4)]
    assert both.valid_NR.tolist() == [[True, True, True, False]] * 2
