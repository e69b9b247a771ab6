"""Train the model of a recipe: `python -m gpu.diffusion.training.train super-resolution-x4 --photos FOLDER`.

Every step is a pure function of (seed, step, weights), so a run that was stopped goes on where it stood and ends
where it would have ended. Recipes that learn from photos need them fetched with `python -m gpu.diffusion.data.photos FOLDER`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from gpu.cv import cv2
from gpu.diffusion.data.examples import Examples
from gpu.diffusion.model.autoencoder import Autoencoder, autoencoder_loss
from gpu.diffusion.model.network import UNet
from gpu.diffusion.model.precondition import precondition, training_loss
from gpu.diffusion.model.weight_files import build_network, read_weights, save_model
from gpu.diffusion.sampling.samplers import dpmpp_2m, karras_sigmas
from gpu.diffusion.tasks import RECIPES, Recipe
from gpu.files import replacing

LOG_EVERY = 50
WARM_UP = 200  # steps over which the learning rate rises
COOL_DOWN = 0.3  # share of all steps over which it falls to nothing: a run may be lengthened until then
EMA = 0.999

Network = UNet | Autoencoder


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Rise, plateau, linear fall: the plateau lets the length of a run be decided late."""
    rise = min(1.0, (step + 1) / WARM_UP)
    fall = min(1.0, (steps - step) / (COOL_DOWN * steps))
    return peak * min(rise, max(fall, 0.0))


def noise_levels(recipe: Recipe, count: int, generator: torch.Generator) -> torch.Tensor:
    """(count,) log-normal σ, one from each of `count` slices of equal probability: less variance of the gradient."""
    order = torch.randperm(count, generator=generator)
    quantile = (order + torch.rand(count, generator=generator)) / count
    normal: torch.Tensor = torch.special.ndtri(quantile.clamp(1e-4, 1 - 1e-4))
    return (recipe.log_sigma_mean + recipe.log_sigma_std * normal).exp()


def batch_loss(
    recipe: Recipe, network: Network, examples: Examples, count: int, seed: tuple[int, ...], device: torch.device
) -> torch.Tensor:
    """Loss per example, on examples, noise and levels that depend on `seed` alone."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    target, condition = examples.batch(rng, count)
    if isinstance(network, Autoencoder):
        return autoencoder_loss(network, target.to(device), generator)
    sigma = noise_levels(recipe, count, generator)
    noise = torch.randn(target.shape, generator=generator)
    target, sigma, noise = (t.to(device) for t in (target, sigma, noise))
    condition = None if condition is None else condition.to(device)

    def conditioned(x: torch.Tensor, c_noise: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = network(x, condition, c_noise)
        return result

    return training_loss(conditioned, target, noise, sigma, recipe.settings["sigma_data"])


@torch.no_grad()
def validate(recipe: Recipe, network: Network, examples: Examples, device: torch.device) -> float:
    """Mean loss on 128 fixed examples that are not trained on."""
    losses = [batch_loss(recipe, network, examples, 16, (2, part), device).mean() for part in range(8)]
    return float(torch.stack(losses).mean())


@torch.no_grad()
def sheet(recipe: Recipe, network: Network, examples: Examples, device: torch.device, columns: int = 6) -> np.ndarray:
    """(rows, columns, 3) uint8 RGB: condition, sample of the network (10 steps of DPM-Solver++ 2M) and target, below each
    other, of fixed examples that are not trained on; without condition two samples above the target. Of an autoencoder:
    latents, round trip and picture."""
    target, condition = examples.batch(np.random.default_rng(5), columns)
    target = target.to(device)
    condition = None if condition is None else condition.to(device)
    if isinstance(network, Autoencoder):
        return _tiled([_latent_picture(network, target), network(target), target])
    denoise = precondition(lambda x, c: network(x, condition, c), recipe.settings["sigma_data"])
    sigmas = karras_sigmas(10, 0.02, 10.0)

    def sampled(seed: int) -> torch.Tensor:
        noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(seed)).to(device)
        *_, (x, _) = dpmpp_2m(sigmas[0] * noise, sigmas, denoise, lambda index: noise, 0.0)
        return x

    first = sampled(2) if condition is None else torch.zeros_like(target)
    return _tiled([recipe.picture(row, condition) for row in (first, sampled(1), target)])


def _latent_picture(network: Autoencoder, target: torch.Tensor) -> torch.Tensor:
    """The first three latent channels as colours, at the size of the pictures (B,3,H,W)."""
    latent = network.encode(target)[:, :3]
    return F.interpolate(0.5 + 0.5 * latent, size=target.shape[-2:], mode="nearest")


def _tiled(rows: list[torch.Tensor]) -> np.ndarray:
    """Rows of pictures (B,3,h,w) in [0,1] to one picture, uint8 (len(rows)·h, B·w, 3)."""
    grid = torch.cat([torch.cat(list(row), dim=-1) for row in rows], dim=-2).clamp(0, 1)
    picture: np.ndarray = (grid * 255).round().to("cpu", torch.uint8).permute(1, 2, 0).numpy()
    return picture


def train(
    name: str, photos: Path | None, work: Path, steps: int, batch: int, peak: float, seed: int, init: Path | None
) -> None:
    """Train recipe `name`, keeping checkpoint, log, sample sheet and averaged weights (weights.safetensors) in `work`.

    `init` is a file of weights to start from: those of its tensors that fit are taken. Copy weights and log to
    assets/models/NAME when they are good.
    """
    recipe = RECIPES.get(name)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)  # for the initial weights
    network = build_network(recipe.network).to(device)
    if init is not None:
        mine, theirs = network.state_dict(), read_weights(init)[0]
        fitting = {key: value for key, value in theirs.items() if key in mine and mine[key].shape == value.shape}
        network.load_state_dict(mine | fitting)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch documents it
    average = {key: value.detach().clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.Adam(network.parameters(), lr=peak, betas=(0.9, 0.99))
    start = 0
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        saved: dict[str, Any] = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        average, start = saved["average"], int(saved["step"])
    log_path = work / "log.jsonl"
    kept = [line for line in log_path.read_text().splitlines() if json.loads(line)["step"] <= start] if start else []
    log_path.write_text("".join(line + "\n" for line in kept))  # what came after the checkpoint is done again

    training, validation = recipe.examples(photos, "train"), recipe.examples(photos, "validate")
    averaged = build_network(recipe.network).to(device).eval()

    def keep(step: int, log: dict[str, float]) -> None:
        averaged.load_state_dict(average)
        log["validation_loss"] = validate(recipe, averaged, validation, device)
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "step": step}
        with replacing(checkpoint) as partial:
            torch.save(state, partial)
        save_model(
            work / "weights.safetensors", network, recipe.settings | recipe.measured(averaged, validation), average
        )
        cv2.imwrite(str(work / "samples.png"), sheet(recipe, averaged, validation, device)[..., ::-1])

    recent: list[float] = []
    began = time.monotonic()
    with log_path.open("a", encoding="utf-8", errors="backslashreplace") as log_file:
        for step in tqdm(range(start, steps), initial=start, total=steps, desc=name, mininterval=5):
            optimiser.param_groups[0]["lr"] = learning_rate(step, steps, peak)
            loss = batch_loss(recipe, network, training, batch, (1, seed, step), device).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            decay = min(EMA, (step + 1) / (step + 10))
            with torch.no_grad():
                for key, value in network.state_dict().items():
                    average[key].lerp_(value, 1 - decay)
            recent.append(float(loss.detach()))
            if not math.isfinite(recent[-1]):
                raise FloatingPointError(f"training diverged at step {step}")
            done = step + 1
            if done % LOG_EVERY == 0 or done == steps:
                seconds = time.monotonic() - began
                log: dict[str, float] = {"step": done, "loss": round(float(np.mean(recent)), 5)}
                log |= {"images": done * batch, "images_per_s": round((done - start) * batch / seconds, 1)}
                recent.clear()
                if done % (10 * LOG_EVERY) == 0 or done == steps:
                    keep(done, log)
                log_file.write(json.dumps(log) + "\n")
                log_file.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", choices=RECIPES.names())
    parser.add_argument(
        "--photos", type=Path, help="folder filled by gpu.diffusion.data.photos, where the recipe needs it"
    )
    parser.add_argument("--init", type=Path, help="weights to start from")
    parser.add_argument("--work", type=Path, help="folder of checkpoint and log (default: ./training-RECIPE)")
    parser.add_argument("--steps", type=int, default=9500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=8e-4, help="largest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    work = given.work or Path(f"training-{given.recipe}")
    train(given.recipe, given.photos, work, given.steps, given.batch, given.rate, given.seed, given.init)


if __name__ == "__main__":
    main()
