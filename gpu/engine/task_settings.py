"""What a session's task asks for: the task, its sampler's options, and how many channels of noise they need."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from gpu.diffusion.sampling.denoise import SamplerOptions
from gpu.diffusion.tasks import TASKS, Task
from gpu.parameters import resolve
from gpu.session import Session

INVERTED_WITHOUT_TASK = "unconditional-texture"
"""The task whose model inverts frames to noise when a session has none of its own."""


def task_of(session: Session) -> Task | None:
    """The session's task; ChoiceError when there is none of that name."""
    return TASKS.get(session.task.name) if session.task.name else None


def options_of(session: Session) -> SamplerOptions:
    """The sampler's options: what the session says, else the task's own defaults. SessionError for a parameter that the
    task does not have or cannot take."""
    task, wanted = task_of(session), session.task
    default = SamplerOptions() if task is None else task.defaults
    return SamplerOptions(
        sampler=wanted.sampler or default.sampler,
        steps=wanted.steps or default.steps,
        sigma_max=wanted.sigma_max or default.sigma_max,
        sigma_min=wanted.sigma_min or default.sigma_min,
        churn=wanted.churn,
        parameters={} if task is None else resolve("task", task.name, task.parameters, wanted.parameters),
    )


def channels_of(session: Session, task: Task | None, options: SamplerOptions) -> int:
    """Channels a prior makes: those asked for, and enough for the initial and every injected noise of the sampler."""
    if task is None:
        return session.noise.channels
    return max(session.noise.channels, task.noise_channels * (1 + task.injections(options)))


def invert(
    task: Task | None, options: SamplerOptions, frame: torch.Tensor, device: torch.device
) -> Iterator[torch.Tensor]:
    """The frame (3,H,W) inverted to noise by the task's model, or by the texture model where there is no task."""
    if task is None:
        task = TASKS.get(INVERTED_WITHOUT_TASK)
        options = task.defaults
    return task.invert(frame, options, device)
