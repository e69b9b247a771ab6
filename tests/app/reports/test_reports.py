"""What is written of an outcome: every figure, table and number, in files that stand on their own."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gpu.experiments
from app.reports import Entry, drawing, write_index, write_report
from gpu.experiments import Axis, Bars, BarSeries, Figure, Line, Outcome, Pictures, Plot, Settings
from gpu.experiments.kit.questions import QUESTIONS
from tests.app.reports.sample import SAMPLE


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("report")
    settings = Settings({"draws": 2000.0, "words": "a,b"}, seed=3)
    steps = SAMPLE.run(settings)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome = end.value
            break
    result = write_report(folder, "sample", SAMPLE, settings, outcome, datetime.now(UTC), 1.5)
    return folder, outcome, result


@pytest.mark.slow
def test_every_figure_is_a_picture_with_something_on_it(written: tuple[Path, Outcome, dict[str, Any]]) -> None:
    folder, outcome, _ = written
    for figure in outcome.figures:
        pixels = np.asarray(Image.open(folder / f"{figure.name}.png").convert("L"))
        assert pixels.shape[1] > 1200
        assert pixels.std() > 5
        svg = (folder / f"{figure.name}.svg").read_text(encoding="utf-8")
        assert svg.lstrip().startswith("<?xml")
        assert "</svg>" in svg


@pytest.mark.slow
def test_the_sheet_holds_the_pictures_uninterpolated(written: tuple[Path, Outcome, dict[str, Any]]) -> None:
    folder, outcome, _ = written
    tile = outcome.figures[3].panels[0].pictures[0][0]  # type: ignore[union-attr]
    sheet = np.asarray(Image.open(folder / "pictures.png").convert("RGB"))
    colours = {tuple(pixel) for pixel in sheet.reshape(-1, 3)[::7].tolist()}
    found = sum(tuple(pixel) in colours for pixel in tile.reshape(-1, 3).tolist())
    assert found > 0.9 * 16 * 24


@pytest.mark.slow
def test_result_json_has_all_that_is_needed_again(written: tuple[Path, Outcome, dict[str, Any]]) -> None:
    folder, outcome, result = written
    stored = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(result))
    assert stored["table"] == [dict(row) for row in outcome.tables[0].rows]
    assert stored["table"][5]["variance_lo"] < stored["table"][5]["variance"] < stored["table"][5]["variance_hi"]
    assert stored["seed"] == 3
    assert stored["parameters"] == {"draws": 2000.0, "words": "a,b"}
    assert stored["command"] == "noisescope experiment sample --out DIR --seed 3"
    assert {"torch", "numpy", "noisescope", "python"} <= set(stored["versions"])
    assert stored["machine"]["cores"]
    assert stored["claims"][2]["measured"] is None  # NaN is no JSON
    assert [claim["holds"] for claim in stored["claims"]] == [claim.holds for claim in outcome.claims]


@pytest.mark.slow
def test_csv_holds_the_same_rows(written: tuple[Path, Outcome, dict[str, Any]]) -> None:
    folder, outcome, _ = written
    with (folder / "variance.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(outcome.tables[0].rows)
    assert [float(row["variance"]) for row in rows] == [row["variance"] for row in outcome.tables[0].rows]


@pytest.mark.slow
def test_the_page_needs_nothing_beside_itself_and_says_what_is_published(
    written: tuple[Path, Outcome, dict[str, Any]],
) -> None:
    folder, outcome, _ = written
    page = (folder / "report.html").read_text(encoding="utf-8")
    loaded = re.findall(r"<(?:img|script|link)[^>]*?(?:src|href)=\"([^\"]{0,40})", page)
    assert len(loaded) == len(outcome.figures)
    assert all(address.startswith("data:image/png;base64,") for address in loaded)
    assert page.count('class="published"') == 1 + 11 + 1 + 3  # headings and cells of both tables
    assert "<script" not in page
    for text in (
        "A note.",
        "does not hold",
        "✓ holds",
        "not decided",
        "n = 2000 draws a point",
        "What you would expect",
    ):
        assert (text in page) == (text != "What you would expect")
    linked = re.findall(r'<a href="([^"]+)"', page)
    assert linked
    assert all((folder / name).is_file() for name in linked)


@pytest.mark.slow
def test_texts_are_escaped(tmp_path: Path, written: tuple[Path, Outcome, dict[str, Any]]) -> None:
    outcome = Outcome("<script>alert(1)</script> & more", (), (), notes=("a < b",))
    write_report(tmp_path, "x", SAMPLE, Settings({"draws": 1.0, "words": "<b>"}), outcome, datetime.now(UTC), 0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<b>" not in page
    assert "a &lt; b" in page


@pytest.mark.slow
def test_the_index_links_what_is_done_and_says_what_is_not(
    tmp_path: Path, written: tuple[Path, Outcome, dict[str, Any]]
) -> None:
    entries = [
        Entry("sample", "A sample", "About.", written[2]),
        Entry("broken", "Broken", "About.", None, "The weights are missing."),
        Entry("later", "Later", "About.", None),
    ]
    write_index(tmp_path, entries)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="sample/report.html"' in page
    assert "broken/report.html" not in page
    assert "The weights are missing." in page
    assert "Not run yet." in page
    assert "1 of 3 experiments done" in " ".join(page.split())
    states = [one["state"] for one in json.loads((tmp_path / "result.json").read_text())["experiments"]]
    assert states == ["done", "failed", "waiting"]


@pytest.mark.slow
def test_the_index_answers_the_questions_of_the_summary(
    tmp_path: Path, written: tuple[Path, Outcome, dict[str, Any]]
) -> None:
    """Claims that name a question, claims of an experiment that answers it as a whole, and what is still missing."""
    claims = written[2]["claims"]
    toy = {**written[2], "claims": [{**claims[0], "answers": "toy"}, {**claims[1], "answers": "variance"}]}
    entries = [
        Entry("toy1d", "Toy", "About.", toy),
        Entry("long", "Long", "About.", {**written[2], "claims": [claims[1]] * 12}),
        Entry("disocclusion", "Appearing", "About.", None, "It broke."),
    ]
    write_index(tmp_path, entries)
    page = " ".join((tmp_path / "index.html").read_text(encoding="utf-8").split())
    rows = dict(zip(QUESTIONS, page.split('<td class="question">')[1:]))
    assert claims[0]["claim"] in rows["toy"]
    assert claims[1]["claim"] not in rows["toy"]
    assert claims[1]["claim"] in rows["variance"]
    assert rows["coherence"].count(claims[1]["claim"]) == 12
    assert "4 more" in rows["coherence"]
    assert "disocclusion: failed" in rows["disocclusion"]
    assert "table1: not in this report" in rows["ablation"]
    stored = json.loads((tmp_path / "result.json").read_text())
    assert set(stored["questions"]) == set(QUESTIONS)


def test_every_question_has_experiments_of_the_registry_and_claims_name_questions() -> None:
    from gpu.experiments import EXPERIMENTS

    for key, question in QUESTIONS.items():
        assert set(question.experiments) <= set(EXPERIMENTS.names()), key
        assert set(question.whole) <= set(question.experiments), key
    folder = Path(gpu.experiments.__file__).parent
    named = {key for path in folder.glob("*.py") for key in re.findall(r'answers="([^"]+)"', path.read_text("utf-8"))}
    assert named
    assert named <= set(QUESTIONS)


def test_an_axis_with_one_end_set_takes_the_other_from_the_data() -> None:
    bars = Bars("", Axis("warp error", low=0), ("a", "b"), (BarSeries("one", [3.0, 9.0]), BarSeries("two", [5.0, 2.0])))
    curve = Plot("", Axis("t", low=0), Axis("y", low=0), (Line("one", [0.0, 5.0], [2.0, 40.0]),))
    for panel, least in ((bars, 9), (curve, 40)):
        axes = drawing.make(Figure("f", "f", (panel,), "")).axes[0]
        assert axes.get_ylim()[0] == 0
        assert axes.get_ylim()[1] >= least


@pytest.mark.slow
def test_legends_cover_no_curve_and_stand_once() -> None:
    zigzag = np.tile([0.0, 1.0], 30)
    lines = tuple(Line(f"the curve {n}", np.linspace(0, 1, 60), zigzag * (1 - n / 9)) for n in range(3))
    panels = (Plot("a", Axis("x"), Axis("y"), lines), Plot("b", Axis("x"), Axis("y"), lines))
    canvas = drawing.make(Figure("f", "f", panels, ""))
    canvas.draw_without_rendering()
    first, second = canvas.axes
    assert first.get_legend() is None
    assert second.get_legend() is None
    (legend,) = canvas.legends
    assert legend.get_window_extent().y1 <= first.bbox.y0
    alone = drawing.make(Figure("f", "f", panels[:1], ""))
    alone.draw_without_rendering()
    (axes,) = alone.axes
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_window_extent().y1 <= axes.bbox.y0


def test_a_sheet_of_many_rows_is_laid_on_its_side() -> None:
    tile = np.zeros((16, 16, 3), np.uint8)
    sheet = Pictures("", tuple("abcdef"), ("0", "1"), ((tile, tile),) * 6)
    lying = drawing._lying(sheet)
    assert (lying.rows, lying.columns) == (("0", "1"), tuple("abcdef"))
    strip = np.zeros((8, 64, 3), np.uint8)
    strips = Pictures("", tuple("abcdefghijklm"), ("x-t",), ((strip,),) * 13)
    assert drawing._lying(strips) is strips


@pytest.mark.slow
def test_the_same_figure_is_the_same_file(
    tmp_path: Path, written: tuple[Path, Outcome, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, outcome, _ = written
    draw: Callable[..., dict[str, str]] = drawing.draw
    draw(outcome.figures[0], tmp_path)
    for kind in ("png", "svg"):
        assert (tmp_path / f"curves.{kind}").read_bytes() == (folder / f"curves.{kind}").read_bytes()
