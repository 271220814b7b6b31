"""The command line: every command's happy path and error path, in people's text and in JSON."""
