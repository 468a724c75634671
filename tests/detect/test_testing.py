import pytest
import torch

from fake_detector import fake
from residua.config import decode, encode
from residua.detect import testing
from residua.detect.given import AtHand
from residua.detect.testing import ask, detect
from residua.errors import ConfigError

# Resized to 50 x 100: half its size.
PICTURES = AtHand([torch.zeros(3, 100, 200, dtype=torch.uint8)])
ONE = [[10.0, 10, 20, 20]]


def falling(left):
    """Make regions less probable the further they are right."""
    return 1 - left / 100


def found_in(detectors, pictures=PICTURES, **options):
    return detect(detectors, pictures, testing.TestingConfig(**options))


def test_a_detection_is_in_the_pixels_of_the_picture_itself():
    (found,) = found_in([fake(ONE)])
    # Moved by a tenth of its width in the resized picture, which is half as large.
    torch.testing.assert_close(found.boxes_D4, torch.tensor([[22.0, 20, 42, 40]]))
    torch.testing.assert_close(found.scores_D, torch.tensor([0.9]))
    assert found.labels_D.tolist() == [1]


def test_pictures_of_all_sizes_keep_their_order_and_do_not_touch_each_other():
    sizes = [(100, 200), (50, 50), (100, 200), (30, 15)]
    several = AtHand([torch.zeros(3, *size, dtype=torch.uint8) for size in sizes])
    detector = fake(ONE)
    found = found_in([detector], several)
    assert [shape for shape, _ in detector.net.seen] == [
        (2, 3, 64, 128),
        (1, 3, 64, 64),
        (1, 3, 128, 64),
    ]
    lefts = [float(each.boxes_D4[0, 0]) for each in found]
    assert lefts == pytest.approx([22, 11, 22, 3.3])


def test_many_pictures_are_divided_into_batches(monkeypatch):
    monkeypatch.setattr(testing, "MOST_PICTURES", 2)
    five = AtHand([torch.zeros(3, 50, 50, dtype=torch.uint8)] * 5)
    answers = list(ask([fake(ONE)], five, testing.BASELINE))
    assert [answer.indices for answer in answers] == [[0, 1], [2, 3], [4]]
    monkeypatch.setattr(testing, "MOST_PIXELS", 1)
    assert len(list(ask([fake(ONE)], five, testing.BASELINE))) == 5


def test_the_net_is_in_eval_mode_while_it_is_asked_and_in_its_own_afterwards():
    detector = fake(ONE)
    detector.net.train()
    found_in([detector])
    assert detector.net.training
    assert [training for _, training in detector.net.seen] == [False]


def test_refinement_looks_again_from_where_the_box_has_gone():
    # Proposed at 10, found at 11 with 0.9; looked at there, found at 12 with 0.89.
    detector = fake(ONE, probability=falling)
    (found,) = found_in([detector], refine=True, nms=0.9)
    torch.testing.assert_close(found.boxes_D4[:, 0], torch.tensor([22.0, 24]))
    torch.testing.assert_close(found.scores_D, torch.tensor([0.9, 0.89]))
    (kept,) = found_in([detector], refine=True)
    torch.testing.assert_close(kept.boxes_D4[:, 0], torch.tensor([22.0]))


def test_voting_averages_the_old_and_the_new_box_by_their_scores():
    detector = fake(ONE, probability=falling)
    (found,) = found_in([detector], refine=True, vote=True)
    left = 2 * (0.9 * 11 + 0.89 * 12) / (0.9 + 0.89)
    torch.testing.assert_close(found.boxes_D4, torch.tensor([[left, 20, left + 20, 40]]))
    torch.testing.assert_close(found.scores_D, torch.tensor([0.9]))


def test_voting_alone_is_among_what_was_proposed():
    two = [[10.0, 10, 20, 20], [12.0, 10, 22, 20]]
    (found,) = found_in([fake(two, probability=falling)], vote=True)
    # Found at 11 and 13: IoU 8 / 12.
    left = 2 * (0.9 * 11 + 0.88 * 13) / (0.9 + 0.88)
    torch.testing.assert_close(found.boxes_D4[:, 0], torch.tensor([left]))


def test_regions_are_described_at_two_scales_and_the_larger_numbers_count():
    detector = fake(ONE, probability=lambda left: left / 100)
    # At 50 and 100 the region of 10 pixels has 10 and 20: nearest to 15.
    (found,) = found_in([detector], scales=(100, 25, 50), scale_side=15)
    assert [shape[2:] for shape, _ in detector.net.seen] == [(64, 128), (32, 64), (128, 224)]
    torch.testing.assert_close(found.scores_D, torch.tensor([0.2]))
    # The box is moved in the scale that it was proposed at.
    torch.testing.assert_close(found.boxes_D4[:, 0], torch.tensor([22.0]))


def test_the_scale_of_the_proposals_listed_twice_changes_nothing():
    plain, twice = found_in([fake(ONE)]), found_in([fake(ONE)], scales=(50, 50))
    assert plain[0].boxes_D4.equal(twice[0].boxes_D4)
    assert plain[0].scores_D.equal(twice[0].scores_D)


def test_an_ensemble_scores_what_all_propose_and_averages_what_they_say():
    far = [[60.0, 10, 70, 20]]
    one = fake(ONE, probability=lambda left: 0.9)
    two = fake(far, probability=lambda left: 0.5, step=0.3)
    (found,) = found_in([one, two])
    torch.testing.assert_close(found.scores_D, torch.tensor([0.7, 0.7]))
    # Moved by 0.1 and 0.3 of the width: by 0.2.
    torch.testing.assert_close(found.boxes_D4[:, 0].sort().values, torch.tensor([24.0, 124]))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_ensemble_of_equal_ones_is_one_of_them(count):
    options = {"refine": True, "vote": True, "scales": (50, 100), "scale_side": 15}
    (alone,) = found_in([fake(ONE, probability=falling)], **options)
    (together,) = found_in([fake(ONE, probability=falling) for _ in range(count)], **options)
    torch.testing.assert_close(together.boxes_D4, alone.boxes_D4)
    torch.testing.assert_close(together.scores_D, alone.scores_D)


def test_members_may_have_learned_deltas_divided_by_other_numbers():
    other = fake(ONE, step=0.05)
    other.net.learning.std = (0.2, 0.2, 0.2, 0.2)
    (found,) = found_in([fake(ONE), other])
    torch.testing.assert_close(found.boxes_D4[:, 0], torch.tensor([22.0]))


@pytest.mark.parametrize("detectors", [[], [fake(ONE), fake(ONE, short=60)]])
def test_detectors_that_cannot_be_asked_together_are_refused(detectors):
    with pytest.raises(ConfigError, match="must resize pictures alike"):
        found_in(detectors)


def test_settings_are_data():
    config = testing.TestingConfig(refine=True, scales=(200, 400), nms=0.4)
    assert decode(testing.TestingConfig, encode(config)) == config
    assert "__test__" not in encode(config)
    with pytest.raises(ConfigError, match="no such setting"):
        decode(testing.TestingConfig, {"refined": True})


def test_what_was_found_may_be_changed_afterwards():
    (found,) = found_in([fake(ONE)])
    for tensor in (found.boxes_D4, found.scores_D, found.labels_D):
        tensor.zero_()


def test_no_pictures():
    assert found_in([fake(ONE)], AtHand([])) == []
