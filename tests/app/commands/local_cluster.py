"""A Dask cluster of this machine for tests: `python -m tests.app.commands.local_cluster` says its address and the processes of
its workers, and stays until its input ends."""

from __future__ import annotations

import sys


def main() -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, *(nanny.pid for nanny in cluster.workers.values()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
