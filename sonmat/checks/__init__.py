"""What can be wrong with data, whatever the task: one file each."""
