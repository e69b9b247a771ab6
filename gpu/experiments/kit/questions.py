"""What a reader of the paper's summary would check: each question, and the experiments whose claims answer it by a number.

A claim says which question it answers (`Claim.answers`, a key of QUESTIONS); the page of `experiment all` collects them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A check that the summary of Chang et al. 2024 asks for, where it stands there, and the experiments that make it.

    Claims of the experiments in `whole` answer it where they do not say another question themselves.
    """

    text: str
    place: str
    experiments: tuple[str, ...]
    whole: tuple[str, ...] = ()


QUESTIONS: dict[str, Question] = {
    "toy": Question(
        "The one-dimensional example: does interpolation lose variance, and does ∫-noise keep it?",
        "First experiments, 1",
        ("toy1d",),
    ),
    "visual": Question(
        "Noise warped by a known smooth deformation: does bilinear interpolation blur it, and does ∫-noise not?",
        "First experiments, 2",
        ("warp-visual", "whiteness"),
    ),
    "ablation": Question(
        "A clip with known motion: are outputs of ∫-noise more coherent than those of random and of fixed noise?",
        "First experiments, 3",
        ("table1",),
        ("table1",),
    ),
    "variance": Question(
        "Variance over α: is it 1 at every interpolated place?",
        "Next checks, 1",
        ("toy1d", "variance", "covariance"),
    ),
    "warp-error": Question(
        "By what factor does ∫-noise lower the warp error against random and fixed noise (reported: about 4)?",
        "Next checks, 2",
        ("table1",),
    ),
    "disocclusion": Question(
        "Objects that enter and leave: how many pixels are undefined, and does the two-stage handler beat random fill?",
        "Next checks, 3",
        ("disocclusion",),
    ),
    "whiteness": Question(
        "Does warped noise stay white: independent values of the standard normal distribution?",
        "Mechanisms 1 and 2",
        ("covariance", "whiteness", "warp-visual"),
        ("whiteness",),
    ),
    "coherence": Question(
        "Is the noise of every frame correlated with the first along the motion, and does it stay so?",
        "Mechanism 3",
        ("long", "coherence"),
        ("long", "coherence"),
    ),
    "k": Question(
        "What do k and s cost, and what do they bring: is k = 3 a good choice?",
        "Design tradeoffs",
        ("k-ablation",),
        ("k-ablation",),
    ),
    "cost": Question(
        "What does ∫-noise cost beside other priors?",
        "Limitations",
        ("runtime",),
        ("runtime",),
    ),
    "latents": Question(
        "Does ∫-noise gain less in latent diffusion models?",
        "Limitations",
        ("latent",),
        ("latent",),
    ),
    "flow": Question(
        "What do errors of the optical flow cost?",
        "Failure signatures",
        ("flow-error", "k-ablation"),
        ("flow-error",),
    ),
}
"""By key, in the order of the page."""

UNANSWERED = (
    "Improved Precision and FID are not measured: they need an Inception network whose weights are not bundled. Sharpness and "
    "PSNR stand in every table of outputs instead."
)
"""What the summary reports and no experiment here answers."""
