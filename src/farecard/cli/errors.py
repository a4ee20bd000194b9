"""What a command of the command line ends with when it cannot do its work."""


class UsageError(Exception):
    """Bad input: a sentence for standard error, exit status 2."""
