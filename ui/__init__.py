"""The app in the browser; it shows what `rag` answers and knows no index."""
