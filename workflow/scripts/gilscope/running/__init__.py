"""How a measuring job runs: alone on the machine, watched, its files there whole or not at all."""
