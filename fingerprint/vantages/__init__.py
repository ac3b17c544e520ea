"""Where a capture was taken, who said so, and how far its clock can be believed."""
