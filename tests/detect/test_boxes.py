import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import nn, tensor

from residua.detect.boxes import STD, apart, clip, covered, decode, encode, inside, iou
from residua.detect.suppress import NEVER, best, best_of_each

start = st.floats(0, 1000, width=32)
side = st.floats(0.5, 1000, width=32)


@st.composite
def boxes(draw):
    x, y = draw(start), draw(start)
    return tensor([[x, y, x + draw(side), y + draw(side)]])


def test_overlaps_by_hand():
    a = tensor([[0.0, 0, 10, 10], [5, 5, 5, 9]])
    b = tensor([[5.0, 0, 15, 10], [0, 0, 10, 20], [20, 20, 30, 30]])
    assert torch.allclose(iou(a, b), tensor([[50 / 150, 100 / 200, 0], [0, 0, 0]]))
    assert torch.allclose(covered(a, b), tensor([[0.5, 1, 0], [0, 0, 0]]))
    assert iou(a, b[:0]).shape == (2, 0)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_at_most_one(a, b):
    found = float(iou(a, b))
    assert 0 <= found <= 1 + 1e-6
    assert abs(found - float(iou(b, a))) < 1e-6


def test_deltas_by_hand():
    # From 10 x 20 around (5, 10) to 20 x 20 around (20, 20).
    deltas = encode(tensor([[10.0, 10, 30, 30]]), tensor([[0.0, 0, 10, 20]]), STD)
    assert torch.allclose(deltas, tensor([[15.0, 5, 0.693147 / 0.2, 0]]))


@given(boxes(), boxes())
def test_decoding_undoes_encoding(box, anchor):
    size = (box[:, 2:] - box[:, :2]) / (anchor[:, 2:] - anchor[:, :2])
    found = decode(encode(box, anchor, STD), anchor, STD)
    if float(size.max()) <= 60:
        reach = float(torch.cat([box, anchor]).abs().max())
        assert torch.allclose(found, box, atol=1e-5 * reach + 1e-3)


def test_a_box_does_not_grow_without_bounds():
    found = decode(tensor([[0.0, 0, 1000, -1000]]), tensor([[0.0, 0, 16, 16]]))
    assert torch.allclose(found, tensor([[8 - 500.0, 8, 8 + 500, 8]]))


def test_clip_and_inside_use_height_then_width():
    sizes = tensor([20, 50])
    found = tensor([[-5.0, -5, 60, 30], [0, 0, 50, 20], [10, 10, 40, 21]])
    assert clip(found, sizes).tolist() == [[0, 0, 50, 20], [0, 0, 50, 20], [10, 10, 40, 20]]
    assert inside(found, sizes).tolist() == [False, True, False]


def test_groups_are_moved_apart():
    same = tensor([[0.0, 0, 9, 9]]).repeat(7, 1)
    moved = apart(same, torch.arange(7), span=10, count=7)
    assert torch.equal(iou(moved, moved), torch.eye(7))
    assert float(moved.max()) < 30


def test_suppression_by_hand():
    found = tensor([[[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 10, 5]]])
    scores = tensor([[0.9, 0.8, NEVER, 0.95]])
    # The last overlaps the second by 5/9 and the first by 1/2; the second the first by 0.9.
    indices, valid = best(found, scores, nms=0.52, count=3)
    assert indices[valid].tolist() == [3, 0]
    assert valid.tolist() == [[True, True, False]]
    indices, valid = best(found, scores, nms=0.45, count=9)
    assert indices[valid].tolist() == [3]
    assert indices.shape == (1, 4)


class Suppression(nn.Module):
    def forward(self, boxes_NR4, scores_NR):
        return best(boxes_NR4, scores_NR, nms=0.3, count=20)


@pytest.mark.filterwarnings("ignore:`create_unbacked_symint`")
def test_a_graph_of_any_number_of_pictures_suppresses_in_each_alone():
    torch.manual_seed(0)
    corners = 1000 * torch.rand(5, 60, 2)
    boxes = torch.cat([corners, corners + 20 + 300 * torch.rand(5, 60, 2)], dim=2)
    scores = torch.rand(5, 60)
    batch = torch.export.Dim("batch", min=1)
    graph = torch.export.export(
        Suppression(), (boxes[:2], scores[:2]), dynamic_shapes=({0: batch}, {0: batch})
    ).module()
    for count in (1, 2, 5):
        for found, expected in zip(
            graph(boxes[:count], scores[:count]),
            Suppression()(boxes[:count], scores[:count]),
            strict=True,
        ):
            assert torch.equal(found, expected)


def test_groups_do_not_suppress_each_other():
    found = tensor([[[0.0, 0, 10, 10]]]).repeat(1, 4, 1)
    indices, valid = best_of_each(
        found,
        tensor([[0.6, 0.9, 0.8, 0.7]]),
        tensor([[1, 0, 1, 0]]),
        nms=0.3,
        count=4,
        places=(10, 2),
    )
    assert indices[valid].tolist() == [1, 2]
