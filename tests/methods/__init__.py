"""Methods one by one, beyond the contract that all of them keep."""
