"""How a block is timed and traced; runs in every runtime with the standard library and pyperf (which brings psutil)."""
