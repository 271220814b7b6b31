"""Rows as vectors, for checks and retrieval: counts of letter groups, thumbnails, or a pretrained encoder."""
