"""Several runs side by side: what is the same work, by how much it differs, and what changes an answer."""
