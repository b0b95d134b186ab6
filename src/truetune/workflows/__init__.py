"""What a command does, from config to run folder."""
