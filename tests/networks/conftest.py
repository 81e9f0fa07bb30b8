"""How the tests of networks run: in the environment and the folder of a baked project.

What they share lies beside the engine's tests. Alone, in such a project: `.nox/project/bin/python
-m pytest -c TEMPLATE/tests/networks/pytest.ini TEMPLATE/tests/networks/test_pytorch.py`, and the
same with `test_both.py`.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "mlrails"))

import sample
import surroundings

surroundings.leave(os.environ)
sample.ROOT = Path.cwd()
sys.path.insert(0, str(sample.ROOT / "src"))
pytest_plugins = ["shared"]
