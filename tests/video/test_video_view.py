from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from rib.io.errors import RibError
from rib.video import ArraySource, ClipView, open_frame_source, subclip, subsample_frames

FRAMES = np.random.default_rng(0).integers(0, 256, (13, 24, 32, 3), dtype=np.uint8)


class Walked:
    """A source that counts how many frames were asked of it."""

    def __init__(self, source):
        self.__dict__.update(source.__dict__, source=source, asked=0, closed=False, fps_assumed=False)
        self.audio, self.audio_start_s, self.file = None, 0.0, None

    def __len__(self):
        return len(self.source)

    def __iter__(self):
        try:
            for frame in self.source:
                self.asked += 1
                yield frame
        finally:
            self.closed = True


def test_arrays_and_tensors_are_the_same_clip():
    tensor = torch.from_numpy(FRAMES).permute(0, 3, 1, 2)
    array = ArraySource(FRAMES, fps=30)
    assert array.size_px == (32, 24)
    for other in (list(FRAMES), tensor.float() / 255, tensor, list(tensor)):
        source = ArraySource(other, fps=30)
        assert source.fingerprint() == array.fingerprint()
        assert all(np.array_equal(a, b) for a, b in zip(source, FRAMES, strict=True))


def test_arrays_take_times_instead_of_a_rate():
    source = ArraySource(FRAMES, times_s=3 + np.arange(13) / 12.5)
    assert source.fps == Fraction(25, 2)
    assert source.times_s[0] == 0
    assert source.fingerprint() != ArraySource(FRAMES, fps=30).fingerprint()


@pytest.mark.parametrize(
    ("frames", "arguments", "words"),
    [
        (FRAMES[:1], {"fps": 30}, "at least two"),
        (FRAMES, {}, "either fps or times_s"),
        (FRAMES, {"fps": 30, "times_s": np.arange(13)}, "either fps or times_s"),
        (FRAMES, {"fps": 0}, "not a frame rate"),
        (FRAMES, {"times_s": np.arange(12)}, "12 times were given for 13 frames"),
        (FRAMES / 255, {"fps": 30}, "float64 of shape"),
        (FRAMES[..., :1], {"fps": 30}, r"\(24, 32, 1\)"),
    ],
)
def test_unusable_arrays_are_refused(frames, arguments, words):
    with pytest.raises(RibError, match=words):
        ArraySource(frames, **arguments)


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 12])
def test_every_nth_frame_keeps_its_original_time_and_the_rate_shrinks(stride):
    source = ArraySource(FRAMES, fps=Fraction(30000, 1001))
    kept = subsample_frames(source, stride)
    assert kept.fps == source.fps / stride
    assert np.array_equal(kept.times_s, source.times_s[::stride])
    assert all(np.array_equal(a, b) for a, b in zip(kept, FRAMES[::stride], strict=True))


def test_every_nth_frame_of_a_variable_rate_keeps_its_time():
    source = ArraySource(FRAMES, times_s=np.cumsum(np.random.default_rng(0).uniform(0.01, 0.1, 13)))
    kept = subsample_frames(source, 3)
    assert np.array_equal(kept.times_s, source.times_s[::3])
    assert float(kept.fps) == pytest.approx(4 / kept.times_s[-1], rel=1e-6)


def test_a_cut_crops_and_shrinks_by_area():
    part = subclip(ArraySource(FRAMES, fps=30), 2, 5, crop_xywh_px=(4, 2, 16, 20), size_px=(8, 10))
    assert (len(part), part.size_px, part.fps, part.times_s[0]) == (5, (8, 10), 30, 0)
    for ours, frame in zip(part, FRAMES[2:7], strict=True):
        assert np.array_equal(ours, cv2.resize(frame[2:22, 4:20], (8, 10), interpolation=cv2.INTER_AREA))


def test_views_of_views_are_one_view():
    source = ArraySource(FRAMES, fps=30)
    nested = subsample_frames(subclip(subclip(source, 1), 1, crop_xywh_px=(2, 2, 20, 20)), 2)
    direct = ClipView(source, range(2, 13, 2), crop_xywh_px=(2, 2, 20, 20))
    assert (nested.fps, nested.size_px) == (direct.fps, direct.size_px)
    assert np.array_equal(nested.times_s, direct.times_s)
    assert all(np.array_equal(a, b) for a, b in zip(nested, direct, strict=True))


def test_a_view_reads_no_further_than_it_must_and_lets_go():
    source = Walked(ArraySource(FRAMES, fps=30))
    list(subclip(source, 1, 3))
    assert source.asked == 4
    assert source.closed


def test_only_a_view_from_the_start_keeps_the_sound(make_clip):
    source = open_frame_source(make_clip())
    source.audio = source.path
    assert subsample_frames(source, 2).audio == source.path
    later = subclip(source, 3)
    assert (later.audio, later.audio_start_s) == (source.path, source.audio_start_s + source.times_s[3])
    assert subclip(later, 2).audio_start_s == pytest.approx(source.audio_start_s + source.times_s[5])


def test_a_view_of_everything_has_the_clips_own_fingerprint_and_others_their_own():
    source = ArraySource(FRAMES, fps=30)
    views = [
        subsample_frames(source, 1),
        subsample_frames(source, 2),
        subclip(source, 1),
        subclip(source, crop_xywh_px=(0, 0, 8, 8)),
        subclip(source, size_px=(8, 8)),
    ]
    assert len({view.fingerprint() for view in views}) == len(views)
    assert views[0].fingerprint() == source.fingerprint()


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (lambda s: subsample_frames(s, 13), "1 of frames's 13 frames"),
        (lambda s: subsample_frames(s, 0), "stride=0"),
        (lambda s: subclip(s, 10, 9), "which has 13"),
        (lambda s: ClipView(s, [3, 2]), "increasing"),
        (lambda s: ClipView(s, [-1, 2]), "increasing"),
        (lambda s: subclip(s, crop_xywh_px=(20, 0, 20, 20)), "leaves 32 x 24 px"),
        (lambda s: subclip(s, size_px=(0, 5)), "at least 1 x 1"),
    ],
)
def test_impossible_views_are_refused(view, words):
    with pytest.raises(RibError, match=words):
        view(ArraySource(FRAMES, fps=30))
