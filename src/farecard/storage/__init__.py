"""The store: one schema, named statements, the driver, and the vault for personal data."""
