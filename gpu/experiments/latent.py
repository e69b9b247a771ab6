"""latent: the same super-resolution among pixels and among latents, what a prior gains in each, and where the rest is lost.

The question of Chang et al. 2024 (arXiv 2504.03072), Appendix E. Two parts: clips under a known motion, and still photos moved
by whole pixels, where noise among pixels moves without any loss, so that what is left is the fault of the networks' grids.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from gpu.assets import asset
from gpu.experiments import (
    EXPERIMENTS,
    Axis,
    Claim,
    Column,
    Experiment,
    Figure,
    Line,
    Outcome,
    Plot,
    Row,
    Settings,
    Steps,
    Table,
    Update,
)
from gpu.experiments.kit import sampling_runs
from gpu.experiments.kit.progress import within
from gpu.metrics import intervals
from gpu.parameters import ParameterInfo
from gpu.session import TaskSettings
from gpu.source.stills import read_picture

SPACES = {"pixels": "super-resolution", "latents": "super-resolution-latent"}
PRIORS = ("random", "fixed", "integral")
STILLS = ("picos", "bowl", "seeding")
SHIFTS = tuple(range(9))  # pixels: two latents, and once the period of the coarser level of the network
SIZE, EDGE = 128, 16  # frames of the shifts, and what is left out at their edges
CURVES = ("pixels", "latents", "round_trip", "noise_pixels", "noise_latents")


def photo(still: str) -> torch.Tensor:
    """(3,SIZE,SIZE+8) float32 in [0,1] of a bundled still at 288 rows."""
    from gpu.cv import cv2

    picture = read_picture(asset(f"stills/{still}.jpg"))
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width * 288 // height, 288), interpolation=cv2.INTER_AREA)
    part = small[100 : 100 + SIZE, 120 : 120 + SIZE + SHIFTS[-1]]
    return torch.from_numpy(part).permute(2, 0, 1).float() / 255


def difference(still: torch.Tensor, moved: torch.Tensor, shift: int) -> float:
    """Mean squared difference of (C,H,W) pictures of which the second looks `shift` pixels further to the right."""
    last = still.shape[-1] - EDGE - SHIFTS[-1]
    a = still[:, EDGE:-EDGE, EDGE + shift : last + shift]
    return float((a - moved[:, EDGE:-EDGE, EDGE:last]).square().mean())


def noise_correlation(still: torch.Tensor, moved: torch.Tensor, shift: float) -> float:
    """Pearson correlation of two noises (C,h,w) after the first is moved by the nearest whole number of its pixels."""
    whole = round(shift)
    a, b = still[..., whole:], moved[..., : moved.shape[-1] - whole]
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def shifts_of(still: str, seed: int) -> Generator[Update, None, list[dict[str, float]]]:
    """One row a shift: errors ×10⁻³ of both spaces and of the autoencoder's round trip, correlations of the noise, and, in the
    row of shift 0, the errors between outputs of independent noises. Nothing moves there but the noise is another."""
    from gpu.diffusion.model.latents import AUTOENCODER
    from gpu.diffusion.model.weight_files import load_autoencoder
    from gpu.diffusion.sampling.resize_noise import latent_noise
    from gpu.diffusion.tasks import TASKS

    device = torch.device("cpu")
    wide, draw = photo(still), torch.Generator().manual_seed(seed)
    noise = torch.randn((4, SIZE, SIZE + SHIFTS[-1]), generator=draw)
    other = torch.randn((4, SIZE, SIZE), generator=draw)
    autoencoder = load_autoencoder(AUTOENCODER, device).network

    def sampled(name: str, frame: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        task = TASKS.get(name)
        *_, last = task.sample(frame, lambda index: given[: task.noise_channels], task.defaults, device)
        return last.image

    first: dict[str, torch.Tensor] = {}
    rows: list[dict[str, float]] = []
    for shift in SHIFTS:
        yield Update(shift, len(SHIFTS), f"{still}, {shift} pixels")
        frame, moved = wide[..., shift : shift + SIZE], noise[..., shift : shift + SIZE]
        with torch.no_grad():
            shown = {"round_trip": autoencoder(frame[None])[0].clamp(0, 1)}
        shown |= {space: sampled(name, frame, moved) for space, name in SPACES.items()}
        first = first or shown
        row = {key: 1e3 * difference(first[key], picture, shift) for key, picture in shown.items()}
        row["noise_pixels"] = noise_correlation(noise[..., :SIZE], moved, shift)
        row["noise_latents"] = noise_correlation(latent_noise(noise[..., :SIZE]), latent_noise(moved), shift / 4)
        row |= {
            f"{space}_random": 1e3 * difference(first[space], sampled(name, frame, other), 0) if shift == 0 else 0.0
            for space, name in SPACES.items()
        }
        rows.append(row)
    return rows


def run(settings: Settings) -> Steps:
    """Both parts; ratios with intervals over clips and seeds, shares of the error over stills."""
    seeds, frames, size = settings.whole("seeds"), settings.whole("frames"), settings.whole("size")
    runs: dict[str, list[sampling_runs.Run]] = {space: [] for space in SPACES}
    jobs = [
        (space, task, clip, settings.seed + seed)
        for space, task in SPACES.items()
        for clip in sampling_runs.clips(task, size, size, frames, settings.whole("clips"))
        for seed in range(seeds)
    ]
    total = len(jobs) + len(STILLS)
    for number, (space, task, clip, seed) in enumerate(jobs):
        steps = sampling_runs.render(clip, TaskSettings(task), PRIORS, seed)
        runs[space].append((yield from within(steps, number, total)))
    moved = []
    for number, still in enumerate(STILLS, start=len(jobs)):
        moved.append((yield from within(shifts_of(still, settings.seed), number, total)))
    return _outcome(runs, moved)


def _outcome(runs: dict[str, list[sampling_runs.Run]], moved: list[list[dict[str, float]]]) -> Outcome:
    def of(space: str, prior: str, measure: str) -> list[float]:
        return [run.measures[prior][measure] for run in runs[space]]

    rows: list[Row] = []
    for space in SPACES:
        for prior in PRIORS:
            row: dict[str, float | int | str | bool | None] = {"space": space, "prior": prior}
            for name in sampling_runs.MEASURES:
                row |= sampling_runs.averaged(name, of(space, prior, name))
            rows.append({**row, "n": len(runs[space])})
    gain, gain_5 = (
        {space: intervals.ratio(of(space, "random", name), of(space, "integral", name)) for space in SPACES}
        for name in ("warp_error", "warp_error_5")
    )

    def mean(key: str, shift: int) -> float:
        return sum(measures[shift][key] for measures in moved) / len(moved)

    shift_rows: list[Row] = [{"shift": shift, **{key: mean(key, shift) for key in CURVES}} for shift in SHIFTS]
    reference = {space: mean(f"{space}_random", 0) for space in SPACES}
    inside = SHIFTS[1:]
    left = {s: sum(mean(s, k) for k in inside) / len(inside) / reference[s] for s in SPACES}
    trip = sum(mean("round_trip", k) for k in inside) / sum(mean("latents", k) for k in inside)
    curves = (
        *(
            Line(f"{space}, noise moved along", SHIFTS, [mean(space, k) / reference[space] for k in SHIFTS])
            for space in SPACES
        ),
        Line("encoded and decoded alone", SHIFTS, [mean("round_trip", k) / reference["latents"] for k in SHIFTS]),
    )
    noises = tuple(Line(f"noise of {space}", SHIFTS, [mean(f"noise_{space}", k) for k in SHIFTS]) for space in SPACES)
    pixels = Axis("picture and noise moved by", "pixels")
    figure = Figure(
        "shifts",
        "Moved by whole pixels",
        (
            Plot("Error over that of independent noise", pixels, Axis("error, relative", low=0), curves),
            Plot("Correlation after the nearest whole shift", pixels, Axis("correlation", low=0, high=1.05), noises),
        ),
        f"n = {len(moved)} stills, one seed.",
        "Noise of pixels moves without loss; a latent's moves so only at multiples of 4, and is cut anew between them.",
    )
    columns = (
        Column("space", "Space"), Column("prior", "Prior"), Column("warp_error", "warp error", "×10⁻³"),
        Column("warp_error_5", "gap of 5", "×10⁻³"), Column("sharpness", "sharpness"), Column("psnr", "PSNR", "dB"),
        Column("n", "runs"),
    )  # fmt: skip
    shift_columns = (
        Column("shift", "moved by", "pixels"), Column("pixels", "pixels", "×10⁻³", ".3f"),
        Column("latents", "latents", "×10⁻³", ".3f"), Column("round_trip", "encoded and decoded", "×10⁻³", ".3f"),
        Column("noise_pixels", "noise of pixels", form=".3f"), Column("noise_latents", "noise of latents", form=".3f"),
    )  # fmt: skip
    claims = (
        Claim("Latents gain less: random / integral among latents over that among pixels",
              gain["latents"].value / gain["pixels"].value, "< 1", gain["latents"].value < gain["pixels"].value,
              note="A ratio of two ratios; their own intervals are in the summary."),
        Claim("The same over 5 frames", gain_5["latents"].value / gain_5["pixels"].value, "< 1",
              gain_5["latents"].value < gain_5["pixels"].value),
        Claim("Moved by whole pixels, more of the error of independent noise is left among latents than among pixels",
              left["latents"] / left["pixels"], "> 1", left["latents"] > left["pixels"]),
    )  # fmt: skip
    ranges = {s: f"{g.value:.2f} [{g.low:.2f}, {g.high:.2f}]" for s, g in gain.items()}
    ranges_5 = {s: f"{g.value:.2f} [{g.low:.2f}, {g.high:.2f}]" for s, g in gain_5.items()}
    summary = (
        f"random / integral: {ranges['pixels']} among pixels, {ranges['latents']} among latents; over 5 frames "
        f"{ranges_5['pixels']} and {ranges_5['latents']}. Moved by 1 to "
        f"{SHIFTS[-1]} whole pixels with its noise, the output keeps {left['pixels']:.0%} of the error of independent noise "
        f"among pixels, {left['latents']:.0%} among latents; encoding and decoding the moved photo alone makes {trip:.0%} of "
        "the error among latents."
    )
    notes = ("The autoencoder blurs: compare sharpness before warp errors of the two spaces, or the ratios alone.",)
    return Outcome(
        summary,
        (
            Table("latent", "Pixels and latents", tuple(rows), columns, "Means over runs (clip × seed), 95 %."),
            Table("shifts", "Moved by whole pixels", tuple(shift_rows), shift_columns, "Means over stills."),
        ),
        (figure,),
        claims,
        notes,
        {"motion": "true motion"},
    )


EXPERIMENTS.add("latent", order=220)(
    Experiment(
        title="Why latents gain less",
        about="Super-resolution ×4 among pixels and among latents with the same noise: what moving it gains, and what is lost.",
        run=run,
        parameters=(
            ParameterInfo("size", "Size", 128, 32, 512, 8, "px", "Rows and columns of the frames."),
            ParameterInfo("frames", "Frames", 8, 7, 200, 1, "", "Frames of a clip; the gap of 5 needs more than 6."),
            ParameterInfo("seeds", "Seeds", 1, 1, 50, 1, "", "Seeds for each clip."),
            ParameterInfo("clips", "Clips", 3, 1, 3, 1, "", "Still photos under a deformation."),
        ),
        together={"size": 96},
        quick={"size": 64, "frames": 7, "clips": 2},
    )
)
