import sys
from pathlib import Path

# The simulations live in benchmarks/; the tests run a share of them.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
