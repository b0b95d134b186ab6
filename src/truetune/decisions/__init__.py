"""From probabilities to what is said and done: calibration, thresholds, abstention, prediction sets."""
