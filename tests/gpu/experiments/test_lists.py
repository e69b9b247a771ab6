"""Lists that an experiment is given: what is wrong in one is said before anything is computed."""

from __future__ import annotations

import pytest

from gpu.errors import NoisescopeError
from gpu.experiments import EXPERIMENTS, settings_for
from tests.gpu.experiments.running import finished

WRONG = [
    ("toy1d", {"histograms": ""}, "histograms is empty"),
    ("toy1d", {"histograms": "nan"}, "holds nan"),
    ("variance", {"deformations": ""}, "deformations is empty"),
    ("variance", {"deformations": "rotation,dance"}, "no deformation named 'dance'"),
    ("warp-visual", {"priors": "dance"}, "no prior named 'dance'"),
    ("disocclusion", {"task": "dance"}, "no task named 'dance'"),
    ("disocclusion", {"task": ""}, "no task named ''"),
    ("disocclusion", {"pairs": 20, "frames": 8}, "7 consecutive pairs"),
    ("k-ablation", {"s": ""}, "s is empty"),
    ("k-ablation", {"s": "0,1"}, "holds 0"),
    ("k-ablation", {"s": "nan"}, "holds nan"),
    ("k-ablation", {"flows": ","}, "flows is empty"),
    ("whiteness", {"flows": ""}, "flows is empty"),
    ("long", {"flows": ""}, "flows is empty"),
    ("runtime", {"sizes": "nan"}, "holds nan"),
    ("runtime", {"priors": "dance"}, "no prior named 'dance'"),
    ("table1", {"priors": "random,dance"}, "no prior named 'dance'"),
    ("table1", {"tasks": "super-resolution,dance"}, "no task named 'dance'"),
    ("table1", {"tasks": "hub", "priors": "random", "size": 32}, "Nothing can be measured"),
    ("coherence", {"tasks": "dance"}, "no task named 'dance'"),
    ("flow-error", {"smooth": "-1"}, "holds -1"),
    ("flow-error", {"bias": "inf"}, "holds inf"),
    ("flow-error", {"task": "dance"}, "no task named 'dance'"),
    ("steps", {"steps": "0"}, "holds 0"),
    ("steps", {"tasks": ""}, "tasks is empty"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "given", "says"), WRONG)
def test_what_is_wrong_in_a_list_is_said_first(name: str, given: dict[str, float | str], says: str) -> None:
    with pytest.raises(NoisescopeError, match=says):
        finished(EXPERIMENTS.get(name).run(settings_for(name, given)))


def test_the_parts_of_a_list_count_once() -> None:
    settings = settings_for("table1", {"priors": "random, fixed,,random"})
    assert settings.names("priors") == ["random", "fixed"]
