"""From findings to an answer: hypotheses, innocent explanations, log-odds, state."""
