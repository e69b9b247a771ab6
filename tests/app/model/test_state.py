"""The Qt-free state: history, columns, frames, view."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.state import MAX_ZOOM, MERGE_SECONDS, State, View, clamp_centre, view_from
from gpu.errors import SessionError
from gpu.session import PriorSettings, Session, from_json, to_json


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def seeded(session: Session, seed: int) -> Session:
    return replace(session, noise=replace(session.noise, seed=seed))


def test_undo_and_redo_travel_through_the_changes() -> None:
    state = State(Session())
    first = state.session
    state.change(seeded(first, 1), "Seed")
    state.change(seeded(first, 2), "Seed")
    assert state.undo_text == "Seed"
    state.undo()
    assert state.session.noise.seed == 1
    state.undo()
    assert state.session == first
    assert not state.undo_text
    state.redo()
    state.redo()
    assert state.session.noise.seed == 2
    assert not state.redo_text


def test_a_drag_of_a_slider_is_one_step() -> None:
    clock = Clock()
    state = State(Session(), clock)
    for seed in range(20, 40):
        clock.now += 0.1
        state.change(seeded(state.session, seed), "Seed", merge="seed")
    clock.now += MERGE_SECONDS + 1
    state.change(seeded(state.session, 99), "Seed", merge="seed")
    state.undo()
    assert state.session.noise.seed == 39
    state.undo()
    assert state.session.noise.seed == Session().noise.seed


def test_a_change_after_undo_forgets_what_was_undone() -> None:
    state = State(Session())
    state.change(seeded(state.session, 1), "a")
    state.undo()
    state.change(seeded(state.session, 2), "b")
    assert not state.redo_text


def test_the_same_column_twice_is_refused() -> None:
    state = State(Session())
    with pytest.raises(SessionError, match="same prior"):
        state.add_prior(PriorSettings("random"))
    assert state.keys == ("random", "fixed", "bilinear", "integral")


def test_columns_move_and_the_reference_survives_renaming() -> None:
    state = State(Session())
    state.set_view(reference="bilinear")
    state.move_prior("integral", 0)
    assert state.keys == ("integral", "random", "fixed", "bilinear")
    state.replace_prior("bilinear", PriorSettings("bilinear", gamma=0.25))
    assert state.reference == "bilinear (γ=0.25)"
    state.remove_prior("bilinear (γ=0.25)")
    assert state.reference == "integral"


def test_frames_stay_inside_and_the_loop_is_followed() -> None:
    state = State(Session())
    state.opened(10)
    state.set_frame(99)
    assert state.view.frame == 9
    assert state.next_frame() == 0
    state.set_view(loop=(3, 5))
    state.set_frame(5)
    assert state.next_frame() == 3
    assert state.order() == [5, 4, 3, 0, 1, 2, 6, 7, 8, 9]
    state.set_frame(3)
    assert state.order() == [3, 4, 5, 0, 1, 2, 6, 7, 8, 9]
    state.set_view(loop=None)
    assert state.order() == [3, 2, 4, 5, 6, 7, 8, 9, 0, 1], "its warp error rests on the frame before"
    state.set_view(loop=(3, 5))
    state.set_frame(5)
    state.opened(5)
    assert state.view.loop == (3, 4)
    assert state.view.frame == 4


@given(st.integers(1, 40), st.integers(0, 50), st.none() | st.tuples(st.integers(0, 39), st.integers(0, 39)))
def test_the_order_of_filling_holds_every_frame_once(frames: int, t: int, loop: tuple[int, int] | None) -> None:
    state = State(Session())
    state.set_view(loop=(min(loop), max(loop)) if loop else None)
    state.opened(frames)
    state.set_frame(t)
    assert sorted(state.order()) == list(range(frames))


@given(st.floats(0.01, 100), st.floats(0, 1), st.floats(0, 1))
def test_zooming_keeps_the_picture_over_its_cell(factor: float, x: float, y: float) -> None:
    state = State(Session())
    state.zoom(factor, x, y)
    view = state.view
    assert 1 <= view.zoom <= MAX_ZOOM
    assert clamp_centre(view.centre, view.zoom) == view.centre


def test_zooming_keeps_the_point_under_the_pointer() -> None:
    state = State(Session())
    state.zoom(4, 0.5, 0.5)
    state.zoom(2, 0.6, 0.4)
    before, after = (0.6 - 0.5) * 4, (0.6 - state.view.centre[0]) * 8
    assert after == pytest.approx(before)


def test_the_view_goes_through_a_session_file() -> None:
    state = State(Session())
    state.opened(30)
    state.set_view(rows=("noise", "error"), zoom=3.0, centre=(0.4, 0.6), loop=(2, 9), reference="fixed", overlay=True)
    state.set_frame(7)
    back = State(from_json(to_json(state.to_save())))
    assert back.view == state.view
    assert back.session == state.session


def test_a_damaged_view_is_taken_as_far_as_it_makes_sense() -> None:
    broken = {
        "rows": ["noise", "nonsense"],
        "zoom": "big",
        "loop": [3],
        "frame": -4,
        "mode": "wipe",
        "centre": [1e9, 0],
    }
    view = view_from(broken)
    assert (view.rows, view.zoom, view.loop, view.frame, view.mode) == (View().rows, 1.0, None, 0, "wipe")
    assert clamp_centre(view.centre, view.zoom) == view.centre


def test_modified_until_saved() -> None:
    state = State(Session())
    state.change(seeded(state.session, 3), "Seed")
    assert state.modified
    state.mark_saved()
    assert not state.modified
    state.undo()
    assert state.modified
