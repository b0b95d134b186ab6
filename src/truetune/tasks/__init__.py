"""Tasks, one file each; a task is a value."""
