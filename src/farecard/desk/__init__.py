"""The desk: batches of commands in, decisions out."""
