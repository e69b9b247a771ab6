"""The examples in the docstrings of gpu/, and README's of the library, print what they say."""

from __future__ import annotations

import doctest
import importlib
import re
import shutil
from pathlib import Path

import pytest

from gpu.assets import asset

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(file for file in (ROOT / "gpu").rglob("*.py") if re.search(r"^\s*>>> ", file.read_text("utf-8"), re.M))
MODULES = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in FILES]
LIBRARY = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)


def examples(module: str) -> list[doctest.DocTest]:
    """The docstrings of a module that hold examples."""
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(module)) if test.examples]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_print_what_they_say(module: str) -> None:
    documented = examples(module)
    written = (ROOT / "gpu").joinpath(*module.split(".")[1:])
    source = (written / "__init__.py" if written.is_dir() else written.with_suffix(".py")).read_text("utf-8")
    assert sum(len(test.examples) for test in documented) == len(re.findall(r"^\s*>>> ", source, re.M)), (
        "one is not run"
    )
    printed: list[str] = []
    runner = doctest.DocTestRunner()
    for test in documented:
        runner.run(test, out=printed.append)
    assert runner.failures == 0, "".join(printed)
    assert runner.tries > 0


@pytest.mark.parametrize(
    "name",
    [
        "gpu.engine.engine.Engine",
        "gpu.session.Session",
        "gpu.source.opening.open_source",
        "gpu.source.Source",
        "gpu.source.Truth",
        "gpu.source.motion.SourceMotion",
        "gpu.source.deformations.Deformation",
        "gpu.flow.maps.pixel_centres",
        "gpu.flow.estimators.Estimator",
        "gpu.flow.stored.read_flow",
        "gpu.metrics.whiteness.measure",
        "gpu.metrics.coherence.correlation",
        "gpu.metrics.quality.warp_error",
        "gpu.metrics.quality.psnr",
        "gpu.priors.PriorInfo",
        "gpu.noise.rng.white",
        "gpu.diffusion.sampling.samplers.euler",
        "gpu.diffusion.sampling.resize_noise.resize_noise",
    ],
)
def test_what_one_meets_first_has_an_example(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert ">>> " in vars(importlib.import_module(module))[attribute].__doc__


@pytest.mark.slow
@pytest.mark.parametrize("block", LIBRARY, ids=range(len(LIBRARY)))
def test_the_library_examples_of_the_readme_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(asset("clips/bunny.mp4"), tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


def test_there_are_examples() -> None:
    assert len(MODULES) >= 15
    assert LIBRARY
