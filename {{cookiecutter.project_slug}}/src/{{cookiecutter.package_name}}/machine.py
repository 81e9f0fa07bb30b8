"""What the machine is, as far as it shows in a model's bytes."""

import platform
import re
from functools import cache


@cache
def cpu_class() -> str:
    """Return the machine's class: the same inputs give the same bytes within one class."""
    import numpy as np
    from threadpoolctl import threadpool_info

    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    blas = {pool.get("architecture") for pool in threadpool_info()} - {None}
    parts = [platform.system(), platform.machine(), *found[-1:], *sorted(map(str, blas))]
    return re.sub(r"[^a-z0-9_]+", "-", "-".join(parts).lower())
