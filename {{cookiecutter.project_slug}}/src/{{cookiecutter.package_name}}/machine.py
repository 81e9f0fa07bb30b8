"""What the machine is, as far as it shows in a model's bytes."""

import platform
import re
from functools import cache


@cache
def cpu_class() -> str:
    """Return the machine's class: the same inputs give the same bytes within one class.

    It is of the CPU's linear algebra, and of what else the estimator's library would fit with.
    """
    import numpy as np
    from threadpoolctl import threadpool_info

    from . import estimator

    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    blas = {pool.get("architecture") for pool in threadpool_info()} - {None}
    parts = [platform.system(), platform.machine(), *found[-1:], *sorted(map(str, blas))]
    words = " ".join([*parts, estimator.platform()]).strip()
    return re.sub(r"[^a-z0-9_]+", "-", words.lower())
