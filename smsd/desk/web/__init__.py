"""The desk's way of speaking HTTP: visits in, answers out, and a door between them and Twisted."""
