"""What a technique reads: the conversations of one or more recordings, and the tables that the engine knows."""
