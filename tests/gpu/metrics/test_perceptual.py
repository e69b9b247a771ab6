"""LPIPS, FID, Improved Precision: networks against references, formulas against their definitions, only real weights."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from gpu.errors import ModelError, SizeError
from gpu.metrics.perceptual import alexnet, fid, inception, lpips, precision, vgg, weights

CPU = torch.device("cpu")


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_alexnet(seed: int = 0) -> dict[str, torch.Tensor]:
    """Tensors of AlexNet's convolutions, in its shapes."""
    generator = draws(seed)
    shapes = ((0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3))
    state = {}
    for index, out, into, side in shapes:
        state[f"features.{index}.weight"] = torch.randn(out, into, side, side, generator=generator) / (
            math.sqrt(into / 2) * side
        )
        state[f"features.{index}.bias"] = 0.1 * torch.randn(out, generator=generator)
    return state


def random_heads(seed: int = 1) -> dict[str, torch.Tensor]:
    generator = draws(seed)
    return {
        f"lin{number}.model.1.weight": torch.rand(1, channels, 1, 1, generator=generator)
        for number, channels in enumerate((64, 192, 384, 256, 256))
    }


@pytest.fixture
def accepted() -> Iterator[None]:
    """Files of random weights pass for the published ones: their digests are not looked at."""
    known = [(one, one.digest) for one in (weights.ALEXNET, weights.LPIPS_HEADS, weights.VGG16, weights.INCEPTION)]
    for one, _ in known:
        object.__setattr__(one, "digest", "")
    yield
    for one, digest in known:
        object.__setattr__(one, "digest", digest)
    weights._load.cache_clear()


def test_alexnet_is_its_layers_one_after_the_other() -> None:
    state = random_alexnet()
    modules = nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip
    modules.load_state_dict({key.removeprefix("features."): value for key, value in state.items()})
    x = torch.randn(2, 3, 70, 91, generator=draws(2))
    with torch.no_grad():
        maps = alexnet.features(state, x)
        for number, end in enumerate((2, 5, 8, 10, 12)):
            assert torch.allclose(maps[number], modules[:end](x), atol=1e-5)


def test_vgg_is_its_layers_one_after_the_other() -> None:
    generator = draws(3)
    layers: list[nn.Module] = []
    into = 3
    for block, wide in zip(vgg.BLOCKS, (4, 5, 6, 7, 8)):  # thin: the structure is what is tested
        for _ in block:
            layers += [nn.Conv2d(into, wide, 3, padding=1), nn.ReLU()]
            into = wide
        layers.append(nn.MaxPool2d(2))
    network = nn.ModuleDict(
        {
            "features": nn.Sequential(*layers),
            "classifier": nn.Sequential(
                nn.Linear(8 * 49, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 2)
            ),
        }
    ).eval()
    state = {key: torch.randn(value.shape, generator=generator) * 0.4 for key, value in network.state_dict().items()}
    network.load_state_dict(state)
    pictures = torch.rand(2, 3, 224, 224, generator=generator)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (vgg.MEAN, vgg.STD))
    with torch.no_grad():
        wanted = network["classifier"][:5](network["features"]((pictures - mean) / std).flatten(1))
        assert torch.allclose(vgg.features(state, pictures), wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))
        assert vgg.features(state, pictures[:, :, :9, :5]).shape == (2, 12)  # any size is taken


def random_inception(generator: torch.Generator, thin: int = 1) -> dict[str, torch.Tensor]:
    """Tensors of the network, with one of `thin` channels."""
    state = {}
    for line in (Path(__file__).parent / "inception_shapes.tsv").read_text().splitlines()[1:]:
        name, out, into, *sides = line.split("\t")
        wide, before = int(out) // thin, 3 if into == "3" else int(into) // thin
        weight = torch.randn([wide, before, *(int(side) for side in sides)], generator=generator)
        state[f"{name}.conv.weight"] = weight * math.sqrt(2 / weight[0].numel())
        state[f"{name}.bn.weight"] = 1 + 0.1 * torch.randn(wide, generator=generator)
        state[f"{name}.bn.bias"] = 0.1 * torch.randn(wide, generator=generator)
        state[f"{name}.bn.running_mean"] = 0.1 * torch.randn(wide, generator=generator)
        state[f"{name}.bn.running_var"] = 0.75 + 0.1 * torch.randn(wide, generator=generator).tanh()
    return state


@pytest.mark.slow
def test_inception_gives_what_pytorch_fid_gives() -> None:
    """Golden numbers: of pytorch-fid 0.3.0 on torchvision 0.28's modules, with these tensors and pictures."""
    generator = draws(11)
    state = random_inception(generator)
    pictures = torch.rand(2, 3, 60, 80, generator=generator)
    with torch.no_grad():
        found = inception.features(state, pictures)
    golden = torch.tensor([[21.7239, 0.7915, 22.6189, 65.7673, 0.0], [20.0477, 0.3127, 23.3643, 65.0829, 0.0]])
    assert found.shape == (2, 2048)
    assert torch.allclose(found[:, [0, 500, 1000, 1500, 2047]], golden, rtol=1e-3, atol=1e-3)
    assert float(found.mean()) == pytest.approx(36.9747, rel=1e-4)
    assert float(found.std()) == pytest.approx(46.4966, rel=1e-4)


def test_a_thin_inception_gives_what_it_gave_when_the_whole_one_was_right() -> None:
    """The same structure with a sixteenth of the channels, in a fiftieth of the time: numbers of this program at a commit at
    which the test above held."""
    generator = draws(12)
    state = random_inception(generator, thin=16)
    pictures = torch.rand(2, 3, 60, 80, generator=generator)
    with torch.no_grad():
        found = inception.features(state, pictures)
    assert found.shape == (2, 128)
    golden = torch.tensor([
        [5.72106, 10.56732, 8.17266, 1.39399, 10.64126, 2.89017, 3.64452, 5.43271],
        [5.13475, 9.85047, 7.37880, 1.22508, 10.28966, 2.62371, 2.74639, 4.56848],
    ])  # fmt: skip
    assert torch.allclose(found[:, ::16], golden, rtol=1e-3, atol=1e-3)
    assert float(found.mean()) == pytest.approx(4.790731, rel=1e-4)
    assert float(found.std()) == pytest.approx(5.561898, rel=1e-4)


def test_lpips_is_the_weighted_distance_of_unit_features(tmp_path: Path, accepted: None) -> None:
    network, heads = random_alexnet(), random_heads()
    torch.save(network, tmp_path / weights.ALEXNET.name)
    (tmp_path / "heads").mkdir()
    torch.save(heads, tmp_path / "heads" / weights.LPIPS_HEADS.name)  # one folder below is searched too
    distance = lpips.measure(tmp_path, CPU)
    first, second = torch.rand(2, 3, 64, 80, generator=draws(4))
    assert distance(first, first) == 0
    assert distance(first, second) == pytest.approx(distance(second, first), rel=1e-5)

    wanted = 0.0
    shift, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (lpips.SHIFT, lpips.SCALE))
    for number, (a, b) in enumerate(
        zip(*(alexnet.features(network, (2 * one[None] - 1 - shift) / scale) for one in (first, second)))
    ):
        squared = (
            a / a.norm(dim=1, keepdim=True).clamp_min(1e-9) - b / b.norm(dim=1, keepdim=True).clamp_min(1e-9)
        ) ** 2
        wanted += float(nn.functional.conv2d(squared, heads[f"lin{number}.model.1.weight"]).mean())
    assert distance(first, second) == pytest.approx(wanted, rel=1e-4)
    with pytest.raises(SizeError, match="at least 63"):
        distance(first[:, :40], second[:, :40])


@pytest.mark.parametrize(("n", "m"), [(40, 60), (60, 40), (5, 6)])
def test_frechet_equals_the_root_of_the_matrix_product(n: int, m: int) -> None:
    rng = np.random.default_rng(5)
    a = rng.standard_normal((n, 8)) @ rng.standard_normal((8, 8))
    b = rng.standard_normal((m, 8)) @ rng.standard_normal((8, 8)) + 0.5
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.asarray(scipy.linalg.sqrtm(ca @ cb + 1e-12 * np.eye(8))).real
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * root)
    assert fid.frechet(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(wanted, rel=1e-3)
    assert fid.frechet(torch.from_numpy(a), torch.from_numpy(a)) == pytest.approx(0, abs=1e-6)


def test_frechet_needs_two_pictures_and_one_length() -> None:
    assert math.isnan(fid.frechet(torch.ones(1, 4), torch.ones(5, 4)))
    with pytest.raises(SizeError):
        fid.frechet(torch.ones(3, 4), torch.ones(3, 5))


def test_precision_counts_what_lies_within_the_radius_of_a_real_one() -> None:
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0], [12.5]])
    made = torch.tensor([[1.5], [6.0], [-0.5], [100.0], [20.0]])
    wanted = 0
    for value in made[:, 0].tolist():  # brute force over Algorithm 1
        wanted += any(
            abs(value - centre) <= sorted(abs(centre - other) for other in real[:, 0].tolist())[2]
            for centre in real[:, 0].tolist()
        )
    assert precision.precision(made, real, neighbours=2) == pytest.approx(wanted / 5)
    assert 0 < wanted < 5
    assert math.isnan(precision.precision(made, real[:3]))  # no third neighbour


def test_another_file_under_the_name_is_refused(tmp_path: Path) -> None:
    torch.save(random_alexnet(), tmp_path / weights.ALEXNET.name)
    with pytest.raises(ModelError, match="not the published file"):
        weights.load(weights.ALEXNET, tmp_path, CPU)


def test_what_is_missing_or_damaged_is_said(tmp_path: Path, accepted: None) -> None:
    with pytest.raises(ModelError, match=r"pt_inception.*not found in"):
        weights.load(weights.INCEPTION, tmp_path, CPU)
    assert "vgg16" in weights.missing([weights.VGG16], tmp_path)
    (tmp_path / weights.VGG16.name).write_bytes(b"no weights")
    assert weights.missing([weights.VGG16], tmp_path) == ""
    with pytest.raises(ModelError, match="cannot be read"):
        weights.load(weights.VGG16, tmp_path, CPU)


def test_where_weights_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder that is named and those below it, in that of NOISESCOPE_WEIGHTS, in torch's cache, in the package lpips."""
    places = [tmp_path / name for name in ("named", "told", "hub/checkpoints", "lpips/weights/v0.1")]
    for place in places:
        place.mkdir(parents=True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    package = SimpleNamespace(submodule_search_locations=[str(tmp_path / "lpips")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: package if name == "lpips" else None)
    monkeypatch.setenv(weights.VARIABLE, str(places[1]))
    assert weights._places(places[0]) == places
    assert weights._places(None) == places[1:]
    monkeypatch.delenv(weights.VARIABLE)
    assert weights._places(None) == places[2:]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert weights._places(None) == places[2:3]

    assert weights.find(weights.VGG16, places[0]) is None
    for inner in ("b", "a"):
        (places[0] / inner).mkdir()
        (places[0] / inner / weights.VGG16.name).touch()
    assert weights.find(weights.VGG16, places[0]) == places[0] / "a" / weights.VGG16.name
    assert weights.missing([weights.VGG16], places[0]) == ""
    assert weights.missing([weights.VGG16, weights.LPIPS_HEADS]) == (
        f"needs {weights.VGG16.name} ({weights.VGG16.about}) and {weights.LPIPS_HEADS.name} ({weights.LPIPS_HEADS.about}), "
        "not found in torch's cache (name their folder with --weights)."
    )
