"""Waymark: grounded, cited answers over a document and the works it cites."""

__version__ = "0.1.0"
