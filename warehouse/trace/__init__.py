"""From a number to its records, and the number made again."""
