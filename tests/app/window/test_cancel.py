"""Sampling with a real network in the real worker is given up soon after the person says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gpu.session import PriorSettings
from tests.app.window.measure_cancel import AIM, cancels, session_of


@pytest.mark.slow
def test_sampling_is_cancelled_in_the_middle_of_a_step(qapp: object) -> None:
    # A step on this size takes about a second, so waiting for its end would be seen. Measured here: 0.01 to 0.03 s.
    session = replace(session_of("super-resolution", 360), priors=(PriorSettings("random"),))
    took = cancels(session, 6, longest=0.8)
    assert np.median(took) < AIM, took
    assert max(took) < 3 * AIM, took
