"""The validation pages."""
