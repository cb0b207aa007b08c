"""Lets these tests share ``charged_pores`` with those of the solvers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "solvers"))
