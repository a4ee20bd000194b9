"""The command line: the window that clerks and scripts use."""
