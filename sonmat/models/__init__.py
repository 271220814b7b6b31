"""Where base models come from, and saved folders back into predictors."""
