"""The nine steps, a file or folder each. Steps share values, not code."""
