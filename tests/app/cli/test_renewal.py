"""Renewal from the command line: told in the file, and switched off."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.app.cli.conftest import Result


@pytest.mark.slow
def test_files_say_where_anchors_changed(cli: Callable[..., Result], tmp_path: Path) -> None:
    """Smoke is renewed, in every fourth frame; without renewal the file says so, and frames are others from
    the one after the first renewal on."""
    metas, noises = [], []
    for name, options in (("local", ()), ("off", ("--renewal", "off"))):
        out = tmp_path / f"{name}.npz"
        result = cli("warp", "--scene", "smoke", "--frames", 15, "--prior", "integral", *options, "--out", out)
        assert result.code == 0, result.err
        with np.load(out) as archive:
            metas.append(json.loads(str(archive["meta"])))
            noises.append(archive["noise"])
    shares = metas[0]["renewed"]
    assert set(shares) <= {"4", "8", "12"}
    assert shares
    assert all(0 < share < 0.9 for share in shares.values())
    assert metas[1]["renewed"] == {}
    assert metas[1]["session"]["noise"]["renewal"] == "off"
    first = min(int(t) for t in shares)
    assert np.allclose(noises[0][: first + 1], noises[1][: first + 1])
    assert not np.allclose(noises[0][first + 1], noises[1][first + 1])
