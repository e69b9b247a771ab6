"""Adding is one file: a prior, deformation, lesson and export format outside the program are found wherever theirs are.

Each is written as one file into a folder that NOISESCOPE_PLUGINS names (gpu/registry.py), and looked for in the command line,
the window's menus, README's tables and the tests that go over a registry. All of it in processes of their own, so that
the registries of this one stay as they are.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]

PRIOR = '''
"""Prior `halves`: the mean of the shot's first noise and of new noise, at unit variance."""

from gpu.priors import PRIORS, Prior, PriorInfo

INFO = PriorInfo(
    "Halves", "Half of it stays, half is new.", "An example.",
    uses_motion=False, born_white=False, hue="sky", dash="dotted",
)


def start(context):
    from gpu.noise import rng
    from gpu.priors.kit.sequence import by_frame, kept

    def noise(t):
        shared = context.white(rng.FIELD, context.shot_start(t))
        return kept(context, (shared + context.white(rng.INDEPENDENT, t)) / 2**0.5)

    return by_frame(noise)


PRIORS.add("halves", order=200)(Prior(INFO, start))
'''

DEFORMATION = '''
"""Deformation `sinking`: the picture slides down."""

from gpu.parameters import ParameterInfo
from gpu.source.deformations import DEFORMATIONS, Deformation
from gpu.source.deformations.kit.affine import affine

DEFORMATIONS.add("sinking", order=200)(
    Deformation(
        "Sinking",
        "Slides the picture down at a constant speed.",
        (ParameterInfo("speed", "Speed", 1.0, 0, 8, 0.1, "px/frame", "Pixels per frame"),),
        lambda grid, values: affine(grid, lambda t: ((1, 0, 0, 1), (0, values["speed"] * t))),
    )
)
'''

LESSON = '''
"""Lesson 10: a wave that one pushes along."""

import numpy as np

from app.lessons.compute.lesson import Lesson, Running, Step, number
from app.lessons.compute.scene import Curve, Panel, Scene
from app.lessons.models import LESSONS

TEXT = """# 10. Waves

What a phase does.

## Push it

Move the slider.

## Mathematics

$\\\\sin(x + 2\\\\pi) = \\\\sin x$.
"""


def push(settings):
    x = np.linspace(0, 10, 200)
    curve = Curve(x, np.sin(x + number(settings, "phase")), "accent")
    panel = Panel("wave", "A wave", (curve,), "x", "height", (0, 10), (-1.1, 1.1))
    yield Scene(((panel,),), caption="The same wave, a little further.")


LESSONS.add("waves", order=10)(
    Lesson((Running("phase", "Phase", 0, 0, 6.3, 0.1),), (Step("Push it", push, ("phase",), "phase", draws=False),))
)
'''

FORMAT = '''
"""Noise as .f32: numbers alone, their shape in the .json file beside it."""

import json
from contextlib import contextmanager

import numpy as np

from app.export import FORMATS
from app.export.kit.noise_format import NoiseFile, Sink, into, mapped, noise_format
from app.export.kit.noise_reading import reading, stored


@contextmanager
def create(path, axes, shape, meta):
    header = json.dumps([axes, list(shape)]).ljust(128).encode()
    array = mapped(path, header, shape)
    yield Sink(into(array, axes), lambda undefined, backward: array.flush())


def read(path, axes):
    with reading(path, ".f32"):
        named, shape = json.loads(path.read_bytes()[:128])
        array = np.fromfile(path, "<f4", offset=128).reshape(shape)
    return stored(path, array, named, axes)


FORMATS.add("f32", order=200)(noise_format(NoiseFile("Bare numbers", ".f32", "float32 after a line.", create, read)))
'''

FILES = {
    "gpu/priors/halves.py": PRIOR,
    "gpu/source/deformations/sinking.py": DEFORMATION,
    "app/lessons/models/waves.py": LESSON,
    "app/export/f32.py": FORMAT,
}

MENUS = """
from app.export import FORMATS
from app.look import theme
from app.model.catalogue import collect
from app.views.compare.grid import CompareView
from app.views.export.dialog import ExportDialog
from app.views.source.panel import SourcePanel
from app.window import lessons_menu
from app.window.start import application
from gpu.engine.results import SourceInfo
from gpu.session import PriorSettings, Session
from PySide6.QtWidgets import QComboBox, QMainWindow

app = application()
catalogue = collect()

compare = CompareView()
compare.set_catalogue(catalogue)
compare.add.menu().aboutToShow.emit()
print("prior", [action.text() for action in compare.add.menu().actions()])

panel = SourcePanel()
panel.set_catalogue(catalogue)
texts = [box.itemText(row) for box in panel.findChildren(QComboBox) for row in range(box.count())]
print("deformation", texts)

main = QMainWindow()
print("lesson", [action.text() for action in lessons_menu.build(main).actions()])

info = SourceInfo("noise", 8, 8, 3, 12.0, (), "true motion", True, "torch cpu", "cpu")
dialog = ExportDialog(None, Session(priors=(PriorSettings("halves"),)), info)
print("format", [dialog.form.itemText(row) for row in range(dialog.form.count())])
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugins")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    return folder


def run(plugins: Path, *words: str, folder: Path = ROOT, code: int = 0) -> str:
    """What `python WORDS` prints, with the plugins."""
    environment = {
        **os.environ,
        "NOISESCOPE_PLUGINS": str(plugins),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_the_command_line_takes_them(plugins: Path, tmp_path: Path) -> None:
    words = ("--synthetic", "sinking:speed=2", "--size", "24x32", "--frames", "3", "--backend", "torch")
    out = tmp_path / "noise.f32"
    run(plugins, "-m", "app", "warp", *words, "--prior", "halves", "--out", str(out), "--axes", "CTHW")
    said = run(plugins, "-m", "app", "stats", str(out))
    assert "3 frames × 4 channels × 24 × 32, axes CTHW" in said
    helped = run(plugins, "-m", "app", "warp", "--help")
    for name in ("halves", "sinking: speed", ".f32"):
        assert name in helped


def test_a_lesson_is_drawn(plugins: Path, tmp_path: Path) -> None:
    out = tmp_path / "lesson.png"
    run(plugins, "-m", "app", "--lesson", "waves", "--screenshot", str(out))
    assert out.stat().st_size > 10_000


def test_the_menus_offer_them(plugins: Path) -> None:
    said = dict(line.split(" ", 1) for line in run(plugins, "-c", MENUS).splitlines() if " [" in line)
    assert "'halves'" in said["prior"]
    assert "'Sinking'" in said["deformation"]
    assert "10. Waves" in said["lesson"]
    assert "Bare numbers (.f32)" in said["format"]


def test_the_tables_have_them(plugins: Path, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text((ROOT / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    run(plugins, "-m", "app.commands.kit.tables", str(page), "--check", code=1)
    run(plugins, "-m", "app.commands.kit.tables", str(page))
    text = page.read_text(encoding="utf-8")
    for row in ("| `halves` | Half", "| `sinking` | Slides", "| 10. Waves | What", "| `f32` | `.f32` | noise |"):
        assert row in text


def test_the_tests_of_every_entry_go_over_them(plugins: Path) -> None:
    """Collected by name, and what is said of every prior, deformation and format holds of them."""
    every = ("tests/gpu/priors/test_every_prior.py", "tests/gpu/source/test_deformations.py", "tests/app/export")
    quiet = ("-q", "-p", "no:cacheprovider")
    listed = run(plugins, "-m", "pytest", *quiet, "--all", "--collect-only", *every)
    for path, name in zip(every, ("halves", "sinking", "f32"), strict=True):
        assert any(line.startswith(path) and name in line.partition("[")[2] for line in listed.splitlines()), name
    run(plugins, "-m", "pytest", *quiet, "--all", *every, "-k", "halves or sinking or f32")


def test_a_file_that_cannot_be_imported_costs_only_itself(tmp_path: Path) -> None:
    bad = tmp_path / "gpu" / "priors" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text("this is no Python", encoding="utf-8")
    said = run(tmp_path, "-c", "from gpu.priors import PRIORS; print('integral' in PRIORS, 'bad' in PRIORS)")
    assert "True False" in said
    assert "bad.py" in said
    assert "SyntaxError" in said
    assert "Traceback" not in said
