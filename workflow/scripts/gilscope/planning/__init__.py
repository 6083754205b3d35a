"""From a checked configuration to runs: the blocks and rounds of each machine, and how long they take."""
