"""What checks are made of: row-wise faults, clusters of near-duplicates, personal data, suspicious labels."""
