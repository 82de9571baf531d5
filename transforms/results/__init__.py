"""Tables of results: one declaration ``<table>.yml`` and one query ``<table>.sql`` each, see docs/how-to/add-a-table-of-results.md."""
