"""The commands, one a file: `flows/app.py` collects them, whatever stands here."""
