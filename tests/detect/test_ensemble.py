import torch

from residua.detect.ensemble import averaged, union

ROIS = torch.tensor([[[0.0, 0, 4, 4], [1, 1, 5, 5]]])


def member(probability, delta):
    def classify(rois):
        count = rois.shape[1]
        return torch.full((1, count, 3), probability), torch.full((1, count, 3, 4), delta)

    return classify


def test_proposals_of_all_are_looked_at():
    one = ROIS, torch.tensor([[True, False]])
    two = ROIS + 1, torch.tensor([[True, True]])
    rois, valid = union([one, two])
    assert rois.equal(torch.cat([ROIS, ROIS + 1], dim=1))
    assert valid.tolist() == [[True, False, True, True]]


def test_probabilities_and_deltas_are_averaged():
    probabilities, deltas = averaged([member(0.2, 1.0), member(0.6, 3.0)])(ROIS)
    torch.testing.assert_close(probabilities, torch.full((1, 2, 3), 0.4))
    torch.testing.assert_close(deltas, torch.full((1, 2, 3, 4), 2.0))


def test_one_is_itself():
    alone = member(0.2, 1.0)
    assert averaged([alone]) is alone


def test_two_equal_ones_are_one():
    same = member(0.3, 0.7)
    for together, alone in zip(averaged([same, same])(ROIS), same(ROIS), strict=True):
        assert together.equal(alone)
