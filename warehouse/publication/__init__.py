"""What people read, switched in one step."""
