"""A Ray cluster: the one of ``RAY_ADDRESS``, or one started on this machine alone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fer_mobile.errors import InputError, MissingPackageError

RETRIES: Final = 3
"""How often a task is tried again when its process or its machine is gone."""


@contextmanager
def cluster(cores: int) -> Iterator[Any]:
    """The module `ray`, connected.

    Without ``RAY_ADDRESS`` Ray is started here for the time of the context, for this user
    alone, on 127.0.0.1, with so many `cores` to give away and no dashboard; no usage
    statistics are sent.  Raises MissingPackageError without Ray, InputError when the
    cluster cannot be reached.
    """
    ray = _import_ray()
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, cores)
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def _import_ray() -> Any:
    if "ray" not in sys.modules:  # it reads them when it is imported
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if not os.environ.get("RAY_ADDRESS"):
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingPackageError("the engine ray", package="ray", extra="ray") from error
    return ray


def _connect(ray: Any, cores: int) -> None:
    address = os.environ.get("RAY_ADDRESS")
    quietly = {"log_to_driver": False, "logging_level": "warning"}
    if not address:
        ray.init(num_cpus=cores, include_dashboard=False, _node_ip_address="127.0.0.1", **quietly)
        return
    try:
        host, _, port = address.removeprefix("ray://").rpartition(":")
        if port.isdigit():  # Ray itself would wait for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address, **quietly)
    except Exception as error:  # its own, ConnectionError, ValueError, RuntimeError
        raise InputError(
            "RAY_ADDRESS",
            expected="the address of a Ray cluster that runs",
            found=f"{address!r} ({str(error).splitlines()[0]})",
        ) from error
