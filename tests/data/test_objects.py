import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data.objects import TYPES, Objects, check_labels
from residua.errors import DataError, ShapeError

# Whole and half pixels: sums and differences of them are exact in float32.
edge = st.integers(0, 4000).map(lambda n: n / 2)


@st.composite
def some_objects(draw, most=6):
    corners = draw(st.lists(st.tuples(edge, edge, edge, edge), max_size=most))
    boxes = [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners]
    flags = st.lists(st.booleans(), min_size=len(boxes), max_size=len(boxes))
    labels = draw(st.lists(st.integers(1, 90), min_size=len(boxes), max_size=len(boxes)))
    return Objects.of(boxes, labels, difficult_R=draw(flags), crowd_R=draw(flags))


def two(**others):
    return Objects.of([[1, 2, 4, 8], [0, 0, 10, 10]], [3, 1], **others)


def test_defaults_are_easy_objects_with_the_areas_of_their_boxes():
    objects = two()
    assert objects.area_R.tolist() == [18, 100]
    assert not objects.difficult_R.any()
    assert not objects.crowd_R.any()
    assert len(objects) == 2


def test_a_picture_without_objects_has_the_same_types_and_shapes():
    for empty in (Objects.none(), Objects.of([], []), Objects.of(torch.zeros(0, 4), [])):
        assert empty.boxes_R4.shape == (0, 4)
        assert {name: getattr(empty, name).dtype for name in TYPES} == TYPES
        assert len(empty.learnable()) == len(empty.flipped(5)) == len(empty.scaled((2, 3))) == 0


@pytest.mark.parametrize(
    ("boxes", "labels", "sentence"),
    [
        ([[1, 2, 3]], [1], r"boxes_R4 must have the shape \(1, 4\).*got \(1, 3\)"),
        ([1, 2, 3, 4], [1], r"boxes_R4 must have the shape \(4, 4\).*got \(4,\)"),
        ([[1, 2, 3, 4]], [1, 2], r"labels_R must have the shape \(1,\).*got \(2,\)"),
        ([[1, 2, 3, 4]], 1, r"labels_R must have the shape \(1,\).*got \(\)"),
        (torch.zeros(0, 5), [], r"boxes_R4 must have the shape \(0, 4\).*got \(0, 5\)"),
    ],
)
def test_tensors_that_do_not_belong_together_are_refused(boxes, labels, sentence):
    with pytest.raises(ShapeError, match=sentence):
        Objects.of(boxes, labels)


def test_wrong_types_are_refused_where_tensors_are_handed_over_as_they_are():
    right = two()
    held = [getattr(right, name) for name in TYPES]
    with pytest.raises(
        ShapeError, match=r"labels_R must .* torch.int64, got \(2,\) of torch.int32"
    ):
        Objects(held[0], held[1].int(), *held[2:])
    with pytest.raises(ShapeError, match=r"crowd_R must have the shape \(2,\)"):
        two(crowd_R=[True])


@pytest.mark.parametrize(
    ("box", "label", "sentence"),
    [
        ([1, 2, 3, 4], 0, "label of an object is 0, but classes are numbered from 1"),
        ([4, 2, 3, 4], 1, r"the box \[4.0, 2.0, 3.0, 4.0\] is none"),
        ([1, 5, 3, 4], 1, r"the box .* is none"),
        ([1, 2, float("nan"), 4], 1, r"the box .* must be finite"),
        ([1, 2, float("inf"), 4], 1, r"the box .* must be finite"),
    ],
)
def test_values_that_cannot_be_are_refused(box, label, sentence):
    with pytest.raises(DataError, match=sentence):
        Objects.of([[0, 0, 1, 1], box], [1, label])


def test_labels_have_classes():
    check_labels(two().labels_R, ("a", "b", "c"))
    check_labels(Objects.none().labels_R, ())
    with pytest.raises(DataError, match="the label 3, but there are 2 classes, numbered 1 to 2"):
        check_labels(two().labels_R, ("a", "b"))


def test_difficult_objects_crowds_and_lines_are_not_learned_from():
    boxes = [[0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 4, 4], [5, 5, 5, 9]]
    objects = Objects.of(
        boxes,
        [1, 2, 3, 4],
        difficult_R=[False, True, False, False],
        crowd_R=[False, False, True, False],
    )
    assert objects.learnable().labels_R.tolist() == [1]


def test_a_picture_resized_and_flipped():
    objects = two(area_R=[10, 50]).scaled((2.0, 0.5))
    assert objects.boxes_R4.tolist() == [[0.5, 4, 2, 16], [0, 0, 5, 20]]
    assert objects.area_R.tolist() == [10, 50]
    assert two().flipped(20).boxes_R4.tolist() == [[16, 2, 19, 8], [10, 0, 20, 10]]


@settings(max_examples=25)
@given(some_objects(), st.integers(2000, 5000))
def test_flipping_twice_changes_nothing_and_areas_stay(objects, width):
    once = objects.flipped(width)
    assert torch.equal(once.flipped(width).boxes_R4, objects.boxes_R4)
    assert torch.equal(once.area_R, objects.area_R)
    assert (once.boxes_R4[:, 2:] >= once.boxes_R4[:, :2]).all()


@settings(max_examples=25)
@given(some_objects(), st.sampled_from([0.25, 0.5, 2.0, 4.0]), st.sampled_from([0.5, 1.0, 8.0]))
def test_areas_scale_with_the_picture(objects, y, x):
    scaled = objects.scaled((y, x))
    wide, high = (scaled.boxes_R4[:, 2:] - scaled.boxes_R4[:, :2]).unbind(1)
    assert torch.equal(scaled.area_R, wide * high)
    assert torch.equal(scaled.scaled((1 / y, 1 / x)).boxes_R4, objects.boxes_R4)


@settings(max_examples=25)
@given(some_objects(), st.data())
def test_what_is_selected_keeps_its_order_and_belongs_together(objects, data):
    indices = data.draw(
        st.lists(st.integers(0, len(objects) - 1), max_size=4) if len(objects) else st.just([])
    )
    chosen = objects[torch.tensor(indices, dtype=torch.int64)]
    for name in TYPES:
        expected = [getattr(objects, name)[i].tolist() for i in indices]
        assert getattr(chosen, name).tolist() == expected
