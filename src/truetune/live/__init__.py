"""What a model meets in use, held against what it was validated on; no texts are kept."""
