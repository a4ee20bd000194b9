"""Questions: read-only, of now or of any moment before; nothing here writes."""
