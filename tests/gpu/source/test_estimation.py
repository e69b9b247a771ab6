"""Motion estimated at the source's own resolution: how accurate it is on the grid, what is valid, and in what shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.assets import asset
from gpu.cv import cv2
from gpu.engine import Engine
from gpu.flow import maps
from gpu.session import MotionSettings, NoiseSettings, PriorSettings, Session, SourceSettings
from gpu.source import Area, estimation
from gpu.source.estimation import Estimation, working_size
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source
from gpu.source.stills import read_picture

CPU = torch.device("cpu")


@pytest.fixture
def on_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was before: the estimator sees no more than the grid."""
    monkeypatch.setattr(estimation, "MOST_PIXELS", 1)


def mean_error(estimator: str, name: str = "rotation-zoom", side: int = 64, frames: int = 4) -> float:
    """Mean distance, in pixels of the grid, of estimated backward flow from the true one where that is valid."""
    source = open_source(SourceSettings("synthetic", name=name, height=side, width=side, frames=frames))
    motion = SourceMotion(source, MotionSettings(estimator), CPU)
    errors = []
    for t in range(frames - 1):
        wrong = np.linalg.norm(motion.backward(t).numpy() - source.truth.backward(t), axis=-1)
        errors.append(wrong[source.truth.valid(t)].mean())
    return float(np.mean(errors))


@pytest.mark.slow
def test_a_rotation_with_zoom_at_64_by_64_is_found_to_a_hundredth_of_a_pixel() -> None:
    assert mean_error("dis") < 0.012


@pytest.mark.usefixtures("on_the_grid")
def test_seeing_the_grid_alone_it_would_be_found_to_a_tenth() -> None:
    """What the test above would measure without looking finer."""
    assert mean_error("dis") > 0.12


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["farneback", "dis"])
def test_every_estimator_profits(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = mean_error(estimator, "wave", frames=2)
    monkeypatch.setattr(estimation, "MOST_PIXELS", 1)
    assert fine < 0.4 * mean_error(estimator, "wave", frames=2)


def panned(folder: Path, frames: int = 9) -> SourceSettings:
    """A photo of 512×512 that goes by 1 pixel a frame to the left: after eight frames by one of a grid of 64×64."""
    photo = read_picture(asset("stills/bowl.jpg"))
    for t in range(frames):
        cv2.imwrite(str(folder / f"photo{t}.png"), photo[20:532, 60 + t : 572 + t, ::-1])
    return SourceSettings("images", str(folder), height=64, width=64)


def kept(source: SourceSettings) -> float:
    """Correlation of frame 8's noise with that of frame 0 a pixel further right, away from the border."""
    noise = NoiseSettings(backend="torch")
    engine = Engine(Session(source, noise=noise, priors=(PriorSettings("integral"),)))
    first, last = (engine.noise("integral", t)[0][:, 4:-4] for t in (0, 8))
    engine.close()
    return float(np.corrcoef(first[..., 5:-4].ravel(), last[..., 4:-5].ravel())[0, 1])


@pytest.mark.slow
def test_a_photo_panned_by_a_latent_pixel_in_eight_frames_keeps_its_noise(tmp_path: Path) -> None:
    assert kept(panned(tmp_path)) > 0.985


@pytest.mark.slow
@pytest.mark.usefixtures("on_the_grid")
def test_seeing_the_grid_alone_it_would_lose_a_fifth(tmp_path: Path) -> None:
    assert kept(panned(tmp_path)) < 0.85


@pytest.mark.slow
def test_what_is_hidden_is_told_by_fine_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what passes the check although it is not seen in both frames, less than half passes at the finer size; and what is
    seen in both still does."""
    source = open_source(SourceSettings("synthetic", name="layers", height=64, width=64, frames=4))
    shares = {}
    for pixels in (estimation.MOST_PIXELS, 1):
        monkeypatch.setattr(estimation, "MOST_PIXELS", pixels)
        motion = SourceMotion(source, MotionSettings("dis"), CPU)
        valid = np.stack([motion.valid(t).numpy() for t in range(3)])
        true = np.stack([source.truth.valid(t) for t in range(3)])
        shares[pixels] = valid[true].mean(), valid[~true].mean()
    (right, wrong), (_, wrong_before) = shares.values()
    assert right > 0.92
    assert wrong < 0.2
    assert wrong < 0.5 * wrong_before


class Film:
    """Blurred noise at a resolution of its own, moved by whole pixels of it; shown on a grid, as a part and in an area."""

    title, fps, cuts, truth = "film", 25.0, (), None

    def __init__(
        self, own: tuple[int, int], grid: tuple[int, int], area: Area | None = None, step: tuple[int, int] = (6, -4)
    ):
        (self.height, self.width), self.frames, self.original_size, self.step = grid, 3, own, step
        self.area = area or Area(0, 0, *grid)
        noise = np.random.default_rng(5).integers(0, 256, (own[0] + 100, own[1] + 100, 3)).astype(np.uint8)
        smooth = cv2.GaussianBlur(noise, (0, 0), 2).astype(np.float32)
        self.wide = np.clip((smooth - 128) * 6 + 128, 0, 255).astype(np.uint8)
        self.asked: list[tuple[int, int, int]] = []

    def original(self, t: int, rows: int, columns: int) -> np.ndarray:
        self.asked.append((t, rows, columns))
        x, y = 50 - self.step[0] * t, 50 - self.step[1] * t
        own = self.wide[y : y + self.original_size[0], x : x + self.original_size[1]]
        return cv2.resize(own, (columns, rows), interpolation=cv2.INTER_AREA)

    def frame(self, t: int) -> np.ndarray:
        picture = np.zeros((self.height, self.width, 3), np.uint8)
        area = self.area
        picture[area.top : area.bottom, area.left : area.right] = self.original(t, area.height, area.width)
        return picture

    def close(self) -> None: ...


@pytest.mark.parametrize("estimator", ["dis", "farneback"])
@pytest.mark.parametrize(
    ("grid", "step"), [((60, 80), (6, -4)), ((60, 40), (6, 4)), ((30, 160), (-3, 5)), ((120, 160), (6, -4))]
)
def test_vectors_are_in_pixels_of_the_grid_on_each_axis(
    estimator: str, grid: tuple[int, int], step: tuple[int, int]
) -> None:
    """Stretched pictures are looked at in their own shape, and the vectors are what the grid makes of them."""
    film = Film((120, 160), grid, step=step)
    pair = Estimation(film, MotionSettings(estimator), CPU).pair(0)
    assert {asked[1:] for asked in film.asked} == {(120, 160)}
    expected = (step[0] * grid[1] / 160, step[1] * grid[0] / 120)
    off = 0.02 if estimator == "dis" else 0.15  # Farneback falls short by a tenth of so long a step
    assert np.median(pair.forward.flow.numpy(), axis=(0, 1)) == pytest.approx(expected, rel=off)
    assert np.median(pair.backward.numpy(), axis=(0, 1)) == pytest.approx([-value for value in expected], rel=off)
    assert pair.backward.shape == (*grid, 2)
    assert pair.valid.float().mean() > (0.6 if estimator == "dis" else 0.5)
    if estimator == "dis":  # what comes in at one side was not there before
        new = max(round(abs(expected[0])) - 1, 0)
        assert not pair.valid[:, :new].any() if expected[0] > 0 else not pair.valid[:, grid[1] - new :].any()
        middle = pair.error[grid[0] // 3 : -grid[0] // 3, grid[1] // 3 : -grid[1] // 3]
        assert float(middle.median()) < 0.1


def test_nothing_moves_and_nothing_is_valid_in_bars() -> None:
    area = Area(14, 0, 36, 64)
    film = Film((144, 256), (64, 64), area)
    motion = SourceMotion(film, MotionSettings("dis"), CPU)
    inside = np.zeros((64, 64), bool)
    inside[14:50] = True
    for flow in (motion.backward(0), motion.forward(0)):
        assert not flow[~torch.from_numpy(inside)].any()
        assert np.abs(np.median(flow.numpy()[inside], axis=0)) == pytest.approx([1.5, 1], abs=0.05)
    assert not motion.valid(0).numpy()[~inside].any()
    assert motion.valid(0).numpy()[inside].mean() > 0.85
    assert (motion.error(0).numpy()[~inside] == maps.UNSEEN).all()
    # The bars would stand still beside what moves: the estimator never sees them.
    assert {asked[1:] for asked in film.asked} == {(144, 256)}


def test_true_motion_is_not_valid_in_bars_either() -> None:
    class Told:
        def backward(self, t: int) -> np.ndarray:
            return np.zeros((64, 64, 2), np.float32)

        forward = backward

        def valid(self, t: int) -> np.ndarray:
            return np.ones((64, 64), bool)

    film = Film((144, 256), (64, 64), Area(14, 0, 36, 64))
    film.truth = Told()
    valid = SourceMotion(film, MotionSettings(), CPU).valid(0)
    assert valid[14:50].all()
    assert int(valid.sum()) == 36 * 64


@pytest.mark.parametrize(
    ("own", "grid", "size"),
    [
        ((288, 512), (64, 64), (288, 512)),
        ((288, 512), (288, 512), (288, 512)),
        ((100, 100), (288, 512), (288, 512)),
        ((1080, 1920), (288, 512), (720, 1280)),
        ((2160, 3840), (1080, 1920), (1080, 1920)),
        ((3000, 500), (48, 48), (2352, 392)),
    ],
)
def test_the_working_size_is_the_sources_own_up_to_a_limit_and_never_below_the_grids(
    own: tuple[int, int], grid: tuple[int, int], size: tuple[int, int]
) -> None:
    film = Film((8, 8), grid)
    film.original_size = own
    assert working_size(film) == size


@pytest.mark.parametrize(
    ("scale", "label", "grid"),
    [(1.0, "DIS fast at 160×120", 60), (0.5, "DIS fast at 80×60", 60), (2.0, "DIS fast at 320×240", 60),
     (1.0, "DIS fast", 120), (0.5, "DIS fast at ×0.5", 120)],
)  # fmt: skip
def test_the_scale_is_relative_to_the_sources_own_size_and_the_label_says_what_is_seen(
    scale: float, label: str, grid: int
) -> None:
    film = Film((120, 160), (grid, grid * 4 // 3))
    motion = SourceMotion(film, MotionSettings("dis", "fast", scale), CPU)
    assert motion.label == label
    expected = (6 * grid / 120, -4 * grid / 120)
    assert np.median(motion.forward(0).numpy(), axis=(0, 1)) == pytest.approx(expected, abs=0.15)


def test_each_finer_frame_is_asked_for_once_in_a_row_and_few_are_kept() -> None:
    film = Film((120, 160), (60, 80))
    film.frames = 8
    estimated = Estimation(film, MotionSettings("dis", "ultrafast"), CPU)
    for t in range(7):
        estimated.pair(t)
    assert [t for t, _, _ in film.asked] == [1, 0, 2, 3, 4, 5, 6, 7]
    assert len(estimated._pictures) <= estimation.KEPT


def test_vectors_that_are_not_finite_become_invalid_pixels() -> None:
    class Broken:
        title, presets = "Broken", ("medium",)

        def estimate(self, a: np.ndarray, b: np.ndarray, preset: str, scale: float) -> np.ndarray:
            flow = np.zeros((*a.shape[:2], 2), np.float32)
            flow[40:42, 60:62] = np.nan  # all of pixel (20, 30)
            flow[60, 60] = np.inf  # a quarter of pixel (30, 30)
            return flow

    motion = SourceMotion(Film((120, 160), (60, 80)), MotionSettings("dis"), CPU)
    motion._estimation._estimator = Broken()
    assert motion.backward(0).isfinite().all()
    assert not motion.backward(0).any()
    assert (~motion.valid(0)).nonzero().tolist() == [[20, 30]]
    assert motion.invalid(0) == 1
    assert float(motion.error(0)[20, 30]) == maps.UNSEEN
    assert float(motion.error(0)[30, 30]) == 0
