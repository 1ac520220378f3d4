"""How good is a bundle? Metrics, calibration, baselines, mistakes, reports."""
