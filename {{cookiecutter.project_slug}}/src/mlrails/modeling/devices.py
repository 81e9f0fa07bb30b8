"""Where a network is fitted, that it adds up in one order there, and what else it depends on.

A project has one framework of networks, or none; each is imported where it is asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ..core.errors import UsageError, WorldError


def of_torch(asked: str) -> Any:
    """Choose the `torch.device` to fit on; raises UsageError for a GPU that is not there."""
    torch: Any = import_module("torch")
    there = torch.cuda.is_available()
    if asked == "gpu" and not there:
        raise UsageError(
            "params.yaml: 'estimator.device' = 'gpu', but PyTorch sees none; use auto or cpu, or "
            "install a build for your GPU (docs/framework.md)"
        )
    return torch.device("cuda" if there and asked != "cpu" else "cpu")


@contextmanager
def repeatable_torch() -> Iterator[None]:
    """Choose algorithms that add up in one order; raises MemoryError where PyTorch has its own."""
    torch: Any = import_module("torch")
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    except RuntimeError as error:
        if "allocate memory" in str(error) or "out of memory" in str(error):
            raise MemoryError from error
        raise
    finally:
        torch.set_deterministic_debug_mode(before)


def of_tensorflow(asked: str) -> tuple[str, str]:
    """Choose where to fit, in which precision, and to add up in one order: once for a process.

    Raises UsageError for a GPU that is not there, WorldError where TensorFlow works already.
    """
    tf: Any = import_module("tensorflow")
    there = tf.config.list_physical_devices("GPU")
    if asked == "gpu" and not there:
        raise UsageError(
            "params.yaml: 'estimator.device' = 'gpu', but TensorFlow sees none; use auto or cpu, "
            "or install CUDA for it (docs/framework.md)"
        )
    used = [] if asked == "cpu" else there[:1]
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.set_visible_devices(used, "GPU")
        for gpu in used:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        raise WorldError(
            "TensorFlow is at work in this process already, on other threads or devices than a "
            "fit needs; fit in a process of its own, as `nox -s train` does"
        ) from None
    tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    about = [tf.config.experimental.get_device_details(it) for it in used]
    native = any(it.get("compute_capability", (0, 0)) >= (8, 0) for it in about)
    return "/GPU:0" if used else "/CPU:0", "mixed_bfloat16" if native else "float32"


def platform_of_torch() -> str:
    """Return what a fit by PyTorch on this machine depends on beside the linear algebra."""
    torch: Any = import_module("torch")
    words = [torch.backends.cpu.get_cpu_capability()]
    if torch.cuda.is_available():
        build = f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {torch.version.hip}"
        words += [torch.cuda.get_device_name(), build, f"cuDNN {torch.backends.cudnn.version()}"]
    return " ".join(words)


def platform_of_tensorflow() -> str:
    """Return what a fit by TensorFlow on this machine depends on beside the linear algebra."""
    tf: Any = import_module("tensorflow")
    # Private, since nothing public tells: what turns oneDNN off has a default for each processor.
    ported: Any = import_module("tensorflow.python.util._pywrap_util_port")
    words = ["oneDNN"] if ported.IsMklEnabled() else []
    for gpu in tf.config.list_physical_devices("GPU")[:1]:
        name = tf.config.experimental.get_device_details(gpu).get("device_name")
        build = tf.sysconfig.get_build_info()
        words.append(f"{name} CUDA {build.get('cuda_version')} cuDNN {build.get('cudnn_version')}")
    return " ".join(words)
