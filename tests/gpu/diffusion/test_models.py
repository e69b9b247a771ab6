"""Model files: what is written can be read; anything else is refused with a sentence."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from gpu.diffusion.model.network import NetworkConfig, UNet
from gpu.diffusion.model.weight_files import load_model, read_model, save_model, weights_path
from gpu.errors import ModelError

CPU = torch.device("cpu")
TINY = NetworkConfig(channels=(8, 8), blocks=(1, 1), embedding=8)


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    network = UNet(TINY)
    path = tmp_path / "weights.safetensors"
    save_model(path, network, {"gain": 6.25}, network.state_dict())
    return path, network


@pytest.mark.slow
def test_a_saved_model_is_read_back(saved):
    path, network = saved
    model = read_model(path, CPU)
    assert model.settings == {"gain": 6.25}
    assert model.network.config == TINY
    x = torch.randn((1, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(model.network(x, x, torch.zeros(1)), network(x, x, torch.zeros(1)))


def test_a_cut_file_is_damaged(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        read_model(path, CPU)


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\xff" * 64])
def test_rubbish_is_refused(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        read_model(path, CPU)


def test_other_safetensors_are_of_another_kind(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(3)}, str(path))
    with pytest.raises(ModelError, match="another kind"):
        read_model(path, CPU)


def test_weights_that_do_not_fit_their_network_are_refused(tmp_path):
    network = UNet(TINY)
    weights = dict(network.state_dict())
    weights["input.weight"] = weights["input.weight"][:, :4]
    save_model(tmp_path / "m.safetensors", network, {}, weights)
    with pytest.raises(ModelError, match="do not fit"):
        read_model(tmp_path / "m.safetensors", CPU)


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    network = UNet(TINY)
    weights = {key: torch.full_like(value, torch.nan) for key, value in network.state_dict().items()}
    save_model(tmp_path / "m.safetensors", network, {}, weights)
    with pytest.raises(ModelError, match="finite"):
        read_model(tmp_path / "m.safetensors", CPU)


def test_missing_models_are_named(tmp_path):
    with pytest.raises(ModelError, match="no-such-model"):
        load_model("no-such-model", CPU)
    with pytest.raises(ModelError, match="no file"):
        read_model(tmp_path / "nothing.safetensors", CPU)


def test_the_bundled_model_is_small_and_read_once():
    assert weights_path("super-resolution-x4").stat().st_size <= 4_000_000
    assert load_model("super-resolution-x4", CPU) is load_model("super-resolution-x4", CPU)
