"""Settings of every session on a warehouse. By themselves, since they can change what a value is, and so are in its fingerprint."""

SETTINGS = (
    "SET TimeZone = 'Asia/Jakarta'",
    "SET preserve_insertion_order = false",
    "SET enable_progress_bar = false",
    # Keyed hashes do not compress, and looking for a way takes a third of the time of writing states.
    "SET disabled_compression_methods = 'fsst,dict_fsst'",
)
