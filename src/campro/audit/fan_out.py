"""Independent pieces of work, one after the other or side by side on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from campro.core.errors import CamproError

LOCAL = "local"
CORES = 2
"""Of a cluster that one piece of work takes."""

Task = TypeVar("Task")


def fan_out(work: Callable[[Task], Any], tasks: Sequence[Task], cluster: str | None) -> Iterator[tuple[Task, Any]]:
    """Each task with its result, as they finish; `work` and tasks are pickled where there is a cluster.

    `cluster` is None, "local" for this machine, or the address of a Ray cluster whose machines see the same files.
    Results are the same but for the rounding of sums, which depends on the number of threads.

    Raises:
        CamproError: for a cluster without the package ray.
    """
    if cluster is None:
        yield from ((task, work(task)) for task in tasks)
        return
    try:
        import ray
    except ImportError as error:
        raise CamproError("--cluster", "the package ray", "none", "pip install 'campro[cluster]'") from error
    local = {"_node_ip_address": "127.0.0.1", "include_dashboard": False} if cluster == LOCAL else {"address": cluster}
    with ray.init(**local, log_to_driver=False, configure_logging=False):
        remote: Any = ray.remote(num_cpus=CORES)(lambda task: work(task))  # it takes no partial functions
        waiting = {remote.remote(task): task for task in tasks}
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            yield waiting.pop(done), ray.get(done)
