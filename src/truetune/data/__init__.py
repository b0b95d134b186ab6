"""Files to examples: reading, checking, splitting."""
