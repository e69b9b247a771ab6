"""Is a prior's output as sharp as random's? Many independent runs: `python -m tests.gpu.diffusion.evaluate_sharpness TASK…`.

One run scatters by a third, because outputs of different noise differ, so that some hundred runs are needed to see 5 %. Each
run is one late frame of a clip (where noise has been carried far) with a noise seed of its own; runs of one clip differ in
their seeds alone, so the gain is over those runs and says nothing of other clips.
"""

from __future__ import annotations

import argparse

import torch
from tqdm import tqdm

from gpu.experiments.kit import sampling_runs
from gpu.metrics import intervals
from gpu.session import TaskSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    parser.add_argument("--prior", default="integral")
    parser.add_argument("--clips", type=int, default=9)
    parser.add_argument("--seeds", type=int, default=22, help="seeds for each clip")
    parser.add_argument("--size", type=int, default=64, help="rows and columns of the frames")
    parser.add_argument("--frame", type=int, default=9, help="the frame that is compared")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for task in given.tasks:
        runs: list[sampling_runs.Run] = []
        jobs = sampling_runs.jobs(task, given.size, given.frame + 1, given.clips, given.seeds, 100)
        for clip, seed in tqdm(jobs, desc=task, disable=None):
            steps = sampling_runs.render(clip, TaskSettings(task), ["random", given.prior], seed, frames=(given.frame,))
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    runs.append(end.value)
                    break
        count = len(jobs) // given.seeds  # clips that there are
        gain = sampling_runs.ratio(runs, given.prior, "random", "laplacian")
        clips = [
            intervals.ratio(
                sampling_runs.of(runs[number::count], given.prior, "laplacian"),
                sampling_runs.of(runs[number::count], "random", "laplacian"),
            )
            for number in range(count)
        ]
        print(
            f"{task}: sharpness {given.prior} / random {gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}], n = {gain.n}; "
            f"by clip {', '.join(f'{clip.value:.2f}' for clip in clips)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
