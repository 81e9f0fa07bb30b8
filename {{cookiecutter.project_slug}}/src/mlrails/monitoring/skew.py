"""Do served answers differ from what the same model says of the same rows elsewhere?

Numbers may differ by what adding up in another order costs, as of one row and of many.
"""

from collections.abc import Mapping

import numpy as np

_RELATIVE, _ABSOLUTE = 1e-5, 1e-6


def differing(served: Mapping[str, np.ndarray], offline: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return which rows (rows,) have another answer offline than the one that was served.

    Where there are numbers, they tell: an event is called by its probability, which may be off by
    its last digits where it is just that of the threshold.
    """
    numbers = [name for name, it in offline.items() if it.dtype.kind == "f"]
    found = np.zeros(len(next(iter(offline.values()))), bool)
    for name in numbers or offline:
        if name not in served:
            found[:] = True
        elif name in numbers:
            ours = served[name].astype(np.float64)
            found |= ~np.isclose(ours, offline[name], rtol=_RELATIVE, atol=_ABSOLUTE)
        else:
            found |= served[name] != offline[name]
    return found
