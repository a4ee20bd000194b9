"""The window over HTTP: requests in, decisions and problem documents out. It decides nothing."""
