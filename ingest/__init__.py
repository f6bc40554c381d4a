"""From files to documents, from documents to chunks, from chunks to a new generation of the index."""
