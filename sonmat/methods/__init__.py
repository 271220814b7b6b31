"""Ways to make a predictor: one file each."""
