"""What people write, read and checked: the configuration and the claims, as models that know every key."""
