"""How a lab runs: its trials apart from each other, watched, and cleaned up after."""
