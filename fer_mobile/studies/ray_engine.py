"""A suite's runs on a Ray cluster, several at once: a task a run.

Every machine needs this package, the data and the folder of the runs under the same paths.  A
run whose process or machine is lost goes on after its last epoch, on another if need be.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fer_mobile.cluster import RETRIES, cluster
from fer_mobile.data import data_path
from fer_mobile.environment import describe_hardware
from fer_mobile.studies.attempt import Attempt, read_row, train_and_measure


def in_ray(
    attempts: Sequence[Attempt], cores: int, report: Callable[[str], None]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and row of every attempt in the order in which they end.

    Each has `cores` cores to itself, and a GPU where the cluster has any.  Raises
    MissingPackageError and InputError as `cluster` does.
    """
    with cluster(describe_hardware()["cores_usable"] or 1) as ray:
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        task = ray.remote(num_cpus=cores, num_gpus=gpus, max_retries=RETRIES)(_make)
        running = {task.remote(_absolute(each), cores): each for each in attempts}
        try:
            while running:
                (ended,), _ = ray.wait(list(running))
                attempt = running.pop(ended)
                row = _row(ray, ended, attempt)
                outcome = row.get("error") or f"accuracy {row['accuracy']:.4f}"
                count = len(attempts) - len(running)
                report(f"{attempt.name} ({count} of {len(attempts)}): {outcome}")
                yield attempt.name, row
        finally:
            for task_left in running:
                with suppress(Exception):
                    ray.cancel(task_left, force=True)


def _absolute(attempt: Attempt) -> Attempt:
    return replace(
        attempt,
        folder=attempt.folder.absolute(),
        data=data_path(attempt.data).absolute(),
    )


def _row(ray: Any, ended: Any, attempt: Attempt) -> dict[str, Any]:
    try:
        row: dict[str, Any] = ray.get(ended)
    except ray.exceptions.RayTaskError as error:
        return {"error": str(error.cause)}
    except ray.exceptions.RayError:  # its process or its machine died, again and again
        return read_row(attempt.folder)
    return row


def _make(attempt: Attempt, cores: int) -> dict[str, Any]:
    # TensorFlow would take all cores of the machine for every run.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(cores)
    return train_and_measure(attempt, lambda line: None)
