"""What lies in the inbox, and how each format becomes an archived delivery."""
