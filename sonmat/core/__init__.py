"""Values, Protocols, errors and settings: what every room may import. No torch, no input or output."""
