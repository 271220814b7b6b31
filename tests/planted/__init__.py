"""A model tuned on nonsense is caught by every guard that should catch it, and one that was tuned well by none."""
