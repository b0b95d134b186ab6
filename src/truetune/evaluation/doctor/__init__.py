"""The evaluation doctor: signs in gold and predictions that a number is not what it seems."""
