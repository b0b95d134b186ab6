import numpy as np
import pytest

from truetune.errors import MetricError
from truetune.stats.plan import Plan


def test_equal_plans_give_equal_numbers_and_other_purposes_or_seeds_others():
    draw = Plan(seed=3).generator("bootstrap").random(5)
    np.testing.assert_array_equal(draw, Plan(seed=3).generator("bootstrap").random(5))
    assert not np.array_equal(draw, Plan(seed=3).generator("randomisation").random(5))
    assert not np.array_equal(draw, Plan(seed=4).generator("bootstrap").random(5))


def test_level_resamples_and_name():
    plan = Plan(level=0.9, resamples=5000, seed=7)
    assert plan.alpha == pytest.approx(0.1)
    assert plan.tail == pytest.approx(0.95)
    assert plan.resampling("BCa bootstrap", 5000) == "BCa bootstrap, 5,000 resamples, seed 7"


@pytest.mark.parametrize("fault", [{"level": 1.0}, {"level": 95}, {"resamples": 10}, {"seed": -1}])
def test_senseless_settings_are_refused(fault):
    with pytest.raises(MetricError, match=next(iter(fault))):
        Plan(**fault)
