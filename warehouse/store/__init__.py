"""The ground: the home, its lock and key, the open warehouse, the ledger of runs and its seal. Everybody may use it."""
