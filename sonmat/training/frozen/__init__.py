"""What frozen layers make of each row is computed once and kept on disk; see `cached.py`."""
