"""Floats to bytes: fixed ranges, nothing lost to rounding or NaN, and the store's limit."""

from __future__ import annotations

import numpy as np

from app.model import frame_pictures
from gpu.session import Session
from tests.app.window.fake_engine import FakeEngine


def test_noise_has_a_fixed_range() -> None:
    noise = np.array([[[-9.0, -3.0, 0.0, 3.0, 9.0]]], np.float32)
    assert frame_pictures.noise_bytes(noise, "grey").tolist() == [[0, 0, 128, 255, 255]]
    rgb = frame_pictures.noise_bytes(np.concatenate([noise, -noise]), "rgb")
    assert rgb.shape == (1, 5, 3)
    assert rgb[0, 1].tolist() == [0, 255, 255]


def test_lost_variance_shows_as_lost_contrast() -> None:
    noise = np.random.default_rng(0).standard_normal((1, 64, 64), np.float32)
    white, weak = (frame_pictures.noise_bytes(scale * noise, "grey").astype(float).std() for scale in (1.0, 0.5))
    assert 0.45 < weak / white < 0.55


def test_errors_that_are_not_valid_have_an_index_of_their_own() -> None:
    error = np.array([[np.nan, 0.0, frame_pictures.ERROR_RANGE**2, 1.0]], np.float32)
    assert frame_pictures.error_indices(error).tolist() == [[255, 0, 254, 254]]
    assert len(frame_pictures.ERROR_COLOURS) == 256


def test_slices_are_transparent_where_nothing_is_computed() -> None:
    values = np.full((3, 4, 3), 0.5, np.float32)
    values[1] = np.nan
    rgba = frame_pictures.slice_bytes(values, grey=False)
    assert rgba[..., 3].tolist() == [[255] * 4, [0] * 4, [255] * 4]
    assert rgba[0, 0].tolist() == [128, 128, 128, 255]


def test_the_colour_wheel_tells_opposite_motions_apart_and_still_is_pale() -> None:
    flow = np.array([[[0, 0], [8, 0], [-8, 0], [np.inf, np.nan]]], np.float32)
    still, right, left, broken = frame_pictures.wheel(flow)[0].astype(int)
    assert still.tolist() == broken.tolist() == [235, 235, 235]
    assert np.abs(right - left).max() > 150


def test_arrows_leave_out_what_is_not_finite() -> None:
    flow = np.full((20, 40, 2), 2.0, np.float32)
    everything = len(frame_pictures.arrows(flow)[0])
    flow[:, :20] = np.nan
    assert len(frame_pictures.arrows(flow)[0]) == everything // 2
    flow[:] = 0
    assert len(frame_pictures.arrows(flow)[0]) == 0


def test_small_motions_get_longer_arrows_and_the_factor_is_told() -> None:
    flow = np.zeros((96, 192, 2), np.float32)
    flow[..., 0] = 0.5
    table, gain = frame_pictures.arrows(flow)
    assert gain == 10
    assert np.allclose(table[:, 2], 5)
    flow[..., 0] = 30
    assert frame_pictures.arrows(flow)[1] == 1


def test_difference_does_not_wrap_around() -> None:
    first, second = np.array([[0, 255]], np.uint8), np.array([[255, 250]], np.uint8)
    assert frame_pictures.difference(first, second).tolist() == [[255, 10]]


def test_unchanged_columns_are_converted_once() -> None:
    results = [update.result for update in FakeEngine(Session()).compute(1)]
    converter = frame_pictures.Converter()
    early, late = (converter.convert(result, "grey") for result in (results[0], results[-1]))
    assert early.columns["random"].noise is late.columns["random"].noise
    coloured = converter.convert(results[-1], "rgb")
    assert coloured.columns["random"].noise.ndim == 3


def test_the_store_forgets_what_was_not_looked_at() -> None:
    converter, engine = frame_pictures.Converter(), FakeEngine(Session())
    frames = [converter.convert(list(engine.compute(t))[-1].result, "grey") for t in range(4)]
    store = frame_pictures.PictureCache(limit=3 * max(frame.bytes for frame in frames))
    for frame in frames[:3]:
        store.put(frame)
    assert store.get(0) is frames[0]
    store.put(frames[3])
    assert store.get(1) is None
    assert store.get(0) is frames[0]
