"""What holds the score of a finished run back."""
