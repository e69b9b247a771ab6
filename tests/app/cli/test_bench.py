"""`noisescope bench` from end to end, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROW = ["bench", "--priors", "bilinear:mode=chained", "--sizes", "32x48", "--frames", "3", "--channels", "2"]


@pytest.mark.slow
def test_rows_a_figure_and_the_comparison_with_an_earlier_run(cli: Any, tmp_path: Path) -> None:
    path, figure = tmp_path / "earlier.json", tmp_path / "figure.png"
    result = cli(*ROW, "--json", "--out", figure)
    assert result.code == 0, result.err
    printed = json.loads(result.out)
    (row,) = printed["results"]
    assert row["prior"] == "bilinear (chained)"
    assert (row["height"], row["width"], row["channels"], row["backend"]) == (32, 48, 2, "torch")
    assert row["ratio"] == pytest.approx(row["median_ms"] / row["floor_ms"], rel=0.05)
    with Image.open(figure) as picture:
        assert picture.size[0] > 1000

    def against(factor: float, *more: object) -> Any:
        row["ratio"] = measured * factor
        path.write_text(json.dumps(printed))
        return cli(*ROW, "--against", path, *more)

    measured = row["ratio"]
    grown = against(0.01)
    assert grown.code == 1
    assert "Bilinear (chained) at 32 × 48 (torch) grew from " in grown.err
    assert f"{row['ratio']:.1f} ×" in grown.out
    assert against(100).code == 0
    assert against(0.01, "--allow", 1000).code == 0
    row["height"] = 33
    strange = against(1)
    assert strange.code == 2
    assert "none of the rows" in strange.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--priors", "nonesuch"], "no prior"),
        (["--priors", "bilinear:mode=sideways"], "sideways"),
        (["--sizes", "big"], "rows x columns"),
        (["--sizes", ","], "names no size"),
        (["--backends", "vulkan"], "There is no backend 'vulkan'"),
        (["--frames", "2"], "--frames must lie between 3 and 1000"),
        (["--allow", "0.5"], "--allow must lie between"),
        (["--seconds", "nan"], "--seconds must lie between"),
        (["--against", "/nonesuch/earlier.json"], "cannot be read"),
        (["--out", "/nonesuch/figure.png"], "no folder"),
        (["--out", "figure.txt"], "must end in"),
    ],
)
def test_what_it_cannot_do_is_said_before_anything_runs(cli: Any, options: list[str], said: str) -> None:
    result = cli("bench", *options)
    assert result.code == 2
    assert said in result.err
