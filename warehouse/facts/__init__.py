"""What is derived and kept: the plan, the derivation, the versions of each fact."""
