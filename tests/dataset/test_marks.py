import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xvr.dataset.marks import RGB, draw_marks, mark_extent_px
from xvr.tasks.draft import COLORS, Mark

SIZES = ((640, 480), (480, 640), (256, 256))
GREY = 128


def grey(size):
    return np.full((size[1], size[0], 3), GREY, np.uint8)


def dot(uv, color="red", label=""):
    return Mark(image=1, kind="dot", color=color, label=label, uv_px=uv, point_m=(0.0, 0.0, 0.0))


def arrow(uv, angle_deg, length, color="red", label=""):
    angle = math.radians(angle_deg)
    return Mark(
        image=1,
        kind="arrow",
        color=color,
        label=label,
        uv_px=uv,
        uv_end_px=(uv[0] + length * math.cos(angle), uv[1] + length * math.sin(angle)),
        point_m=(0.0, 0.0, 0.0),
        end_point_m=(0.0, 0.0, 1.0),
    )


def labelled(marks):
    return [type(m)(**{**vars(m), "label": m.color}) for m in marks]


def painted(marks, size):
    """Which pixels change on a black or on a white image."""
    images = [np.full((size[1], size[0], 3), value, np.uint8) for value in (0, 255)]
    return np.any([draw_marks(i, marks) != i for i in images], axis=(0, 3))


def distance_to_segment(size, start, end):
    """Distance of every pixel centre to a segment, pixels."""
    points = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1) + 0.5
    axis = np.subtract(end, start)
    share = np.clip((points - start) @ axis / max(axis @ axis, 1e-12), 0.0, 1.0)
    return np.linalg.norm(points - start - share[..., None] * axis, axis=-1)


@st.composite
def spaced_dots(draw):
    """An image size and five dots on a grid of the least spacing, up to the margins."""
    size = draw(st.sampled_from(SIZES))
    extent, spacing = mark_extent_px(*size), 0.08 * math.hypot(*size)
    columns, rows = (int((side - 2 * extent) // spacing) for side in size)
    cell = st.tuples(st.integers(0, columns - 1), st.integers(0, rows - 1))
    cells = draw(st.lists(cell, min_size=5, max_size=5, unique=True))
    dx, dy = (draw(st.floats(0.0, 1.0)) * spacing for _ in size)
    positions = [(extent + dx + x * spacing, extent + dy + y * spacing) for x, y in cells]
    return size, [dot(uv, color) for uv, color in zip(positions, COLORS, strict=True)]


@st.composite
def arrow_fans(draw):
    """An image size and four arrows from one tail, at least 30 degrees and 5 % of the diagonal."""
    size = draw(st.sampled_from(SIZES))
    least = 0.05 * math.hypot(*size)
    lengths = [least * draw(st.floats(1.0, 3.0)) for _ in range(4)]
    steps = [30.0 + draw(st.floats(0.0, 80.0)) for _ in range(3)]
    angles = draw(st.floats(0.0, 360.0)) + np.cumsum([0.0, *steps])
    margin = mark_extent_px(*size) + max(lengths)
    u, v = (margin + draw(st.floats(0.0, 1.0)) * (side - 2 * margin) for side in size)
    fan = zip(angles, lengths, COLORS[:4], strict=True)
    return size, [arrow((u, v), float(angle), length, color) for angle, length, color in fan]


def test_there_is_a_colour_for_every_colour_word():
    assert set(RGB) == set(COLORS)


def test_drawing_does_not_edit_the_image_it_gets():
    image = grey((320, 240))
    image.setflags(write=False)
    marked = draw_marks(image, [dot((100.0, 80.0), label="red")])
    assert np.all(image == GREY)
    assert np.any(marked != GREY)


def test_no_marks_leave_a_copy_of_the_image():
    image = grey((64, 48))
    marked = draw_marks(image, [])
    assert np.array_equal(marked, image)
    assert not np.shares_memory(marked, image)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("size", [*SIZES, (160, 120), (1296, 968)])
def test_the_centre_of_a_dot_has_the_named_colour(color, size):
    u, v = size[0] / 2 + 0.3, size[1] / 2 + 0.8
    marked = draw_marks(grey(size), [dot((u, v), color, label=color)])
    assert tuple(marked[int(v), int(u)]) == RGB[color]


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("background", [*RGB.values(), (0, 0, 0), (255, 255, 255)])
def test_a_dot_keeps_its_colour_and_stands_out_at_224_pixels(color, background):
    image = np.broadcast_to(np.array(background, np.uint8), (480, 640, 3))
    marked = draw_marks(image, [dot((320.0, 240.0), color)])
    small = cv2.resize(marked, (224, 168), interpolation=cv2.INTER_AREA).astype(float)
    distances = {name: np.linalg.norm(small[84, 112] - rgb) for name, rgb in RGB.items()}
    assert min(distances, key=lambda name: distances[name]) == color
    contrast = np.abs(small[76:93, 104:121] - background).sum(axis=-1)
    assert contrast.max() > 100


@settings(deadline=None)
@given(u=st.floats(20.0, 30.0), v=st.floats(20.0, 30.0))
def test_a_dot_is_centred_on_its_subpixel_position(u, v):
    size = (320, 240)
    weight = draw_marks(np.zeros((240, 320, 3), np.uint8), [dot((u, v), "red")])[..., 0].astype(
        float
    )
    rows, columns = np.indices(weight.shape) + 0.5
    center = ((columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum())
    assert center == pytest.approx((u, v), abs=0.1), size


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_paint_of_a_dot_stays_within_the_extent(data):
    size = data.draw(st.sampled_from([*SIZES, (160, 120)]))
    extent = mark_extent_px(*size)
    uv = tuple(data.draw(st.floats(extent, side - extent)) for side in size)
    assert np.all(distance_to_segment(size, uv, uv)[painted([dot(uv)], size)] <= extent)


@settings(max_examples=30, deadline=None)
@given(fan=arrow_fans())
def test_the_paint_of_an_arrow_stays_within_the_extent(fan):
    size, arrows = fan
    for mark in arrows[:2]:
        distances = distance_to_segment(size, mark.uv_px, mark.uv_end_px)
        assert np.all(distances[painted([mark], size)] <= mark_extent_px(*size))


@settings(max_examples=30, deadline=None)
@given(dots=spaced_dots())
def test_dots_at_the_least_spacing_share_no_pixel(dots):
    size, marks = dots
    assert np.max(np.sum([painted([mark], size) for mark in marks], axis=0)) == 1


@settings(max_examples=50, deadline=None)
@given(fan=arrow_fans())
def test_arrows_from_one_tail_keep_the_colour_of_each_visible(fan):
    size, arrows = fan
    marked = draw_marks(grey(size), arrows)
    for mark in arrows:
        alone = draw_marks(grey(size), [mark])
        core = np.all(alone == RGB[mark.color], axis=-1)
        assert core.sum() >= 12
        assert np.abs(marked[core].astype(int) - RGB[mark.color]).max() <= 32


@settings(max_examples=50, deadline=None)
@given(marks=st.one_of(spaced_dots(), arrow_fans()))
def test_labels_hide_no_mark_and_none_is_left_out(marks):
    size, bare = marks
    with_labels = draw_marks(grey(size), labelled(bare))
    without = draw_marks(grey(size), bare)
    on_marks = np.any(without != GREY, axis=-1)
    assert np.array_equal(with_labels[on_marks], without[on_marks])
    on_labels = np.any(with_labels != without, axis=-1)
    # Plates are closed shapes; letters touch their plate, so each label is one component.
    assert cv2.connectedComponents(on_labels.astype(np.uint8))[0] - 1 == len(bare)


def test_a_label_keeps_off_marks_without_a_label():
    marks = [dot((100.0, 80.0), "red", label="red"), dot((150.0, 80.0), "blue")]
    marked = draw_marks(grey((320, 240)), marks)
    alone = draw_marks(grey((320, 240)), marks[1:])
    on_blue = painted(marks[1:], (320, 240))
    assert np.array_equal(marked[on_blue], alone[on_blue])


@settings(deadline=None)
@given(
    size=st.tuples(st.integers(12, 60), st.integers(12, 60)),
    places=st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2)), min_size=1, max_size=5),
)
def test_crowded_tiny_images_and_marks_outside_lose_labels_but_no_mark(size, places):
    uvs = [(x * size[0], y * size[1]) for x, y in places]
    bare = [dot(uv, color) for uv, color in zip(uvs, COLORS, strict=False)]
    with_labels, without = (draw_marks(grey(size), marks) for marks in (labelled(bare), bare))
    on_marks = np.any(without != GREY, axis=-1)
    assert np.array_equal(with_labels[on_marks], without[on_marks])


def test_the_same_marks_give_the_same_pixels():
    marks = labelled([dot((100.0, 80.0)), arrow((200.0, 100.0), 70.0, 60.0, "blue")])
    assert np.array_equal(draw_marks(grey((320, 240)), marks), draw_marks(grey((320, 240)), marks))


def test_an_arrow_without_a_head_is_refused():
    broken = Mark(**{**vars(dot((9.0, 9.0), label="x")), "kind": "arrow"})
    with pytest.raises(ValueError, match="no uv_end_px"):
        draw_marks(grey((64, 48)), [broken])


def test_an_arrow_of_no_length_is_refused():
    with pytest.raises(ValueError, match="at least 1 px"):
        draw_marks(grey((64, 48)), [arrow((9.0, 9.0), 0.0, 0.5)])


def test_marks_may_be_larger_and_bare():
    mark = dot((128.0, 128.0), label="Target")
    usual, large, bare = (
        (draw_marks(grey((256, 256)), [mark], scale, labels) != GREY).any(axis=2).sum()
        for scale, labels in ((1.0, True), (2.2, True), (1.0, False))
    )
    assert large > 3 * usual
    radius = mark_extent_px(256, 256)
    assert bare < usual
    assert bare <= math.pi * (radius + 1) ** 2
    assert mark_extent_px(256, 256, 2.2) > 1.5 * radius
