"""What reading data takes: finding out encodings, columns, scripts and sameness. No knowledge of formats, tasks or steps."""
