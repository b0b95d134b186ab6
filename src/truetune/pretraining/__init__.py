"""Learning from unlabelled text: the corpus, the objectives, and what held-out documents say."""
