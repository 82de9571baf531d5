"""Printed numbers against derived ones."""
