"""What other libraries hold (arrays, `Doc`s), turned into gold and predicted; none of them is imported."""
