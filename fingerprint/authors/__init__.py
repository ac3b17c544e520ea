"""What authors of techniques begin with."""
