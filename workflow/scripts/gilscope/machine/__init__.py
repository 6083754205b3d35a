"""What a machine is: its cores, its limits, its system."""
