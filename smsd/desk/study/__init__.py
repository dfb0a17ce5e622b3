"""Studies of proposed policies, made beside the daemon in a process of their own."""
