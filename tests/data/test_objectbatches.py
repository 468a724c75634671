import dataclasses
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data.annotated import AnnotatedImages, ObjectTable
from residua.data.objectbatches import GroupedOrder, ObjectBatches, ObjectServing
from residua.data.objects import TYPES, Objects
from residua.data.resize import ResizeConfig
from residua.errors import ConfigError, DataError

SIZES = [(20, 30), (30, 20), (25, 25), (10, 40), (40, 15), (20, 30), (1, 30)]


def marked(height, width, box):
    """A dark picture that is light inside a box."""
    left, top, right, bottom = box
    picture = torch.full((3, height, width), 10, dtype=torch.uint8)
    picture[:, top:bottom, left:right] = 250
    return picture


def some_set(sizes=SIZES):
    boxes = [(w // 5, h // 5, w // 2 + 1, h // 2 + 1) for h, w in sizes]
    pictures = [marked(*size, box) for size, box in zip(sizes, boxes, strict=True)]
    objects = [Objects.of([box], [1 + i % 3]) for i, box in enumerate(boxes)]
    objects[2] = Objects.none()
    names = tuple(map(str, range(len(sizes))))
    return AnnotatedImages(pictures, ObjectTable.of(objects), ("a", "b", "c"), names)


def serving(**others):
    given = {
        "batch_size": 2,
        "seed": 5,
        "normalize": lambda images: images.float() / 255,
        "resize": ResizeConfig(short=24, long=40),
        "multiple": 16,
        "threads": 0,
    }
    return ObjectServing(**{**given, **others})


def equal(one, other):
    tensors = ("images_NCHW", "sizes_N2", "scales_N")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in tensors) and all(
        torch.equal(getattr(a, name), getattr(b, name))
        for a, b in zip(one.objects, other.objects, strict=True)
        for name in TYPES
    )


def test_a_batch_depends_on_its_iteration_alone():
    held = some_set()
    one, other = ObjectBatches(held, serving()), ObjectBatches(held, serving(threads=2, memory=0))
    for iteration in (7, 0, 3, 3, 8, 1):
        assert equal(one[iteration], other[iteration])
    other.close()
    third = ObjectBatches(held, serving(seed=6))
    assert not all(equal(one[i], third[i]) for i in range(3))


def test_pictures_are_padded_with_zeros_to_a_common_size():
    batches = ObjectBatches(some_set(), serving(batch_size=7, flip=0.0))
    batch = batches[0]
    assert batch.images_NCHW.shape == (7, 3, 48, 48)
    assert batch.images_NCHW.is_contiguous(memory_format=torch.channels_last)
    sizes = {(24, 36), (36, 24), (24, 24), (10, 40), (40, 15), (1, 40)}
    assert {tuple(size) for size in batch.sizes_N2.tolist()} <= sizes
    for image, (height, width) in zip(batch.images_NCHW, batch.sizes_N2.tolist(), strict=True):
        assert (image[:, :height, :width] > 0).all()
        assert image.count_nonzero() == 3 * height * width


def test_boxes_stay_on_their_objects_however_a_picture_is_resized_and_flipped():
    held = some_set()
    for flip in (0.0, 1.0):
        batch = ObjectBatches(held, serving(batch_size=7, flip=flip))[0]
        for image, objects in zip(batch.images_NCHW, batch.objects, strict=True):
            for left, top, right, bottom in objects.boxes_R4.tolist():
                light = (image[0] > 0.5).nonzero()
                (y0, x0), (y1, x1) = light.amin(0).tolist(), (light.amax(0) + 1).tolist()
                assert abs(x0 - left) <= 1
                assert abs(x1 - right) <= 1
                assert abs(y0 - top) <= 1
                assert abs(y1 - bottom) <= 1


def test_about_half_of_the_pictures_are_flipped():
    held = some_set([(24, 24)] * 20)
    batches = ObjectBatches(held, serving(batch_size=20))
    lefts = [
        each.boxes_R4[0, 0].item() for i in range(10) for each in batches[i].objects if len(each)
    ]
    counts = Counter(lefts)
    assert len(counts) == 2
    assert 60 < counts.most_common()[0][1] < 130


def test_scales_are_those_before_rounding():
    batch = ObjectBatches(some_set([(7, 10)] * 3), serving(batch_size=3, flip=0.0))[0]
    assert batch.scales_N.tolist() == pytest.approx([24 / 7] * 3)
    assert batch.sizes_N2.tolist() == [[24, 34]] * 3
    (box,) = batch.objects[0].boxes_R4.tolist() or batch.objects[1].boxes_R4.tolist()
    assert box == pytest.approx([2 * 3.4, 1 * 24 / 7, 6 * 3.4, 4 * 24 / 7])


def test_what_several_processes_get_is_what_one_gets():
    held = some_set()
    alone = ObjectBatches(held, serving(batch_size=4))
    shares = [slice(0, 2), slice(2, 4)]
    several = [ObjectBatches(held, serving(batch_size=4, share=share)) for share in shares]
    for iteration in range(4):
        parts = alone[iteration].split(2)
        assert all(
            equal(part, other[iteration]) for part, other in zip(parts, several, strict=True)
        )
        assert sum(map(len, parts)) == 4


def test_a_batch_cut_into_more_parts_than_it_has_pictures_has_no_empty_part():
    batch = ObjectBatches(some_set(), serving(batch_size=3))[0]
    assert [len(part) for part in batch.split(2)] == [1, 2]
    assert [len(part) for part in batch.split(5)] == [1, 1, 1]


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=23), st.integers(1, 9), st.integers(0, 3))
def test_every_picture_is_seen_once_per_epoch(tall, batch_size, seed):
    order = GroupedOrder(torch.tensor(tall).long(), batch_size=batch_size, seed=seed)
    count = len(tall)
    seen = torch.cat([order.indices(i) for i in range(-(-3 * count // batch_size))])
    assert all(len(order.indices(i)) == batch_size for i in range(4))
    for epoch in range(3):
        assert sorted(seen[epoch * count : (epoch + 1) * count].tolist()) == list(range(count))


def test_few_batches_hold_wide_and_tall_pictures():
    tall = torch.rand(500, generator=torch.Generator().manual_seed(1)) < 0.4
    order = GroupedOrder(tall.long(), batch_size=8, seed=0)
    mixed = [len(tall[order.indices(i)].unique()) > 1 for i in range(5 * 500 // 8)]
    assert sum(mixed) <= 3 * 5
    assert not torch.equal(order.indices(0), order.indices(62))


def test_a_picture_is_read_once_where_memory_allows_it():
    held = some_set()
    read = Counter()
    picture = type(held).picture

    @dataclasses.dataclass(frozen=True, eq=False)
    class Counting:
        inner: AnnotatedImages

        def __len__(self):
            return len(self.inner)

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def picture(self, index):
            read[index] += 1
            return picture(self.inner, index)

    for memory, times in ((1 << 20, 1), (100, 2)):
        read.clear()
        batches = ObjectBatches(Counting(held), serving(batch_size=7, memory=memory))
        batches[0], batches[1]
        assert set(read.values()) == {times}


def test_a_file_that_cannot_be_read_is_told_where_the_batch_is_asked_for():
    held = some_set()

    class Broken:
        classes, names, sizes = held.classes, held.names, held.sizes
        objects = held.objects

        def picture(self, index):
            raise DataError(f"picture {index} is cut short")

    batches = ObjectBatches(Broken(), serving(threads=1))
    with pytest.raises(DataError, match="is cut short"):
        batches[0]
    batches.close()


def test_a_thousand_boxes_and_pictures_of_all_widths():
    boxes = torch.rand(1000, 4) * 20
    boxes[:, 2:] += boxes[:, :2]
    pictures = [torch.zeros(3, 40, w, dtype=torch.uint8) for w in (40, 4000)]
    objects = [Objects.of(boxes, [1] * 1000), Objects.none()]
    held = AnnotatedImages(pictures, ObjectTable.of(objects), ("a",), ("x", "y"))
    batch = ObjectBatches(held, serving(resize=ResizeConfig(short=32, long=64)))[0]
    assert sorted(map(len, batch.objects)) == [0, 1000]
    assert all(each.boxes_R4.isfinite().all() for each in batch.objects)


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"flip": 1.5}, {"multiple": 0}, {"threads": -1}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="must be at least 1, threads at least 0 and flip in"):
        serving(**wrong)


def test_a_process_without_pictures_is_refused():
    with pytest.raises(ConfigError, match="a batch of 2 leaves a process without pictures"):
        serving(share=slice(2, 4))
