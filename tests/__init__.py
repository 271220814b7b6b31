"""The tests, a folder a room. Test names are sentences."""
