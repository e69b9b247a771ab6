"""The export dialog: what it asks for is what is shown, and it says what will be written before it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDialog

from app.export import ExportOptions
from app.views.export.dialog import KINDS, ExportDialog, ExportRequest, file_name
from app.window import exporting
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings


@pytest.fixture
def dialog(qtbot, themed, source_info, tmp_path):
    priors = (PriorSettings("random"), PriorSettings("bilinear", mode="chained"), PriorSettings("integral"))
    dialog = ExportDialog(None, Session(priors=priors, task=TaskSettings("super-resolution")), source_info(), tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def choose(dialog: ExportDialog, kind: str, form: str = "") -> None:
    dialog.kind.setCurrentIndex([name for name, *_ in KINDS].index(kind))
    if form:
        dialog.form.setCurrentIndex(dialog.form.findData(form))


@pytest.mark.slow
def test_noise_of_one_prior(dialog, tmp_path):
    choose(dialog, "noise", "npy")
    dialog.axes.setCurrentIndex(dialog.axes.findData("CTHW"))
    dialog.first.setValue(4)
    dialog.last.setValue(11)
    assert dialog.request() == ExportRequest(
        "noise",
        "npy",
        (("integral", tmp_path / "clip-one-noise.npy"),),
        ExportOptions(axes="CTHW", start=4, stop=12, content="output", fps=24.0),
    )


def test_several_priors_get_a_file_each(dialog, tmp_path):
    dialog.checks["bilinear (chained)"].setChecked(True)
    assert dialog.request().files == (
        ("bilinear (chained)", tmp_path / "clip-one-noise-bilinear-chained.npz"),
        ("integral", tmp_path / "clip-one-noise-integral.npz"),
    )


def test_fixed_axes_of_npz(dialog):
    choose(dialog, "noise", "npy")
    dialog.axes.setCurrentIndex(dialog.axes.findData("THWC"))
    choose(dialog, "noise", "npz")
    assert dialog.request().options.axes == "TCHW"
    assert not dialog.axes.isVisible()


def test_only_fields_that_matter_are_shown(dialog):
    visible = {}
    for kind, form in (("noise", "npy"), ("flow", "flo"), ("pictures", "mp4"), ("pictures", "png"), ("view", "")):
        choose(dialog, kind, form)
        fields = ("axes", "direction", "content", "fps")
        visible[kind, form] = [name for name in fields if getattr(dialog, name).isVisible()]
    assert visible == {
        ("noise", "npy"): ["axes"],
        ("flow", "flo"): ["direction"],
        ("pictures", "mp4"): ["content", "fps"],
        ("pictures", "png"): ["content"],
        ("view", ""): [],
    }


def test_suffix_follows_the_format_and_a_typed_name_stays(dialog, tmp_path):
    choose(dialog, "noise", "safetensors")
    assert dialog.path.text().endswith("clip-one-noise.safetensors")
    dialog.path.selectAll()
    QTest.keyClicks(dialog.path, str(tmp_path / "mine.safetensors"))
    choose(dialog, "noise", "pt")
    assert Path(dialog.path.text()) == tmp_path / "mine.pt"


def test_the_plan_is_asked_for_and_gates_the_button(dialog, qtbot):
    with qtbot.waitSignal(dialog.planAsked, timeout=2000) as asked:
        choose(dialog, "flow", "flow-npy")
    assert not dialog.go.isEnabled()
    assert dialog.plan.text().startswith("Looking"), "what was said of another file is gone"
    request = asked.args[0]
    dialog.show_plan("Flow array: 47 fields, about 0.2 MB", True, request)
    assert dialog.go.isEnabled()
    assert dialog.plan.text().startswith("Flow array: 47")
    dialog.show_plan("The output cannot be written.", False, request)
    assert not dialog.go.isEnabled()
    assert dialog.plan.objectName() == "wrong"


def test_a_late_answer_is_dropped(dialog, qtbot):
    with qtbot.waitSignal(dialog.planAsked, timeout=2000) as asked:
        choose(dialog, "noise", "npy")
    dialog.last.setValue(5)
    dialog.show_plan("48 frames", True, asked.args[0])
    assert dialog.plan.text() != "48 frames"
    assert not dialog.go.isEnabled()


def test_export_emits_once_and_closes(dialog, qtbot):
    requests = []
    dialog.requested.connect(requests.append)
    with qtbot.waitSignal(dialog.planAsked, timeout=2000) as asked:
        choose(dialog, "pictures", "mp4")
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert requests == []  # not before it said what will be written
    dialog.show_plan("Video", True, asked.args[0])
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert requests == [asked.args[0]]
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_what_is_missing_is_said(dialog):
    dialog.checks["integral"].setChecked(False)
    assert dialog.plan.text() == "Choose at least one column."
    dialog.checks["integral"].setChecked(True)
    dialog.path.clear()
    assert dialog.plan.text() == "Say where to write."
    assert not dialog.go.isEnabled()


def test_view_needs_no_worker(dialog, qtbot, tmp_path):
    choose(dialog, "view")
    qtbot.waitUntil(dialog.go.isEnabled, timeout=2000)
    assert dialog.request().files == (("", tmp_path / "clip-one-view.png"),)


def test_no_output_without_a_task(qtbot, themed, source_info, tmp_path):
    dialog = ExportDialog(None, Session(), source_info(), tmp_path)
    qtbot.addWidget(dialog)
    assert dialog.content.findData("output") < 0
    choose(dialog, "pictures", "png")
    assert dialog.request().options.content == "noise"


def test_one_frame(qtbot, themed, source_info, tmp_path):
    dialog = ExportDialog(None, Session(), source_info(frames=1, cuts=()), tmp_path)
    qtbot.addWidget(dialog)
    options = dialog.request().options
    assert (options.start, options.stop) == (0, 1)


def test_keys_as_file_names():
    assert file_name("bilinear (chained, γ=0.3)") == "bilinear-chained-γ-0.3"


def test_every_control_has_a_name_and_a_tip(dialog):
    controls = [
        dialog.form, dialog.axes, dialog.content, dialog.colours, dialog.direction, dialog.first, dialog.last, dialog.fps,
        dialog.path, dialog.browse, dialog.go, *dialog.checks.values(),
    ]  # fmt: skip
    for control in controls:
        assert control.accessibleName() or control.text(), control
        assert control.toolTip(), control
    fields = [*dialog.findChildren(QComboBox), *dialog.findChildren(QAbstractSpinBox)]
    assert all(control in controls for control in fields)
    assert all(dialog.kind.tabToolTip(number) for number in range(dialog.kind.count()))


class Banner:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.errors: list[str] = []

    def show_note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def show_error(self, sentence: str) -> None:
        self.errors.append(sentence)


@pytest.fixture
def window():
    """Exports with what of the window they touch."""
    picture = QImage(8, 8, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    jobs = []
    banner, compare = Banner(), SimpleNamespace(picture=lambda: picture)
    dispatch = SimpleNamespace(run=lambda what, make, then: jobs.append((what, make)))
    made = exporting.Exporting(SimpleNamespace(session=None), None, dispatch, compare, banner, lambda: Path(), None)
    return SimpleNamespace(banner=banner, jobs=jobs, exporting=made)


def test_a_view_is_written_at_once(window, tmp_path):
    path = tmp_path / "view.png"
    window.exporting.run(ExportRequest("view", "", (("", path),), ExportOptions()))
    assert QImage(str(path)).pixelColor(4, 4).name() == "#ff0000"
    assert str(path) in window.banner.notes[0]
    window.exporting.run(ExportRequest("view", "", (("", tmp_path / "no" / "x.png"),), ExportOptions()))
    assert "cannot be written" in window.banner.errors[0]
    assert window.jobs == []


def test_plan_and_files_with_the_real_engine(window, tmp_path):
    """A tiny clip through the whole way: what the plan says is what the files hold, whiteness measured from the file."""
    from gpu.engine import Engine

    source = SourceSettings("synthetic", name="translation", height=24, width=32, frames=3)
    noise = NoiseSettings(k=1, backend="torch")
    engine = Engine(Session(source=source, noise=noise, priors=(PriorSettings("random"), PriorSettings("integral"))))
    try:
        options = ExportOptions(axes="CTHW")
        files = tuple((key, tmp_path / f"n-{key}.npy") for key in ("random", "integral"))
        request = ExportRequest("noise", "npy", files, options)
        text, ok = exporting.plan_text(engine, request)
        assert ok, text
        assert "4 channels × 3 frames × 24 rows × 32 columns (CTHW)" in text
        bad = replace(request, files=(("integral", tmp_path / "no" / "such" / "n.npy"),))
        sentence, ok = exporting.plan_text(engine, bad)
        assert not ok
        assert "n.npy" in sentence
        window.exporting.run(request)
        assert [what for what, _ in window.jobs] == ["Export n-random.npy", "Export n-integral.npy"]
        for _, make in window.jobs:
            steps = make(engine)
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    report = end.value
                    break
            assert report.whiteness is not None
        for key, path in files:
            stored = np.load(path)
            assert stored.shape == (4, 3, 24, 32)
            np.testing.assert_array_equal(stored[:, 2], engine.noise(key, 2)[0])
    finally:
        engine.close()


def test_another_format_and_a_late_answer_find_a_path_that_names_no_file(dialog):
    """The field may be empty while the person turns to another kind of export, or while the plan is on its way."""
    for check in dialog.checks.values():
        check.setChecked(True)
    asked = dialog.request()
    dialog.path.setText("/")
    dialog.path.clear()
    dialog.path.textEdited.emit("")
    for kind in (1, 2, 3, 0):
        dialog.kind.setCurrentIndex(kind)
        dialog.show_plan("late", True, asked)
        assert dialog.path.text() == ""
        assert dialog.plan.text() == "Say where to write."
        assert not dialog.go.isEnabled()
