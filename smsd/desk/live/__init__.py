"""How the daemon fares now: gathered once a second while anybody watches, and sent to all."""
