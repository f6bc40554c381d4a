"""Measuring Waymark: question sets, metrics, bootstrap intervals, reports and the `waymark eval` commands."""
