"""The index: immutable generations on disk, and what is searched in them."""
