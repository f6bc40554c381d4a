"""`python -m rag.cli` is `waymark`."""

from rag.cli import main

main()
