"""The TFLite interpreter of whichever runtime is installed."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fer_mobile.errors import InputError, ModelError, check_choice
from fer_mobile.model_file import check_tflite, read_model
from fer_mobile.quiet import quiet

RUNTIMES: Final = (
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite_runtime.interpreter"),
    ("tensorflow", "tensorflow.lite.python.interpreter"),
)
"""Packages with an interpreter and the module it is in, in the order of preference."""


MOST_MEMORY: Final = 4 * 2**30
"""Bytes that the tensors of a graph may take, for a batch of one, weights among them."""


class SignatureRunner(Protocol):
    """A graph's named inputs and outputs."""

    def get_output_details(self) -> dict[str, dict[str, Any]]: ...  # noqa: D102
    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]: ...  # noqa: D102


class Interpreter(Protocol):
    """The methods of a TFLite interpreter that this package uses (the same in every runtime)."""

    def get_input_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def get_output_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def get_tensor_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def resize_tensor_input(self, input_index: int, tensor_size: Any) -> None: ...  # noqa: D102
    def allocate_tensors(self) -> None: ...  # noqa: D102
    def set_tensor(self, tensor_index: int, value: NDArray[Any]) -> None: ...  # noqa: D102
    def invoke(self) -> None: ...  # noqa: D102
    def get_tensor(self, tensor_index: int) -> NDArray[Any]: ...  # noqa: D102
    def tensor(self, tensor_index: int) -> Callable[[], NDArray[Any]]: ...  # noqa: D102
    def get_signature_runner(self) -> SignatureRunner: ...  # noqa: D102


def load_interpreter(
    model: bytes | Path,
    *,
    threads: int = 1,
    delegates: bool = True,
    preserve_all_tensors: bool = False,
    name: object = None,
) -> Interpreter:
    """An interpreter of `model` (a TFLite file or its bytes), its tensors allocated.

    Args:
        model: the file or its bytes.
        threads: threads that it may use.
        delegates: let the runtime's own delegate (XNNPACK) do what it can.  Without, every
            operation is done by its built-in kernel.
        preserve_all_tensors: keep every result, so that `get_tensor` can read it.
        name: what error messages call the model; by default the file.

    Raises:
        InputError: no runtime is installed, or the one that is cannot run here.
        ModelError: `model` is no TFLite model, or one that the runtime cannot prepare.
    """
    if threads < 1:
        raise InputError("threads", expected="1 or more", found=str(threads))
    name = name or ("the model" if isinstance(model, bytes) else model)
    content = model if isinstance(model, bytes) else read_model(model)
    check_tflite(content, name)
    module = _runtime()[1]
    options: dict[str, Any] = {
        "model_content": content,
        "num_threads": threads,
        "experimental_preserve_all_tensors": preserve_all_tensors,
    }
    if not delegates:
        resolver = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        options["experimental_op_resolver_type"] = resolver
    try:
        # The runtimes write a line to stderr when they create their delegate.
        with quiet(2), warnings.catch_warnings(action="ignore"):
            interpreter: Interpreter = module.Interpreter(**options)
            _check_memory(interpreter, name)
            interpreter.allocate_tensors()
    except SystemError as error:  # tflite-runtime was built for numpy 1 and says no more than this
        raise InputError(
            runtime_name(),
            expected="a runtime that works with the installed numpy",
            found=f"it fails with numpy {np.__version__}",
            hint="Install another with: pip install ai-edge-litert (or: pip install 'numpy<2')",
        ) from error
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            name,
            expected=f"a TensorFlow Lite model that {runtime_name()} can run",
            found=f"it says {first_line(error)!r}",
        ) from error
    return interpreter


def _check_memory(interpreter: Interpreter, name: object) -> None:
    """Refuse a graph that asks for more memory than any classifier or detector needs.

    Raises ValueError, too, for tensors whose names are no UTF-8: better here than at first use.
    """
    interpreter.get_input_details()
    interpreter.get_output_details()
    details = interpreter.get_tensor_details()  # which leaves out what it cannot name
    if {detail["index"] for detail in details} != set(range(len(details))):
        raise ValueError("a tensor has no name in UTF-8")
    size = sum(
        math.prod(map(int, detail["shape"])) * np.dtype(detail["dtype"]).itemsize
        for detail in details
    )
    if size > MOST_MEMORY:
        raise ModelError(
            name,
            expected=f"tensors of at most {MOST_MEMORY / 2**30:.0f} GiB",
            found=f"{size / 2**30:,.1f} GiB",
        )


def first_line(error: Exception) -> str:
    """The first line of what a runtime says of a model."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def runtime_name() -> str:
    """Package and version of the runtime in use, e.g. "ai-edge-litert 2.3.0".

    Raises InputError when none is installed.
    """
    package, module = _runtime()
    # Not the metadata's version: TensorFlow's lies under tensorflow or tensorflow-cpu.
    return f"{package} {sys.modules[module.__name__.partition('.')[0]].__version__}"


def installed_runtimes() -> list[str]:
    """The packages of `RUNTIMES` that are installed, the preferred one first."""
    return [
        package
        for package, module in RUNTIMES
        if importlib.util.find_spec(module.partition(".")[0]) is not None
    ]


def choose_runtime(package: str) -> None:
    """Use one of `RUNTIMES` from now on in this process; InputError for any other."""
    global _candidates
    known = dict(RUNTIMES)
    check_choice("runtime", package, known)
    _candidates = ((package, known[package]),)
    _runtime.cache_clear()


_candidates: tuple[tuple[str, str], ...] = RUNTIMES
"""Those that are tried."""


@cache
def _runtime() -> tuple[str, Any]:
    for package, module in _candidates:
        try:
            with quiet():
                return package, importlib.import_module(module)
        except ImportError:
            continue
    raise InputError(
        "running a TensorFlow Lite model",
        expected="one of the packages " + ", ".join(package for package, _ in _candidates),
        found="none of them installed",
        hint="Install one with: pip install ai-edge-litert",
    )
