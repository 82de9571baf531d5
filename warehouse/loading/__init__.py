"""From landed rows to states: groups of deliveries, rules, identity, corrections, and what a clerk is told of a file."""
