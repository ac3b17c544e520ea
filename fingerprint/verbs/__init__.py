"""What each verb does between its options and its exit code."""
