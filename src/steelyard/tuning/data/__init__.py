"""What is to be learned: rows, labels, columns, and what is odd about them."""
