import importlib.util
import sys
from pathlib import Path

# The simulations live in benchmarks/; the tests run a share of them. `coverage` is also the name of a package.
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))
spec = importlib.util.spec_from_file_location("coverage_simulation", BENCHMARKS / "coverage.py")
assert spec is not None
assert spec.loader is not None
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[spec.name])
