"""The wire: journal lines to commands, decisions to lines."""
