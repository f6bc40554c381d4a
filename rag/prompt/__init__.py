"""Answers that a language model writes: prompts, strategies, citation marks, and the check of every sentence."""
