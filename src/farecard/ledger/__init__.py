"""The books: a chart of accounts and balanced transfers; pure."""
