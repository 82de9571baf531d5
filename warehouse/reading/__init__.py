"""Answers from the publication and the index of held rows."""
