"""What a session's task asks for: the task, its sampler's options, and how many channels of noise they need."""

from __future__ import annotations

from gpu.diffusion.sampling.denoise import SamplerOptions
from gpu.diffusion.tasks import TASKS
from gpu.engine.sampling import TaskUse
from gpu.parameters import resolve
from gpu.session import Session


def task_use(session: Session) -> TaskUse | None:
    """The session's task, None where it has none, with the sampler's options: what the session says, else the task's own
    defaults. ChoiceError when there is no task of that name, SessionError for a parameter that it does not have or take."""
    wanted = session.task
    if not wanted.name:
        return None
    task = TASKS.get(wanted.name)
    options = SamplerOptions(
        sampler=wanted.sampler or task.defaults.sampler,
        steps=wanted.steps or task.defaults.steps,
        sigma_max=wanted.sigma_max or task.defaults.sigma_max,
        sigma_min=wanted.sigma_min or task.defaults.sigma_min,
        churn=wanted.churn,
        parameters=resolve("task", task.name, task.parameters, wanted.parameters),
    )
    return TaskUse(task, options)


def channels_of(session: Session, use: TaskUse | None) -> int:
    """Channels a prior makes: those asked for, and enough for the initial and every injected noise of the sampler."""
    return max(session.noise.channels, use.channels if use else 0)
