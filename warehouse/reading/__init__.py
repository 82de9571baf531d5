"""Answers from the publication and the index of quarantined rows."""
